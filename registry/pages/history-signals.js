// Choosing signals: a list of all there are, by channel, that is searched.

import { make, setText } from "./dom.js";
import { countText } from "/static/stripchart/past/words.js";

const SHOWN = 400; // signals in the list at once: there may be tens of thousands
const MOST = 24; // signals chosen at once

export class SignalPicker {
  // `onChoose` is called with the names chosen.
  constructor(root, onChoose) {
    this.root = root;
    this.onChoose = onChoose;
    this.search = root.querySelector("input[type=search]");
    this.list = root.querySelector(".signalList");
    this.count = root.querySelector("[role=status]");
    this.signals = [];
    this.chosen = new Set();
    this.search.addEventListener("input", () => this.fill());
    this.list.addEventListener("change", (event) => this.handle(event));
    root.querySelector(".none").addEventListener("click", () => this.choose([]));
  }

  update(signals, chosen) {
    const told = signals.map((signal) => signal.name).join();
    this.chosen = new Set(chosen);
    this.signals = signals;
    if (told === this.told) this.check();
    else this.fill();
    this.told = told;
  }

  // Words that all occur in a name, whatever comes between.
  get found() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return this.signals.filter((signal) => words.every((word) => `${signal.name} ${signal.unit}`.toLowerCase().includes(word)));
  }

  fill() {
    const { found } = this;
    const byChannel = Map.groupBy(found.slice(0, SHOWN), (signal) => signal.channel);
    const parts = [...byChannel].map(([channel, signals]) =>
      make("fieldset", {}, make("legend", {}, channel), ...signals.map((signal) => this.option(signal))),
    );
    this.list.replaceChildren(...parts);
    this.tell(found.length);
  }

  option(signal) {
    const box = make("input", { type: "checkbox", value: signal.name });
    box.checked = this.chosen.has(signal.name);
    const unit = make("span", { class: "unit" }, signal.unit || "");
    return make("label", { title: signal.name }, box, make("span", { class: "name" }, signal.path), unit);
  }

  tell(found) {
    const more = found > SHOWN ? `, the first ${SHOWN} shown` : "";
    setText(this.count, found ? `${countText(found, "signal")}${more}` : "No signal is called so.");
  }

  check() {
    for (const box of this.list.querySelectorAll("input")) box.checked = this.chosen.has(box.value);
  }

  handle(event) {
    const { value, checked } = event.target;
    const names = [...this.chosen].filter((name) => name !== value);
    if (checked && names.length >= MOST) {
      event.target.checked = false;
      setText(this.count, `${MOST} signals are shown at most.`);
      return;
    }
    this.choose(checked ? [...names, value] : names);
  }

  choose(names) {
    this.chosen = new Set(names);
    this.check();
    this.onChoose(names);
  }
}
