// SPDX-License-Identifier: Apache-2.0
// text.js - every word of the page, in English and Chinese.

const words = {
  en: {
    other: "中文",
    theme: "Dark or light",
    passed: "Passed",
    failed: "Failed",
    running: "Unfinished",
    interrupted: "Interrupted",
    score: "Score",
    plots: "Signals",
    events: "Events",
    about: "About",
    follow: "Follow",
    force: "Contact forces",
    path: "Path",
    home: "Reset view",
    play: "Play",
    pause: "Pause",
    back: "One frame back",
    next: "One frame on",
    speed: "Speed",
    seed: "seed",
    total: "score of 1",
    completion: "Completion",
    time: "Time",
    measures: "Measures",
    completionKind: "What was to be done",
    penaltyKind: "Penalties",
    envelopeKind: "Limits",
    limit: "limit",
    weight: "weight",
    factor: "factor",
    add: "Add a signal …",
    reset: "Whole time",
    remove: "Remove",
    grid: "values each: in the record only",
    noScore: "This record has no score.",
    noEvents: "Nothing was noted during this trial.",
    noSignals: "This record has no signals.",
    again: "Run it again",
    other_tools: "Other tools",
    keys: "Keys",
    trial: "Trial",
    tools_text:
      "The record beside this page is an MCAP file: Foxglove, Rerun and ROS 2 tools open it.",
    cut: "The record was interrupted; this is what was written: ",
    scenario: "Scenario",
    robot: "Robot",
    brain: "Brain",
    engine: "Engine",
    trialNo: "Trial",
    seedNo: "Seed",
    build: "Build",
    trace: "Trace hash",
    world_hash: "World hash",
    robot_hash: "Robot hash",
    scenario_hash: "Scenario hash",
    brain_hash: "Brain hash",
    thinned: "Shown here: one sample in ",
    k_play: "play, pause",
    k_step: "one frame; with Shift one second",
    k_ends: "begin, end",
    k_speed: "slower, faster",
    k_view: "follow, forces, path",
    k_look: "language, theme",
    old: "This browser is too old for this page: it needs DecompressionStream (2023 or later).",
    noGl: "No 3D here: this browser has no WebGL. Signals, events and score work.",
    loading: "Opening the record …",
    zoomHint: "Wheel or pinch zooms, click or drag moves the time.",
  },
  zh: {
    other: "English",
    theme: "深色或浅色",
    passed: "通过",
    failed: "未通过",
    running: "未结束",
    interrupted: "中断",
    score: "得分",
    plots: "信号",
    events: "事件",
    about: "说明",
    follow: "跟随",
    force: "接触力",
    path: "路径",
    home: "复位视角",
    play: "播放",
    pause: "暂停",
    back: "后退一帧",
    next: "前进一帧",
    speed: "速度",
    seed: "种子",
    total: "满分 1",
    completion: "完成度",
    time: "用时",
    measures: "指标",
    completionKind: "任务完成",
    penaltyKind: "扣分",
    envelopeKind: "限制",
    limit: "限值",
    weight: "权重",
    factor: "系数",
    add: "添加信号 …",
    reset: "全程",
    remove: "移除",
    grid: "个数值：仅在记录中",
    noScore: "此记录没有得分。",
    noEvents: "本次试验没有事件。",
    noSignals: "此记录没有信号。",
    again: "重新运行",
    other_tools: "其他工具",
    keys: "按键",
    trial: "试验",
    tools_text: "本页旁边的记录是 MCAP 文件，可用 Foxglove、Rerun 和 ROS 2 工具打开。",
    cut: "记录被中断，以下是已写入的内容：",
    scenario: "场景",
    robot: "机器人",
    brain: "大脑",
    engine: "引擎",
    trialNo: "试验号",
    seedNo: "种子",
    build: "版本",
    trace: "轨迹哈希",
    world_hash: "世界哈希",
    robot_hash: "机器人哈希",
    scenario_hash: "场景哈希",
    brain_hash: "大脑哈希",
    thinned: "此处显示的抽样：每隔 ",
    k_play: "播放、暂停",
    k_step: "一帧；加 Shift 为一秒",
    k_ends: "开头、结尾",
    k_speed: "减速、加速",
    k_view: "跟随、接触力、路径",
    k_look: "语言、主题",
    old: "浏览器过旧：本页需要 DecompressionStream（2023 年或更新）。",
    noGl: "此浏览器没有 WebGL，无法显示三维；信号、事件和得分可用。",
    loading: "正在打开记录 …",
    zoomHint: "滚轮或双指缩放，点击或拖动改变时间。",
  },
};

const asked = new URLSearchParams(location.hash.slice(1)); // #t=12.5&tab=plots&lang=zh&theme=dark
let language = asked.get("lang") || ((navigator.language || "en").startsWith("zh") ? "zh" : "en");
const say = (key) => (words[language] || words.en)[key] || words.en[key] || key;

const $ = (id) => document.getElementById(id);
// el("p.note", "text") or el("div", {title: "x"}, child, ...)
function el(tag, ...parts) {
  const [name, ...classes] = tag.split(".");
  const e = document.createElement(name);
  if (classes.length) e.className = classes.join(" ");
  for (const p of parts) {
    if (p == null || p === false) continue;
    if (typeof p === "object" && !(p instanceof Node)) {
      for (const [k, v] of Object.entries(p)) {
        if (k.startsWith("on")) e[k] = v;
        else e.setAttribute(k, v);
      }
    } else e.append(p);
  }
  return e;
}

// A number for people: four figures, no exponent where it can be helped.
function figure(x) {
  if (x == null || !isFinite(x)) return "–";
  const a = Math.abs(x);
  if (a !== 0 && (a < 1e-3 || a >= 1e6)) return x.toExponential(2);
  return String(+x.toPrecision(a >= 1000 ? 6 : 4));
}
