// One channel to look at: its latest values and its charts.

import { make } from "./dom.js";
import { groups } from "./grouping.js";

const SHOWN = 48; // signals shown at first: a channel may have thousands

export class Card {
  constructor(name) {
    this.name = name;
    this.told = ""; // the signals as laid out
    this.isWhole = false;
    this.values = make("dl", { class: "values" });
    this.charts = make("div", { class: "charts" });
    this.more = make("button", { type: "button", hidden: "", onclick: () => this.showAll() });
    this.time = make("span", { class: "data", title: "time of the newest record, UTC" });
    const title = make("div", { class: "title" }, make("h2", {}, name), this.time);
    this.element = make(
      "section",
      { class: "panel channel", id: `channel-${name}`, "aria-label": `Channel ${name}` },
      title,
      this.values,
      this.charts,
      this.more,
    );
  }

  // Lay out the signals that the live server tells; nothing is touched while they stay the same.
  update(signals, windowS) {
    const told = JSON.stringify(signals.map(({ name, unit, type, role }) => [name, unit, type, role]));
    if (told === this.told && windowS === this.windowS) return;
    const isSame = told === this.told;
    this.told = told;
    this.windowS = windowS;
    this.signals = signals;
    if (isSame) this.charts.querySelectorAll("canvas.stripchart").forEach((canvas) => (canvas.dataset.window = windowS));
    else this.layOut();
  }

  layOut() {
    const shown = this.isWhole ? this.signals : this.signals.slice(0, SHOWN);
    const time = this.signals.find((signal) => signal.role === "time");
    if (time) this.time.dataset.signal = time.name;
    const names = new Set(this.signals.map((signal) => signal.name));
    const valued = shown.filter((signal) => signal !== time && !names.has(`${signal.name}[0]`));
    this.values.replaceChildren(...valued.map((signal) => this.value(signal)));
    this.charts.replaceChildren(...groups(shown).map((group) => this.chart(group)));
    this.more.hidden = shown.length === this.signals.length;
    this.more.textContent = `Show all ${this.signals.length} signals`;
  }

  showAll() {
    this.isWhole = true;
    this.layOut();
  }

  value(signal) {
    const path = signal.name.slice(this.name.length + 1);
    const shown = make("dd", { class: "data", "data-signal": signal.name }, "–");
    return make("div", { title: [path, signal.type, signal.unit].filter(Boolean).join(", ") }, make("dt", {}, path), shown);
  }

  chart(group) {
    return make("canvas", {
      class: "stripchart",
      "data-signals": group.map((signal) => signal.name).join(","),
      "data-window": this.windowS,
      "data-height": "220",
      "data-theme": "auto",
    });
  }
}
