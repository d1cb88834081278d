// SPDX-License-Identifier: Apache-2.0
// main.js - puts the page together.

const TABS = ["score", "plots", "events", "about"];
let record,
  scene,
  timeline,
  plots,
  tab = TABS.includes(asked.get("tab")) ? asked.get("tab") : "score";

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  if (scene) scene.theme(name === "dark");
  if (plots) plots.fill();
}

function setTab(name) {
  tab = name;
  for (const n of TABS) $("panel-" + n).classList.toggle("open", n === tab);
  for (const b of $("tabs").children) b.setAttribute("aria-selected", b.dataset.tab === tab);
  plots.draw();
}

function fillAll() {
  document.documentElement.lang = language;
  fillHeader(record);
  $("tabs").replaceChildren(
    ...TABS.map((n) =>
      el("button", { role: "tab", "data-tab": n, onclick: () => setTab(n) }, say(n)),
    ),
  );
  for (const [id, option] of [
    ["b-follow", "follow"],
    ["b-force", "force"],
    ["b-path", "path"],
  ]) {
    $(id).textContent = say(option);
    $(id).onclick = () => toggle(id, option);
    $(id).setAttribute("aria-pressed", scene ? scene.options[option] : false);
    $(id).hidden = !scene || (option === "path" && !scene.pathLine);
  }
  $("b-home").textContent = say("home");
  $("b-home").hidden = !scene;
  $("b-home").onclick = () => scene.look();
  fillScore(record, $("panel-score"));
  fillEvents(record, $("panel-events"), (t) => timeline.goTo(t));
  fillAbout(record, $("panel-about"));
  plots.fill();
  timeline.fill();
  setTab(tab);
  timeline.draw();
}

function toggle(id, option) {
  if (!scene) return;
  scene.set(option, !scene.options[option]);
  $(id).setAttribute("aria-pressed", scene.options[option]);
}

function setLanguage(name) {
  language = name;
  fillAll();
}

const otherTheme = () =>
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
const otherLanguage = () => setLanguage(language === "zh" ? "en" : "zh");

function onKey(e) {
  if (e.target.tagName === "SELECT" || e.ctrlKey || e.metaKey || e.altKey) return;
  const second = (by) => timeline.goTo(timeline.t + by);
  const does = {
    " ": () => timeline.play(!timeline.playing),
    ArrowLeft: () => (e.shiftKey ? second(-1) : timeline.step(-1)),
    ArrowRight: () => (e.shiftKey ? second(1) : timeline.step(1)),
    Home: () => timeline.goTo(record.start),
    End: () => timeline.goTo(record.end),
    "[": () => timeline.faster(-1),
    "]": () => timeline.faster(1),
    f: () => toggle("b-follow", "follow"),
    c: () => toggle("b-force", "force"),
    p: () => toggle("b-path", "path"),
    l: otherLanguage,
    t: otherTheme,
  }[e.key.length === 1 ? e.key.toLowerCase() : e.key];
  if (!does || (e.key === " " && e.target.tagName === "BUTTON")) return;
  e.preventDefault();
  does();
}

async function start() {
  $("load").textContent = say("loading");
  setTheme(
    asked.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
  );
  if (!window.DecompressionStream) return ($("load").textContent = say("old"));
  record = await loadRecord();
  $("load").textContent = "";
  try {
    scene = new Scene(record, $("view"));
  } catch (e) {
    console.error(e);
    $("load").textContent = say("noGl");
  }
  timeline = new Timeline(record, (t) => {
    plots.at(t);
    markEvents(record, $("panel-events"), t);
  });
  plots = new Plots(record, $("panel-plots"), (t) => timeline.goTo(t));
  setTheme(document.documentElement.dataset.theme);
  $("b-lang").onclick = otherLanguage;
  $("b-theme").onclick = otherTheme;
  addEventListener("keydown", onKey);
  fillAll();
  timeline.goTo(asked.has("t") ? +asked.get("t") : record.start);
  if (scene) scene.draw(timeline.t);
  let before = performance.now();
  const frame = (now) => {
    timeline.pass(Math.min((now - before) / 1000, 0.25));
    before = now;
    if (scene) scene.draw(timeline.t);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

start().catch((e) => {
  console.error(e);
  $("load").textContent = String(e);
});
