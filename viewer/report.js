// SPDX-License-Identifier: Apache-2.0
// report.js - puts the report together.

const data = JSON.parse($("data").textContent);
const MAPS_SHOWN = 6;
let allMaps = false;

const unitOf = (x) => (x.unit ? " " + x.unit : "");
const interval = (i, show) => `${show(i.lo, -1)} – ${show(i.hi, 1)}`;
const shares = (i, digits) => interval(i, (x, way) => percent(x, digits, way)).replace(" % –", " –");
const count = (n) => n.toLocaleString("en-US");
const pValue = (p) => (p < 1e-6 ? "p < 1e-6" : "p = " + (p < 1e-3 ? p.toExponential(1) : brief(p)));
// in the reader's language; sentences come in both from the program
const said = (x) => (language === "zh" && x.zh) || x.en;

function card(id, ...parts) {
  return el("section.card", { id }, el("h2", say(id)), ...parts);
}
// A picture that is drawn anew when its width changes, or when it is told to fit.
function picture(draw, name) {
  const box = el("div.picture" + (name ? "." + name : ""));
  let width = 0;
  box.fit = () => {
    const w = Math.round(box.clientWidth);
    if (w && w !== width) ((width = w), box.replaceChildren(draw(w)));
  };
  new ResizeObserver(box.fit).observe(box);
  return box;
}

function verdictCard() {
  const v = data.verdict,
    share = v.exact;
  // first the one that counts: what was looked at again and again needs the one for every look
  const rows = [{ name: say(v.wilson ? "exact" : "weighted"), ...v.exact }];
  if (v.sequence) rows.unshift({ name: say("sequence"), ...v.sequence });
  if (v.wilson) rows.push({ name: say("wilson"), ...v.wilson });
  const score = data.columns[0];
  const fact = (value, name) => el("div.fact", el("b", value), el("span", name));
  const failed = v.trials - v.passed;
  return el(
    "section.card.verdict-card",
    { id: "verdict" },
    el(
      "p.big",
      el("b", share.est == null ? "–" : percent(share.est, 1)),
      el("span", said(v)),
    ),
    el(
      "div.facts",
      fact(count(v.trials), say("trials")),
      fact(count(failed), say("failed")),
      fact(figure(score.mean.est), `${say("meanScore")} (${interval(score.mean, figure)})`),
      data.run.wall && fact(figure(data.run.wall) + " s", say("wall")),
    ),
    v.trials > 0 && picture((w) => drawInterval(rows, w)),
    el(
      "p.note",
      v.sequence ? say("sequenceNote") : say(v.wilson ? "exactNote" : "weightedNote"),
      v.stopped ? ` · ${say("stopped")}: ${say("stop_" + v.stopped)}` : "",
    ),
  );
}

function ruleRow(r) {
  const bar = (name, i) =>
    el(
      "div.rule-bar",
      el("div.bar", el("i", { style: `width:${Math.min(100, 100 * (i.est || 0)).toFixed(1)}%` })),
      el("span", `${percent(i.est, 0)} (${shares(i, 0)}) ${name}`),
    );
  return el("li", el("p.rule", said(r).replace(/[:：].*/, "")), bar(say("covers"), r.coverage), bar(say("inside"), r.precision));
}

function whyCard() {
  if (!data.causes.length) return card("why", el("p.empty", say("noFail")));
  return card(
    "why",
    el("h3", say("rules")),
    data.rules.length ? el("ol.rules", ...data.rules.map(ruleRow)) : el("p.empty", say("noRule")),
    data.rules.length ? el("p.note", say("rulesNote")) : "",
    el("h3", say("causes")),
    picture((w) => drawBars(data.causes.map((c) => ({ name: c.name, n: c.n, ...c.share })), w)),
    el("p.note", say("shareOfAll")),
  );
}

const range = (p, edges, i) =>
  p.choice
    ? `#${Math.round(edges[i] + 0.5)}`
    : `${brief(edges[i])} – ${brief(edges[i + 1])}${unitOf(p)}`;
const told = (b) =>
  b[0]
    ? `${percent(b[1] / b[0])} (${percent(b[2], null, -1)} – ${percent(b[3], null, 1)}) ${say("fails")}: ${count(b[1])} / ${count(b[0])}`
    : "–";

function mapFigure(map, draw, name, tell) {
  const out = el("p.pick", "\u00a0");
  return el(
    "figure",
    el(
      "figcaption",
      el("b", name),
      el("span" + (map.p < 0.01 ? ".clear" : ""), `${map.p < 0.01 ? say("clear") : say("unclear")}, ${pValue(map.p)}`),
    ),
    picture((w) => draw(w, (i) => (out.textContent = tell(i)))),
    out,
  );
}

