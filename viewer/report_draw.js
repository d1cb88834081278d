// SPDX-License-Identifier: Apache-2.0
// report_draw.js - the report's pictures, as SVG that follows the theme and prints.

function svg(tag, attributes, ...parts) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes || {})) {
    if (k.startsWith("on")) e[k] = v;
    else e.setAttribute(k, typeof v === "number" ? +v.toFixed(2) : v);
  }
  for (const p of parts) if (p != null && p !== false) e.append(p);
  return e;
}
const label = (x, y, text, more) => svg("text", { x, y, ...more }, text);
const line = (x1, y1, x2, y2, name) => svg("line", { x1, y1, x2, y2, class: name });

// A share as text: as many digits as its size asks for, and as keep it from reading as all or
// none when it is neither. way: -1 a lower bound, rounded down; 1 an upper one, rounded up.
function percent(x, digits, way = 0) {
  if (x == null) return "–";
  const p = 100 * x, near = Math.min(p, 100 - p);
  if (digits == null) digits = near <= 0 || (p >= 10 && near >= 0.1) ? 1 : near >= 0.1 ? 2 : near >= 1e-3 ? 4 : 6;
  const round = (d) => (way ? Math[way < 0 ? "floor" : "ceil"](p * 10 ** d - way * 1e-9) / 10 ** d : +p.toFixed(d));
  while (digits < 8 && near > 0 && (round(digits) >= 100 || round(digits) <= 0)) digits++;
  return round(digits).toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") + " %";
}
// Three to five even steps between lo and hi.
function steps(lo, hi, most = 5) {
  const raw = (hi - lo) / most || 1,
    ten = 10 ** Math.floor(Math.log10(raw)),
    step = [1, 2, 2.5, 5, 10].map((k) => k * ten).find((s) => s >= raw * 0.999);
  const out = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; k++)
    out.push(+(k * step).toPrecision(12));
  return out;
}
const brief = (x) => (x == null ? "" : String(+x.toPrecision(3)));

// ---- the interval: one axis, one bar for each kind ----
function drawInterval(rows, width) {
  const lo0 = Math.min(...rows.map((r) => r.lo)),
    hi0 = Math.max(...rows.map((r) => r.hi)),
    pad = Math.max(0.6 * (hi0 - lo0), 2e-5);
  const lo = Math.max(0, lo0 - pad),
    hi = Math.min(1, hi0 + pad),
    left = 10,
    right = width - 10,
    x = (v) => left + ((v - lo) / (hi - lo)) * (right - left);
  const height = 46 * rows.length + 30;
  const g = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img" });
  const y1 = height - 24,
    digits = hi - lo > 0.2 ? 0 : hi - lo > 0.02 ? 1 : hi - lo > 2e-3 ? 2 : 4;
  for (const v of steps(lo, hi, width > 500 ? 6 : 4)) {
    g.append(line(x(v), 4, x(v), y1, "grid"));
    const anchor = x(v) < 24 ? "start" : x(v) > width - 24 ? "end" : "middle";
    g.append(label(x(v), height - 8, (100 * v).toFixed(digits) + " %", { "text-anchor": anchor }));
  }
  rows.forEach((r, i) => {
    const y = 30 + 46 * i;
    g.append(
      label(left, y - 12, r.name, { class: "name" }),
      svg("rect", {
        x: x(r.lo),
        y: y - 5,
        width: Math.max(x(r.hi) - x(r.lo), 1),
        height: 10,
        rx: 3,
        class: i ? "span pale" : "span",
      }),
      svg("circle", { cx: x(r.est), cy: y, r: 5, class: "dot" }),
      label(right, y - 12, `${percent(r.lo, digits + 1, -1)} – ${percent(r.hi, digits + 1, 1)}`, {
        "text-anchor": "end",
      }),
    );
  });
  return g;
}

