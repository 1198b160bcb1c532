// Smallest, largest and mean value of what a chart shows, in its legend: `data-legend="stats"`.

import { valueText } from "./format.js";
import { meansOf } from "./past/means.js";
import { PastSource } from "./past/source.js";
import { extremesOf } from "./shown.js";

const ASK_MS = 5000;
const FIRST_MS = 500; // by then it is known what the signals are

export class Stats {
  constructor(chart) {
    this.chart = chart;
    this.source = new PastSource();
    this.means = new Map(); // by signal's name
    this.extent = new Float64Array(2);
    this.timer = setInterval(() => this.ask(), ASK_MS);
    setTimeout(() => this.ask(), FIRST_MS);
  }

  // The mean is of all records, which the history service has; a live chart has but some of them.
  async ask() {
    const { chart } = this;
    if (!chart.canvas.isConnected || chart.stats !== this) return clearInterval(this.timer);
    if (!chart.isVisible || !chart.painter?.range || document.visibilityState === "hidden") return;
    this.means = await meansOf(chart, this.source, ...chart.painter.range);
  }

  // What stands behind a signal's name.
  text(index) {
    const signal = this.chart.signals[index];
    const { unit, isWhole, value, reading } = signal;
    const range = this.chart.painter?.range;
    if (!signal.isNumber || signal.symbols || !range) return undefined;
    this.extent[0] = Infinity;
    this.extent[1] = -Infinity;
    extremesOf(this.chart, signal, ...range, this.extent);
    const number = (one, whole = isWhole) => valueText(Number.isFinite(one) ? one : NaN, "", whole);
    const now = reading ?? valueText(value, unit, isWhole);
    return `${now} (min ${number(this.extent[0])}, max ${number(this.extent[1])}, mean ${number(this.means.get(signal.name) ?? NaN, false)})`;
  }
}
