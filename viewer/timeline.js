// SPDX-License-Identifier: Apache-2.0
// timeline.js - the clock of the page: play, scrub, speed, events on the rail.

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10];
const ICON = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M6 4.5h4v15H6zm8 0h4v15h-4z",
  back: "M17 5v14l-9-7zM6 5h2v14H6z",
  next: "M7 5v14l9-7zm9 0h2v14h-2z",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
};
const icon = (name) => {
  const s = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  s.setAttribute("viewBox", "0 0 24 24");
  s.innerHTML = `<path d="${ICON[name]}"/>`;
  return s;
};

class Timeline {
  constructor(record, show) {
    this.record = record;
    this.show = show; // called with every new time
    this.t = record.start;
    this.speed = 1;
    this.playing = false;
    $("b-play").onclick = () => this.play(!this.playing);
    $("b-back").onclick = () => this.step(-1);
    $("b-next").onclick = () => this.step(1);
    $("speed").append(...SPEEDS.map((s) => el("option", { value: s }, s + "×")));
    $("speed").value = 1;
    $("speed").onchange = () => (this.speed = +$("speed").value);
    this.listen($("track"));
    this.fill();
  }

  // Words and ticks; again after a change of language.
  fill() {
    for (const [id, name] of [
      ["b-back", "back"],
      ["b-next", "next"],
    ]) {
      $(id).replaceChildren(icon(name));
      (($(id).title = say(name)), $(id).setAttribute("aria-label", say(name)));
    }
    $("l-speed").textContent = say("speed");
    $("speed").setAttribute("aria-label", say("speed"));
    $("track").setAttribute("aria-label", say("time"));
    $("ticks").replaceChildren(
      ...this.record.events.map((e) => {
        const b = el("b", {
          title: `${e.t.toFixed(2)} s  ${e.name}  ${e.text}`,
          style: `left:${100 * this.part(e.t)}%`,
        });
        b.onpointerdown = (ev) => (ev.stopPropagation(), this.goTo(e.t));
        return b;
      }),
    );
    this.face();
  }

  face() {
    const name = this.playing ? "pause" : "play";
    $("b-play").replaceChildren(icon(name));
    (($("b-play").title = say(name)), $("b-play").setAttribute("aria-label", say(name)));
  }

  part(t) {
    const { start, end } = this.record;
    return (t - start) / (end - start);
  }

  listen(track) {
    const go = (e) => {
      const r = track.getBoundingClientRect(),
        { start, end } = this.record;
      this.goTo(start + Math.min(Math.max((e.clientX - r.left) / r.width, 0), 1) * (end - start));
    };
    track.onpointerdown = (e) => (track.setPointerCapture(e.pointerId), go(e));
    track.onpointermove = (e) => track.hasPointerCapture(e.pointerId) && go(e);
  }

  play(on) {
    this.playing = on;
    if (on && this.t >= this.record.end) this.t = this.record.start;
    this.face();
  }

  faster(by) {
    const i = Math.min(Math.max(SPEEDS.indexOf(this.speed) + by, 0), SPEEDS.length - 1);
    this.speed = SPEEDS[i];
    $("speed").value = this.speed;
  }

  step(by) {
    // frames of the record
    const ft = this.record.frame_t,
      i = indexAt(ft, this.t + 1e-6) + by;
    this.play(false);
    if (ft.length) this.goTo(ft[Math.min(Math.max(i, 0), ft.length - 1)]);
  }

  goTo(t) {
    this.t = Math.min(Math.max(t, this.record.start), this.record.end);
    this.draw();
  }

  // Passes seconds of real time.
  pass(seconds) {
    if (!this.playing) return;
    this.t += seconds * this.speed;
    if (this.t >= this.record.end) ((this.t = this.record.end), this.play(false));
    this.draw();
  }

  draw() {
    const at = 100 * this.part(this.t) + "%";
    $("track").querySelector(".done").style.width = at;
    $("track").querySelector(".knob").style.left = at;
    $("track").setAttribute("aria-valuenow", this.t.toFixed(2));
    $("clock").replaceChildren(
      this.t.toFixed(2),
      el("small", ` / ${this.record.end.toFixed(2)} s`),
    );
    this.show(this.t);
  }
}