// ---- horizontal bars with whiskers: causes ----
function drawBars(rows, width) {
  const top = Math.max(...rows.map((r) => r.hi)) || 1,
    left = Math.min(150, 0.32 * width),
    right = width - 74,
    x = (v) => left + (v / top) * (right - left),
    height = 30 * rows.length + 4;
  const g = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img" });
  rows.forEach((r, i) => {
    const y = 30 * i + 17,
      room = Math.floor(left / 7);
    const name = r.name.length > room ? r.name.slice(0, room - 1) + "…" : r.name;
    g.append(
      label(left - 8, y + 4, name, { "text-anchor": "end", class: "name" }),
      svg("rect", { x: left, y: y - 9, width: x(r.est) - left, height: 18, rx: 3, class: "bad" }),
      line(x(r.lo), y, x(r.hi), y, "whisker"),
      line(x(r.lo), y - 4, x(r.lo), y + 4, "whisker"),
      line(x(r.hi), y - 4, x(r.hi), y + 4, "whisker"),
      label(x(r.hi) + 8, y + 4, percent(r.est), {}),
      svg("title", {}, `${r.name}: ${r.n} (${percent(r.lo, null, -1)} – ${percent(r.hi, null, 1)})`),
    );
  });
  return g;
}

function edgeNames(param, edges) {
  if (param.choice) return edges.slice(1).map((e) => "#" + Math.round(e - 0.5));
  return null;
}

// ---- failure over one parameter ----
function drawMap(map, param, width, onPick) {
  const height = 150,
    left = 40,
    right = width - 8,
    bottom = height - 24,
    top = 8,
    n = map.bins.length,
    most = Math.min(1, Math.max(...map.bins.map((b) => (b[0] ? Math.max(b[1] / b[0], Math.min(b[3], (2 * b[1]) / b[0] + 0.02)) : 0)), 0.01)),
    y = (v) => bottom - (Math.min(v, most) / most) * (bottom - top),
    w = (right - left) / n;
  const g = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img" });
  for (const v of steps(0, most, 3)) {
    g.append(line(left, y(v), right, y(v), "grid"));
    g.append(label(left - 5, y(v) + 4, percent(v), { "text-anchor": "end" }));
  }
  const names = edgeNames(param, map.edge_a);
  map.bins.forEach((b, i) => {
    const x = left + i * w,
      share = b[0] ? b[1] / b[0] : 0;
    const cell = svg(
      "g",
      { class: "cell", onclick: () => onPick(i), onmouseenter: () => onPick(i) },
      svg("rect", { x, y: top, width: w, height: bottom - top, class: "hit" }),
      svg("rect", { x: x + 1.5, y: y(share), width: Math.max(w - 3, 1), height: bottom - y(share), rx: 2, class: "bad" }),
    );
    if (b[0]) {
      const mid = x + w / 2;
      cell.append(line(mid, y(b[2]), mid, y(b[3]), "whisker"));
    }
    g.append(cell);
    if (names) g.append(label(x + w / 2, height - 8, names[i], { "text-anchor": "middle" }));
  });
  if (!names)
    for (const v of steps(param.lo, param.hi, width > 300 ? 5 : 4)) {
      const at = left + ((v - param.lo) / (param.hi - param.lo)) * (right - left);
      g.append(label(Math.min(at, right - 6), height - 8, brief(v), { "text-anchor": "middle" }));
    }
  g.append(line(left, bottom, right, bottom, "axis"));
  return g;
}

// ---- failure over a pair ----
function drawPair(map, a, b, width, onPick) {
  const na = map.edge_a.length - 1,
    nb = map.edge_b.length - 1,
    left = 44,
    bottom = 42,
    side = (width - left - 6) / na,
    tall = Math.min(side, 46),
    height = tall * nb + bottom + 6;
  const most = Math.max(...map.bins.map((c) => (c[0] ? c[1] / c[0] : 0)), 1e-9);
  const g = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart heat", role: "img" });
  for (let i = 0; i < na; i++)
    for (let j = 0; j < nb; j++) {
      const c = map.bins[i * nb + j],
        share = c[0] ? c[1] / c[0] : 0,
        x = left + i * side,
        y = 4 + (nb - 1 - j) * tall;
      const cell = svg(
        "g",
        { class: "cell", onclick: () => onPick(i * nb + j), onmouseenter: () => onPick(i * nb + j) },
        svg("rect", { x: x + 0.5, y: y + 0.5, width: side - 1, height: tall - 1, rx: 2, class: "floor" }),
        svg("rect", {
          x: x + 0.5,
          y: y + 0.5,
          width: side - 1,
          height: tall - 1,
          rx: 2,
          class: "bad",
          "fill-opacity": c[0] ? 0.92 * (share / most) : 0,
        }),
      );
      if (c[0] && side >= 30)
        cell.append(
          label(x + side / 2, y + tall / 2 + 4, String(Math.round(100 * share)), {
            "text-anchor": "middle",
            class: share > 0.55 * most ? "on" : "off",
          }),
        );
      g.append(cell);
    }
  const put = (param, edges, n, along) => {
    const names = edgeNames(param, edges);
    const list = names
      ? names.map((t, i) => [i + 0.5, t])
      : steps(param.lo, param.hi, 4).map((v) => [((v - param.lo) / (param.hi - param.lo)) * n, brief(v)]);
    for (const [at, t] of list)
      g.append(
        along
          ? label(Math.min(left + at * side, width - 12), height - bottom + 20, t, { "text-anchor": "middle" })
          : label(left - 6, Math.max(4 + (nb - at) * tall + 4, 12), t, { "text-anchor": "end" }),
      );
  };
  put(a, map.edge_a, na, true);
  put(b, map.edge_b, nb, false);
  g.append(
    label(left + (na * side) / 2, height - 6, a.name + (a.unit ? ` (${a.unit})` : ""), {
      "text-anchor": "middle",
      class: "name",
    }),
  );
  return g;
}

