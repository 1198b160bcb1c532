// The dialog that exports a range that is chosen in it: the last minutes, or from a time to another.

import { fieldText, isoText, now, parseDuration, parseTime } from "/static/stripchart/past/time.js";

import { make } from "./dom.js";
import { Exporter } from "./history-export.js";

const OWN = "own";
const LENGTH = "PT1H"; // of an own range, as it is proposed

export class RangeExport extends Exporter {
  constructor(dialog, source) {
    super(dialog, source);
    this.form.elements.span.addEventListener("change", () => this.chosen());
  }

  // Export of one channel, or of all of `names` where none is meant.
  open(names, name = null) {
    const { about, span, from, to } = this.form.elements;
    this.names = names;
    const options = names.map((one) => make("option", { value: one }, one));
    about.replaceChildren(make("option", { value: "" }, `all ${names.length} channels`), ...options);
    about.value = name ?? "";
    [from.value, to.value] = [now() - parseDuration(LENGTH), now()].map((time) => fieldText(time, "local").slice(0, 19));
    this.chosen();
    this.show();
    span.focus();
  }

  chosen() {
    const { span, from, to } = this.form.elements;
    for (const field of [from, to]) {
      field.disabled = span.value !== OWN;
      field.parentElement.hidden = span.value !== OWN;
    }
  }

  // [start, end] of an own range.
  get range() {
    const { from, to } = this.form.elements;
    const [start, end] = [from, to].map((field) => parseTime(field.value, "local"));
    if (start === null) throw new Error("The beginning is not a time, such as 2026-01-31 12:00:00.");
    if (end === null) throw new Error("The end is not a time, such as 2026-01-31 12:00:00.");
    if (end <= start) throw new Error("The end is not after the beginning.");
    return [start, end];
  }

  get length() {
    const { span } = this.form.elements;
    if (span.value !== OWN) return parseDuration(span.value);
    const [start, end] = this.range;
    return end - start;
  }

  get params() {
    const { about, format, span } = this.form.elements;
    const channels = about.value || this.names.join(",");
    if (span.value !== OWN) return { duration: span.value, channels, format: format.value };
    const [start, end] = this.range;
    return { start: isoText(start), end: isoText(end), channels, format: format.value };
  }
}
