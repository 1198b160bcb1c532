// Two places on a chart, and what is between them: time, frequency, and for each signal difference, slope and mean.

import { valueText } from "./format.js";
import { Panel } from "./panel.js";
import { valuesAt } from "./cursor.js";
import { meansOf } from "./past/means.js";
import { extremesOf } from "./shown.js";

export default class MeasurePanel extends Panel {
  constructor(chart, hand) {
    super(chart, hand, "Measured");
    this.times = [];
    this.means = new Map(); // by signal's name
    this.band = null;
  }

  // Take a time: the first, then the second; a third begins anew.
  act(time) {
    const { chart } = this;
    if (this.times.length === 2) this.times = [];
    this.times.push(time);
    chart.measured = this.times.length === 2 ? [...this.times].sort((a, b) => a - b) : [this.times[0], this.times[0]];
    chart.wake();
    this.means.clear();
    if (this.times.length === 2) this.askMeans();
    this.open();
  }

  close() {
    super.close();
    this.times = [];
    this.chart.measured = null;
    this.chart.wake();
  }

  fill() {
    if (this.times.length < 2) {
      this.root.textContent = "Measuring from here: move the cursor, then press D or Measure again.";
      return;
    }
    const [from, to] = this.chart.measured;
    const seconds = (to - from) / 1000;
    const rows = this.chart.signals.filter((signal) => signal.isNumber).map((signal) => this.row(signal, from, to, seconds));
    const caption = `Δt ${seconds.toPrecision(6)} s, 1/Δt ${seconds ? (1 / seconds).toPrecision(4) : "∞"} Hz`;
    this.put([["Signal", "from", "to", "Δ", "slope", "min", "max", "mean"], ...rows], caption);
  }

  row(signal, from, to, seconds) {
    const { unit, isWhole, name, symbols } = signal;
    const [a, b] = [from, to].map((time) => valuesAt(this.chart, signal, time)?.at(-1) ?? NaN);
    if (symbols) return [name, symbols[a] ?? "–", symbols[b] ?? "–", ...Array(5).fill("–")];
    const out = [Infinity, -Infinity];
    const [start, end] = this.chart.painter.range;
    // Of what a still chart does not show, nothing is known.
    if (!this.chart.view || (from >= start && to <= end)) extremesOf(this.chart, signal, from, to, out);
    const text = (value, whole = isWhole) => valueText(Number.isFinite(value) ? value : NaN, unit, whole);
    const slope = seconds ? `${valueText((b - a) / seconds, "", false)}\u202f${unit || "1"}/s` : "–";
    const mean = this.means.get(name);
    return [name, text(a), text(b), text(b - a), slope, text(out[0]), text(out[1]), mean === undefined ? "…" : text(mean, false)];
  }

  // The mean is of all records, which the history service has; a live chart has but some of them.
  async askMeans() {
    const asked = this.times;
    const means = await meansOf(this.chart, this.hand.tools.source, ...this.chart.measured);
    if (this.times !== asked) return;
    this.means = means;
    if (this.isOpen) this.fill();
  }
}