// ---- survival: a stair with its band ----
function drawSurvival(rows, width) {
  const height = 240,
    left = 48,
    right = width - 10,
    bottom = height - 26,
    top = 10;
  const end = rows[rows.length - 1][0] || 1;
  const least = Math.min(...rows.map((r) => r[2] ?? 0)),
    lo = least > 0.9 ? 1 - 1.25 * (1 - least) : least > 0.5 ? 0.5 : 0;
  const x = (t) => left + (t / end) * (right - left),
    y = (s) => bottom - ((Math.max(s, lo) - lo) / (1 - lo)) * (bottom - top);
  const g = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img" });
  const digits = lo > 0.99 ? 2 : lo > 0.9 ? 1 : 0;
  for (const v of steps(lo, 1, 4)) {
    g.append(line(left, y(v), right, y(v), "grid"));
    g.append(label(left - 6, y(v) + 4, (100 * v).toFixed(digits) + " %", { "text-anchor": "end" }));
  }
  for (const t of steps(0, end, width > 500 ? 8 : 4))
    g.append(label(Math.min(x(t), right - 10), height - 8, brief(t) + " s", { "text-anchor": "middle" }));
  const stair = (k) => {
    let d = `M${x(0)} ${y(1)}`;
    for (const r of rows) d += `H${x(r[0]).toFixed(1)}V${y(r[k] ?? 0).toFixed(1)}`;
    return d;
  };
  let back = "";
  for (let i = rows.length - 1; i >= 0; i--) {
    const before = i ? rows[i - 1][2] ?? 0 : 1;
    back += `V${y(before).toFixed(1)}H${x(i ? rows[i - 1][0] : 0).toFixed(1)}`;
  }
  const last = rows[rows.length - 1];
  g.append(
    svg("path", { d: `${stair(3)}V${y(last[2] ?? 0).toFixed(1)}${back}Z`, class: "band" }),
    svg("path", { d: stair(1), class: "curve" }),
    line(left, bottom, right, bottom, "axis"),
  );
  return g;
}

// ---- how values spread ----
function drawSpread(column, width) {
  const height = 74,
    { lo, hi, count } = column.histogram,
    most = Math.max(...count),
    n = count.length,
    w = width / n,
    bottom = height - 18;
  const x = (v) => (hi > lo ? ((v - lo) / (hi - lo)) * width : width / 2);
  const g = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img" });
  if (hi > lo)
    count.forEach((c, i) => {
      const h = c ? Math.max((c / most) * (bottom - 6), 1) : 0;
      g.append(svg("rect", { x: i * w + 0.4, y: bottom - h, width: w - 0.8, height: h, class: "fill" }));
    });
  else g.append(svg("rect", { x: width / 2 - 3, y: 6, width: 6, height: bottom - 6, class: "fill" }));
  const median = column.quantiles[2].value.est;
  g.append(
    line(0, bottom, width, bottom, "axis"),
    line(x(median), 2, x(median), bottom, "mark-line"),
    label(0, height - 4, brief(lo), {}),
    label(width, height - 4, brief(hi), { "text-anchor": "end" }),
  );
  return g;
}
