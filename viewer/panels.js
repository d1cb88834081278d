// SPDX-License-Identifier: Apache-2.0
// panels.js - score, events and what the trial was.

function verdictOf(record) {
  const v = (record.score && record.score.verdict) || record.result.verdict;
  if (v === "passed" || v === "failed") return v;
  return record.complete ? "running" : "interrupted";
}

function fillHeader(record) {
  const { trial } = record,
    v = verdictOf(record);
  $("h-job").textContent = (trial.scenario || "–").replace(/_/g, " ");
  $("h-who").textContent = [
    trial.robot_title || trial.robot,
    trial.brain,
    trial.seed && `${say("seed")} ${trial.seed}`,
  ]
    .filter(Boolean)
    .join(" · ");
  $("h-verdict").textContent = say(v);
  $("h-verdict").className = "verdict " + (v === "passed" || v === "failed" ? v : "open");
  $("b-lang").textContent = say("other");
  $("b-theme").replaceChildren(icon("moon"));
  (($("b-theme").title = say("theme")), $("b-theme").setAttribute("aria-label", say("theme")));
}

// One measure: its value against its limit, as a bar where there is a limit.
function measureRow(m) {
  const value = el("span", figure(m.value) + " ", el("small", m.unit === "1" ? "" : m.unit));
  const notes = [];
  if (m.limit != null) notes.push(`${say("limit")} ${figure(m.limit)}`);
  if (m.weight != null)
    notes.push(`${say(m.kind === "penalty" ? "factor" : "weight")} ${figure(m.weight)}`);
  const row = el(
    "div.measure" + (m.broken ? ".broken" : ""),
    el(
      "p",
      el(
        "span",
        m.name.replace(/_/g, " "),
        notes.length ? el("small", "  " + notes.join(", ")) : "",
      ),
      value,
    ),
  );
  const part = m.kind === "completion" ? m.value : m.limit ? m.value / m.limit : null;
  if (part != null && isFinite(part))
    row.append(el("div.bar", el("i", { style: `width:${100 * Math.min(Math.max(part, 0), 1)}%` })));
  return row;
}

function fillScore(record, box) {
  const s = record.score,
    parts = [];
  if (!record.complete) parts.push(el("p.why", say("cut") + record.note));
  if (!s) return box.replaceChildren(...parts, el("p.empty", say("noScore")));
  parts.push(el("div.total", el("strong", s.total.toFixed(3)), el("span", say("total"))));
  if (s.reason) parts.push(el("p.why", s.reason));
  parts.push(
    el(
      "dl.facts",
      el("div", el("dt", say("completion")), el("dd", (100 * s.completion).toFixed(1) + " %")),
      el("div", el("dt", say("time")), el("dd", s.time.toFixed(2) + " s")),
    ),
  );
  for (const kind of ["completion", "penalty", "envelope"]) {
    const of = s.measures.filter((m) => m.kind === kind);
    if (of.length) parts.push(el("h2", say(kind + "Kind")), el("div", ...of.map(measureRow)));
  }
  box.replaceChildren(...parts);
}

function fillEvents(record, box, goTo) {
  if (!record.events.length) return box.replaceChildren(el("p.empty", say("noEvents")));
  box.replaceChildren(
    el(
      "ul.events",
      ...record.events.map((e) =>
        el(
          "li",
          el(
            "button",
            { onclick: () => goTo(e.t) },
            el("time", e.t.toFixed(2) + " s"),
            el("span", e.name.replace(/_/g, " "), e.text ? el("small", e.text) : ""),
          ),
        ),
      ),
    ),
  );
}

// Marks the events before t, and the last of them.
function markEvents(record, box, t) {
  let last = -1;
  record.events.forEach((e, i) => e.t <= t + 1e-6 && (last = i));
  [...box.querySelectorAll("button")].forEach(
    (b, i) => (b.className = i === last ? "here" : i < last ? "past" : "next"),
  );
  const e = record.events[last],
    shown = e && t - e.t < 2.5;
  $("now").textContent = shown ? e.name.replace(/_/g, " ") + (e.text ? " – " + e.text : "") : "";
}

function fillAbout(record, box) {
  const { trial, result } = record,
    rows = [];
  const row = (name, value, code) =>
    value && rows.push(el("dt", say(name)), el("dd", code ? el("code", value) : value));
  (row("scenario", trial.scenario), row("robot", trial.robot), row("brain", trial.brain));
  (row("engine", trial.engine),
    row("seedNo", trial.seed),
    row("trialNo", trial.trial),
    row("build", trial.build));
  row("trace", result.trace, true);
  for (const h of ["world_hash", "robot_hash", "scenario_hash", "brain_hash"])
    row(h, trial[h], true);
  const command = `qiao run ${trial.scenario} --robot ${trial.robot} --brain ${trial.brain} --seed ${trial.seed}`;
  const keys = [
    ["Space", "k_play"],
    ["← →", "k_step"],
    ["Home End", "k_ends"],
    ["[ ]", "k_speed"],
    ["F C P", "k_view"],
    ["L T", "k_look"],
  ];
  box.replaceChildren(
    el("h2", say("trial")),
    el("dl.about", ...rows),
    trial.scenario ? el("h2", say("again")) : "",
    trial.scenario ? el("pre", el("code", command)) : "",
    el("h2", say("other_tools")),
    el("p", say("tools_text")),
    el("h2", say("keys")),
    el(
      "div.keys",
      ...keys.flatMap(([k, w]) => [
        el("span", ...k.split(" ").flatMap((x) => [el("kbd", x), " "])),
        el("span", say(w)),
      ]),
    ),
  );
}
