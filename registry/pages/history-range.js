// The row over the charts: fields from and to, buttons for the last hour and so on, and for moving.

import { fieldText, parseDuration, parseTime } from "/static/stripchart/past/time.js";

const PAN = 0.5;
const ZOOM = 2;
const DATE = 10; // characters of a time
const NO_TIME = "Wanted is a time, such as 2026-01-31 12:00:00.";

export class RangeForm {
  constructor(source) {
    this.source = source;
    this.view = source.view;
    this.from = document.getElementById("from");
    this.to = document.getElementById("to");
    this.texts = new Map(); // what the fields were given
    this.written = new Map(); // and how they have it
    for (const field of [this.from, this.to]) {
      field.addEventListener("change", () => this.apply());
      this.dayOf(field).addEventListener("change", () => this.applyDay(field));
    }
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

  dayOf(field) {
    return field.closest(".moment").querySelector(".day");
  }

  // Another day, the clock as it is.
  applyDay(field) {
    const { value } = this.dayOf(field);
    if (value) field.value = value + field.value.slice(DATE);
    this.apply();
  }

  // A field that was not touched stands for its time to the nanosecond.
  apply() {
    const { view, source } = this;
    const read = (field, time) => (field.value === this.written.get(field) ? time : parseTime(field.value, source.zone));
    const [start, end] = [read(this.from, view.start), read(this.to, view.end)];
    const isLate = start !== null && end !== null && start >= end;
    this.from.setCustomValidity(start === null ? NO_TIME : "");
    this.to.setCustomValidity(end === null ? NO_TIME : isLate ? "This is not after the start." : "");
    if (this.from.reportValidity() && this.to.reportValidity()) view.show(start, end, "jump");
  }

  update() {
    const { view, source } = this;
    for (const [field, time] of [[this.from, view.start], [this.to, view.end]]) {
      const text = fieldText(time, source.zone);
      if (document.activeElement === field && field.value !== this.written.get(field)) continue; // it is being typed
      if (text !== this.texts.get(field)) {
        field.value = text;
        field.setCustomValidity("");
        this.dayOf(field).value = text.slice(0, DATE);
      }
      this.texts.set(field, text);
      this.written.set(field, field.value);
    }
    const [first, limit] = view.whole;
    const isAtEnd = view.follows || view.end >= limit;
    const isAll = view.isWhole || (view.start === first && view.end === limit);
    let isSpan = false;
    for (const button of this.spans) {
      const isShown = !isAll && isAtEnd && view.length === parseDuration(button.dataset.last);
      isSpan ||= isShown;
      button.setAttribute("aria-pressed", String(isShown));
    }
    this.all.setAttribute("aria-pressed", String(isAll || (!isSpan && view.start <= first && isAtEnd)));
  }
}