function mapsCard() {
  if (!data.causes.length || !data.maps.length) return null;
  const params = data.params;
  const maps = data.maps.slice(0, allMaps ? undefined : MAPS_SHOWN);
  const pairs = data.pairs.filter((m, i) => m.p < 0.01 && i < 4);
  const more = el("button.chip", { onclick: () => ((allMaps = true), fillReport()) }, say("moreMaps"));
  return card(
    "maps",
    el("p.note", say("mapsNote")),
    el(
      "div.grid",
      ...maps.map((m) => {
        const p = params[m.a];
        return mapFigure(
          m,
          (w, pick) => drawMap(m, p, w, pick),
          p.name + (p.unit ? ` (${p.unit})` : ""),
          (i) =>
            `${range(p, m.edge_a, i)}: ${told(m.bins[i])}; ${say("meanScore")} ${figure(m.score[i][0])}`,
        );
      }),
    ),
    data.maps.length > maps.length && more,
    el("p.note", pairs.length ? say("pairsNote") : say("noPairs")),
    el(
      "div.grid.wide",
      ...pairs.map((m) => {
        const a = params[m.a],
          b = params[m.b],
          nb = m.edge_b.length - 1;
        return mapFigure(
          m,
          (w, pick) => drawPair(m, a, b, w, pick),
          `${b.name}${b.unit ? ` (${b.unit})` : ""} × ${a.name}`,
          (i) =>
            `${a.name} ${range(a, m.edge_a, Math.floor(i / nb))}, ${b.name} ${range(b, m.edge_b, i % nb)}: ${told(m.bins[i])}`,
        );
      }),
    ),
  );
}

function spreadRow(c) {
  const name = { score: say("score"), time: say("time") }[c.name] || c.name;
  const q = (k) => c.quantiles[k].value.est;
  return el(
    "figure",
    el("figcaption", el("b", name + (c.unit ? ` (${c.unit})` : "")), el("span", `${count(c.n)} ${say("values")}`)),
    c.histogram ? picture((w) => drawSpread(c, w)) : "",
    el(
      "p.pick",
      `${say("mean")} ${figure(c.mean.est)} (${interval(c.mean, figure)})`,
      el("br"),
      `${say("median")} ${figure(q(2))} (${interval(c.quantiles[2].value, figure)})`,
      el("br"),
      `5 %: ${figure(q(0))}, 25 %: ${figure(q(1))}, 75 %: ${figure(q(3))}, 95 %: ${figure(q(4))}`,
    ),
  );
}

function curvesCard() {
  return card(
    "curves",
    data.survival.length > 0 && el("h3", say("survival")),
    data.survival.length > 0 && picture((w) => drawSurvival(data.survival, w)),
    data.survival.length > 0 && el("p.note", say("survivalNote")),
    el("h3", say("spread")),
    el("div.grid", ...data.columns.map(spreadRow)),
  );
}

// ---- trials ----

