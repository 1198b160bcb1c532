// The row over the charts: fields from and to, buttons for the last hour and so on, and for moving.

import { fieldText, parseDuration, parseTime } from "./history-time.js";

const PAN = 0.5;
const ZOOM = 2;

export class RangeForm {
  constructor(source) {
    this.source = source;
    this.view = source.view;
    this.from = document.getElementById("from");
    this.to = document.getElementById("to");
    this.texts = new Map(); // what the fields were given
    this.written = new Map(); // and how they have it
    for (const field of [this.from, this.to]) field.addEventListener("change", () => this.apply());
    document.getElementById("rangeForm").addEventListener("submit", (event) => {
      event.preventDefault();
      this.apply();
    });
    this.spans = [...document.querySelectorAll("[data-last]")];
    for (const button of this.spans) button.addEventListener("click", () => this.view.showLast(parseDuration(button.dataset.last)));
    this.all = document.getElementById("all");
    this.all.addEventListener("click", () => this.view.showAll());
    const moves = {
      back: () => this.view.pan(-PAN),
      on: () => this.view.pan(PAN),
      in: () => this.view.zoom(1 / ZOOM),
      out: () => this.view.zoom(ZOOM),
    };
    for (const button of document.querySelectorAll("[data-move]")) button.addEventListener("click", moves[button.dataset.move]);
  }

  // A field that was not touched stands for its time to the nanosecond.
  apply() {
    const { view, source } = this;
    const read = (field, time) => (field.value === this.written.get(field) ? time : parseTime(field.value, source.zone));
    const [start, end] = [read(this.from, view.start), read(this.to, view.end)];
    const isRight = start !== null && end !== null && start < end;
    this.to.setCustomValidity(start !== null && end !== null && !isRight ? "This is not after the start." : "");
    if (isRight) view.show(start, end, "jump");
    else this.to.reportValidity();
  }

  update() {
    const { view, source } = this;
    for (const [field, time] of [[this.from, view.start], [this.to, view.end]]) {
      const text = fieldText(time, source.zone);
      if (document.activeElement === field && field.value !== this.written.get(field)) continue; // it is being typed
      if (text !== this.texts.get(field)) field.value = text;
      this.texts.set(field, text);
      this.written.set(field, field.value);
    }
    const [first, limit] = view.whole;
    const isAtEnd = view.follows || view.end >= limit;
    for (const button of this.spans) {
      const isShown = isAtEnd && view.length === parseDuration(button.dataset.last);
      button.setAttribute("aria-pressed", String(isShown));
    }
    this.all.setAttribute("aria-pressed", String(view.start <= first && isAtEnd));
  }
}
