// What a chart is called for who cannot see it: what it shows, how it does, and its values in words.

import { valueText } from "./format.js";
import { extremesOf } from "./shown.js";

const VALUES_MS = 5000; // between two tellings of values: who listens is not to be talked to all the time

export class Label {
  constructor(chart) {
    this.chart = chart;
    chart.canvas.setAttribute("role", "img");
    this.head = "";
    this.values = "";
    this.toldAt = -Infinity;
  }

  // `words` tell what is wrong; "" where all is well.
  update(words, localMs) {
    const { chart } = this;
    const { painter, settings, canvas } = chart;
    const names = chart.signals.map((signal) => signal.name).join(", ") || canvas.dataset.signals || "no signals";
    const own = (!chart.error && painter?.describe?.()) || "";
    const state = [this.paused, words].filter(Boolean).join(", ") || chart.state;
    const head = `${own || `${settings.title || names}: last ${settings.window ?? 0} s`}, ${state}`;
    if (head !== this.head || localMs - this.toldAt >= VALUES_MS) {
      this.head = head;
      this.toldAt = localMs;
      this.values = chart.error || (own && !chart.view) ? "" : this.valuesText();
    }
    const label = this.head + this.values;
    if (canvas.ariaLabel !== label) canvas.ariaLabel = label;
  }

  get paused() {
    const { view, painter } = this.chart;
    if (view) return ["paused", view.trouble].filter(Boolean).join(", ");
    return painter?.isHeld ? "paused" : "";
  }

  valuesText() {
    const { signals } = this.chart;
    const told = signals.map((signal) => [signal.name, this.partsOf(signal).join(", ")]).filter(([, parts]) => parts);
    return told.map(([name, parts]) => `, ${signals.length > 1 ? `${name} ` : ""}${parts}`).join("");
  }

  // "now 3.310 V, min 3.298 V, max 3.322 V" of a signal, as far as it has them.
  partsOf(signal) {
    const { chart } = this;
    const { value, symbols, unit, isWhole } = signal;
    const text = (one) => (symbols ? (symbols[one] ?? "") : Number.isFinite(one) ? valueText(one, unit, isWhole) : "");
    const newest = signal.isNumber ? text(value) : (signal.text ?? "");
    const parts = newest && !chart.view ? [`${chart.state === "live" ? "now" : "newest"} ${newest}`] : [];
    if (!signal.isNumber || symbols || !chart.picture.area || !chart.painter?.range) return parts;
    const extent = [Infinity, -Infinity];
    extremesOf(chart, signal, ...chart.painter.range, extent);
    return extent[0] <= extent[1] ? [...parts, `min ${text(extent[0])}`, `max ${text(extent[1])}`] : parts;
  }
}