async function unpackReplay(k) {
  const text = atob($("replay-" + k).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

function closePlayer() {
  $("player").hidden = true;
  $("player").replaceChildren();
  document.body.classList.remove("playing");
}

async function watch(k, name) {
  const html = await unpackReplay(k);
  const frame = el("iframe", { title: name, allow: "fullscreen" });
  frame.srcdoc = html;
  const away = () => {
    const url = URL.createObjectURL(new Blob([html], { type: "text/html" }));
    window.open(url, "_blank");
  };
  $("player").replaceChildren(
    el(
      "div.player-bar",
      el("b", name),
      el("button.chip", { onclick: away }, say("openTab")),
      el("button.chip", { onclick: closePlayer }, say("close")),
    ),
    frame,
  );
  $("player").hidden = false;
  document.body.classList.add("playing");
}

const kindName = (kind) => say({ median: "medianCase", rare: "rareCase" }[kind] || kind);

function paramList(c) {
  return el(
    "dl.params",
    ...data.params.flatMap((p, i) => {
      const x = c.param[i],
        u = p.hi > p.lo ? (x - p.lo) / (p.hi - p.lo) : 0.5;
      const where = el("span.place", el("i", { style: `left:${(100 * Math.min(Math.max(u, 0), 1)).toFixed(1)}%` }));
      return [el("dt", p.name), el("dd", p.choice ? "#" + x : figure(x) + unitOf(p), where)];
    }),
  );
}

function caseFigure(c, k) {
  const name = kindName(c.kind);
  const what = c.trial == null ? "" : `${say("trial_")} ${c.trial} · ${say("total_")} ${figure(c.total)} · ${figure(c.time)} s`;
  const action =
    c.embedded && window.DecompressionStream
      ? el("button.chip.go", { onclick: () => watch(k, name + (c.trial == null ? "" : " · " + c.trial)) }, "▶ " + say("watch"))
      : c.link
        ? el("a.chip.go", { href: "./" + encodeURI(c.link) }, "▶ " + say("openFile"))
        : el("span.none", say("noReplay"));
  return el(
    "figure.case",
    el(
      "figcaption",
      el("b", name),
      c.passed == null ? "" : el("span.verdict" + (c.passed ? ".passed" : ".failed"), c.passed ? say("passed") : c.cause || say("failed")),
    ),
    el("p.pick", what),
    c.param ? el("details", innerWidth > 600 && { open: "" }, el("summary", say("param")), paramList(c)) : "",
    c.command ? el("pre", el("code", c.command)) : "",
    el("div.actions", action),
  );
}

function casesCard() {
  const shown = data.cases.map((c, i) => caseFigure(c, i));
  // what the table names but nobody ran again
  for (const kind of ["nearest", "worst", "median", "best"])
    if (data.rows[kind] && !data.cases.some((c) => c.kind === kind))
      shown.push(caseFigure({ kind, ...data.rows[kind] }, -1));
  return shown.length ? card("cases", el("div.grid", ...shown)) : null;
}

function table(head, rows) {
  return el(
    "div.table",
    el(
      "table",
      el("thead", el("tr", ...head.map((h) => el("th", h)))),
      el("tbody", ...rows.map((r) => el("tr", ...r.map((c) => el("td", c))))),
    ),
  );
}

function secondCard() {
  const s = data.second;
  if (!s) return null;
  const a = s.agreement;
  const verdict = (ok, cause) => (ok ? say("passed") : `${say("failed")}${cause ? ": " + cause : ""}`);
  return card(
    "second",
    el("p", el("b", percent(a.est, 1)), ` (${shares(a, 1)}) ${say("secondText")} ${s.engine}: ${count(s.agree)} / ${count(s.trials)}`),
    ...(s.disagree.length
      ? [
          el("h3", `${say("disagree")} (${s.disagree.length})`),
          table(
            [say("trial_"), say("here"), say("there"), say("total_")],
            s.disagree.map((d) => [
              String(d.trial),
              verdict(d.passed, d.cause),
              verdict(d.second_passed, d.second_cause),
              `${figure(d.total)} / ${figure(d.second_total)}`,
            ]),
          ),
        ]
      : [el("p.note", say("agreeAll"))]),
  );
}

function compareCard() {
  const c = data.compare;
  if (!c) return null;
  const points = (i) => `${(100 * i.est).toFixed(1)} (${(100 * i.lo).toFixed(1)} – ${(100 * i.hi).toFixed(1)}) %`;
  return card(
    "compare",
    el("p", said(c)),
    table(
      [say("both"), say("onlyA"), say("onlyB"), say("neither")],
      [[c.both, c.only_a, c.only_b, c.neither].map(count)],
    ),
    el("p.note", `${say("diffSuccess")}: ${points(c.success)} · ${say("diffScore")}: ${figure(c.total.est)} (${interval(c.total, figure)})`),
    el("p.note", say("paired")),
  );
}

function rareCard() {
  return data.rare ? card("rare", el("p", said(data.rare))) : null;
}

function runCard() {
  const r = data.run;
  const rows = [];
  const add = (name, value) => value && rows.push(el("dt", name), el("dd", value));
  add(say("scenario"), r.scenario);
  add(say("robot"), r.robot);
  add(say("brain"), r.brain);
  add(say("engine"), r.engine);
  add(say("sampling"), r.sampling);
  add(say("seedNo"), r.seed);
  add(say("build"), r.build);
  for (const [k, v] of Object.entries(r.hashes)) add(k, el("code", v));
  return card(
    "run",
    r.command ? el("pre", el("code", r.command)) : "",
    el("dl.about", ...rows),
    el("h3", say("verifyIt")),
    el("p", say("verifyText")),
    r.verify ? el("pre", el("code", r.verify)) : "",
    el("h3", say("readIt")),
    el("ul.read", ...["read1", "read2", "read3", "read4"].map((k) => el("li", say(k)))),
  );
}

function fillReport() {
  document.documentElement.lang = language;
  const r = data.run;
  $("h-job").textContent = (language === "zh" && r.title_zh) || r.title || r.scenario || "";
  $("h-who").textContent = [r.scenario, r.robot, r.brain, r.engine].filter(Boolean).join(" · ");
  $("b-lang").textContent = say("other");
  $("b-theme").textContent = "◐";
  $("b-theme").title = say("theme");
  $("b-print").textContent = say("print");
  const cards = [verdictCard(), whyCard(), mapsCard(), curvesCard(), casesCard(), compareCard(), rareCard(), secondCard(), runCard()];
  const shown = cards.filter(Boolean);
  $("main").replaceChildren(...shown);
  $("toc").replaceChildren(...shown.map((c) => el("a", { href: "#" + c.id }, say(c.id))));
  document.querySelectorAll(".picture").forEach((box) => box.fit()); // at once, not a frame later
}

const setTheme = (name) => (document.documentElement.dataset.theme = name);
setTheme(asked.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
$("b-lang").onclick = () => ((language = language === "zh" ? "en" : "zh"), fillReport());
$("b-theme").onclick = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
$("b-print").onclick = () => print();
addEventListener("keydown", (e) => e.key === "Escape" && closePlayer());
// on paper: everything, in light
let screenTheme = null;
addEventListener("beforeprint", () => ((screenTheme = document.documentElement.dataset.theme), setTheme("light")));
addEventListener("afterprint", () => setTheme(screenTheme || "light"));
fillReport();
