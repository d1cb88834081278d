// SPDX-License-Identifier: Apache-2.0
// plots.js - curves over time: chosen signals, one window of time for all, a cursor in sync.

const CURVES = {
  // told apart by colour-blind eyes too (after Okabe and Ito), by background
  light: ["#0072b2", "#d55e00", "#009e73", "#b5418f", "#a37200", "#2f9fd0", "#5b4bb5", "#444b54"],
  dark: ["#56a9ee", "#ff8a4c", "#2fc79a", "#e58ac4", "#e8b64c", "#7fd3f7", "#a99bf5", "#c3cad2"],
};
const AT_FIRST = 4; // curves of a new plot

class Plots {
  constructor(record, box, goTo) {
    this.record = record;
    this.box = box;
    this.goTo = goTo;
    this.window = [record.start, record.end];
    this.charts = [];
    this.t = record.start;
    const can = record.signals.filter((s) => s.t && s.t[2] > 0 && s.dim > 0);
    const wanted = ["/obs/joint_pos", "/joint_states/effort", "/obs/imu_gyro", "/obs/base_vel"];
    const chosen = wanted.map((n) => can.find((s) => s.name === n)).filter(Boolean);
    for (const s of (chosen.length ? chosen : can).slice(0, 3)) this.charts.push(this.chart(s));
    new ResizeObserver(() => this.draw()).observe(box);
  }

  chart(signal) {
    const most = Math.min(signal.dim, 64);
    return { signal, on: Array.from({ length: most }, (_, k) => k < AT_FIRST) };
  }

  fill() {
    const { signals } = this.record;
    if (!signals.length) return this.box.replaceChildren(el("p.empty", say("noSignals")));
    const pick = el(
      "select",
      { "aria-label": say("add") },
      el("option", { value: "" }, say("add")),
    );
    const groups = new Map();
    signals.forEach((s, i) => {
      const group = s.name.split("/")[1] || "";
      if (!groups.has(group)) groups.set(group, el("optgroup", { label: "/" + group }));
      const o = el("option", { value: i }, s.name + (s.t ? "" : ` (${s.dim} ${say("grid")})`));
      o.disabled = !s.t || !s.dim;
      groups.get(group).append(o);
    });
    pick.append(...groups.values());
    pick.onchange = () => {
      const signal = pick.value === "" ? null : signals[+pick.value];
      if (!signal || !signal.times) return;
      this.charts.unshift(this.chart(signal));
      this.fill();
    };
    const all = el(
      "button",
      { onclick: () => this.zoom(this.record.start, this.record.end) },
      say("reset"),
    );
    const thin =
      this.record.signal_step > 1 && el("p.empty", say("thinned") + this.record.signal_step);
    this.box.replaceChildren(
      el("div.plot-tools", pick, all),
      thin || "",
      ...this.charts.map((c) => this.frame(c)),
      el("p.empty", say("zoomHint")),
    );
    this.draw();
  }

  frame(c) {
    const { signal: s } = c;
    c.canvas = el("canvas");
    this.listen(c.canvas);
    c.out = [];
    const legend = el("div.legend");
    const button = (on, k) => {
      if (!on && !c.all && c.on.length > 2 * AT_FIRST) return null;
      const b = el(
        "button",
        { "aria-pressed": on, style: `--c:${this.color(k)}` },
        el("i"),
        s.names[k] || String(k),
        (c.out[k] = el("output")),
      );
      b.onclick = () => {
        c.on[k] = !c.on[k];
        b.setAttribute("aria-pressed", c.on[k]);
        this.draw();
      };
      return b;
    };
    const fill = () => {
      const shown = c.on.map(button),
        hidden = shown.filter((b) => !b).length;
      const rest = el(
        "button.rest",
        { onclick: () => ((c.all = true), fill(), this.draw()) },
        "+ " + hidden,
      );
      legend.replaceChildren(...shown.filter(Boolean), hidden ? rest : "");
    };
    fill();
    const gone = el("button", { title: say("remove"), "aria-label": say("remove") }, "✕");
    gone.onclick = () => (this.charts.splice(this.charts.indexOf(c), 1), this.fill());
    return el(
      "div.plot",
      el("div.top", el("b", s.name + " ", el("small", s.unit || "")), gone),
      c.canvas,
      legend,
    );
  }

  color(k) {
    const set = CURVES[document.documentElement.dataset.theme] || CURVES.light;
    return set[k % set.length];
  }

  zoom(a, b) {
    const { start, end } = this.record,
      least = Math.min(0.05, end - start);
    const width = Math.min(Math.max(b - a, least), end - start);
    a = Math.min(Math.max(a, start), end - width);
    this.window = [a, a + width];
    this.draw();
  }

  // Click or drag moves the time; wheel or two fingers zoom around the pointer.
  listen(canvas) {
    const fingers = new Map();
    const time = (x) => {
      const r = canvas.getBoundingClientRect(),
        [a, b] = this.window;
      return a + ((x - r.left - 44) / Math.max(1, r.width - 44)) * (b - a);
    };
    canvas.onpointerdown = (e) => {
      canvas.setPointerCapture(e.pointerId);
      fingers.set(e.pointerId, e.clientX);
      if (fingers.size === 1) this.goTo(time(e.clientX));
    };
    canvas.onpointermove = (e) => {
      if (!fingers.has(e.pointerId)) return;
      const before = [...fingers.values()];
      fingers.set(e.pointerId, e.clientX);
      if (fingers.size === 1) return this.goTo(time(e.clientX));
      const now = [...fingers.values()],
        [a, b] = this.window;
      const mid = time((now[0] + now[1]) / 2);
      const k = Math.abs(before[0] - before[1]) / Math.max(8, Math.abs(now[0] - now[1]));
      this.zoom(mid - (mid - a) * k, mid + (b - mid) * k);
    };
    canvas.onpointerup = canvas.onpointercancel = (e) => fingers.delete(e.pointerId);
    canvas.ondblclick = () => this.zoom(this.record.start, this.record.end);
    canvas.addEventListener(
      "wheel",
      (e) => {
        e.preventDefault();
        const mid = time(e.clientX),
          [a, b] = this.window,
          k = Math.exp(e.deltaY * 0.0015);
        this.zoom(mid - (mid - a) * k, mid + (b - mid) * k);
      },
      { passive: false },
    );
  }

  at(t) {
    this.t = t;
    const [a, b] = this.window;
    if (t < a || t > b) this.zoom(t - (b - a) / 2, t + (b - a) / 2);
    else this.draw();
  }

  draw() {
    if (!this.box.classList.contains("open")) return;
    for (const c of this.charts) if (c.canvas) this.drawChart(c);
  }

  drawChart(c) {
    const { canvas, signal: s } = c,
      scale = devicePixelRatio || 1;
    const w = canvas.clientWidth,
      h = canvas.clientHeight;
    if (!w || !h) return;
    if (canvas.width !== Math.round(w * scale)) canvas.width = Math.round(w * scale);
    if (canvas.height !== Math.round(h * scale)) canvas.height = Math.round(h * scale);
    const g = canvas.getContext("2d"),
      style = getComputedStyle(canvas);
    const ink = style.getPropertyValue("--soft"),
      rule = style.getPropertyValue("--line");
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, w, h);
    const area = { x: 44, y: 6, w: w - 52, h: h - 26 },
      [a, b] = this.window,
      t = s.times();
    const from = indexAt(t, a),
      to = Math.min(indexAt(t, b) + 1, t.length - 1);
    let lo = Infinity,
      hi = -Infinity;
    c.on.forEach((on, k) => {
      if (!on) return;
      const v = s.values(k);
      for (let i = from; i <= to; i++) {
        if (v[i] < lo) lo = v[i];
        if (v[i] > hi) hi = v[i];
      }
    });
    if (!(hi >= lo)) ((lo = 0), (hi = 1));
    const pad = hi > lo ? (hi - lo) * 0.06 : Math.abs(hi) * 0.1 || 1;
    ((lo -= pad), (hi += pad));
    const px = (x) => area.x + ((x - a) / (b - a)) * area.w;
    const py = (y) => area.y + (1 - (y - lo) / (hi - lo)) * area.h;
    g.font = "11px system-ui, sans-serif";
    ((g.fillStyle = ink), (g.strokeStyle = rule), (g.lineWidth = 1));
    ((g.textAlign = "right"), (g.textBaseline = "middle"));
    for (const y of ruler(lo, hi, 4)) {
      (g.beginPath(),
        g.moveTo(area.x, Math.round(py(y)) + 0.5),
        g.lineTo(area.x + area.w, Math.round(py(y)) + 0.5),
        g.stroke());
      g.fillText(figure(y), area.x - 6, py(y));
    }
    ((g.textBaseline = "top"), (g.textAlign = "center"));
    for (const x of ruler(a, b, Math.max(2, Math.floor(area.w / 70))))
      g.fillText(figure(x) + " s", Math.min(px(x), w - 16), area.y + area.h + 6);
    (g.save(), g.beginPath(), g.rect(area.x, area.y - 1, area.w, area.h + 2), g.clip());
    c.on.forEach(
      (on, k) => on && curve(g, t, s.values(k), from, to, px, py, area.w, this.color(k)),
    );
    g.restore();
    ((g.strokeStyle = style.getPropertyValue("--ink")), (g.lineWidth = 1));
    (g.beginPath(),
      g.moveTo(px(this.t), area.y),
      g.lineTo(px(this.t), area.y + area.h),
      g.stroke());
    const here = indexAt(t, this.t);
    c.out.forEach((o, k) => (o.textContent = c.on[k] ? figure(s.values(k)[here]) : ""));
  }
}

// A curve; where a pixel holds many samples, from the least to the greatest of them.
function curve(g, t, v, from, to, px, py, width, color) {
  ((g.strokeStyle = color), (g.lineWidth = 1.5), (g.lineJoin = "round"));
  g.beginPath();
  if (to - from < 3 * width) {
    for (let i = from; i <= to; i++) g.lineTo(px(t[i]), py(v[i]));
  } else {
    for (let i = from; i <= to;) {
      const x = Math.round(px(t[i]));
      let lo = v[i],
        hi = v[i];
      for (; i <= to && Math.round(px(t[i])) === x; i++)
        ((lo = Math.min(lo, v[i])), (hi = Math.max(hi, v[i])));
      (g.lineTo(x, py(lo)), g.lineTo(x, py(hi)));
    }
  }
  g.stroke();
}

// Round numbers between lo and hi, about n of them.
function ruler(lo, hi, n) {
  const raw = (hi - lo) / n,
    ten = 10 ** Math.floor(Math.log10(raw));
  const step = ten * ([1, 2, 5].find((k) => k * ten >= raw) || 10),
    out = [];
  for (let k = Math.ceil(lo / step); k * step <= hi; k++) out.push(+(k * step).toPrecision(12));
  return out;
}
