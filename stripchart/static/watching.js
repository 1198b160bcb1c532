// What a chart watches: its signals, in the resolution that its width needs. A window's edge that is dragged gives a chart another
// width in each frame: another resolution is asked for once the size has settled, until then the chart draws what it has.

import { Signal } from "./signal.js";

const SETTLED_MS = 200;

export class Watching {
  constructor(chart) {
    this.chart = chart;
    this.way = null; // how signals are watched; null: not yet, as it is not known how large the chart is
    this.next = null; // how they are to be
    this.dueMs = Infinity; // from when on
  }

  // Declared signals are others, or meant otherwise: they are watched when the size is known.
  begin() {
    this.take(null);
  }

  // Watch in a way: at once, or when none else has been wanted for a while where the size alone changed.
  want(way, isResized, localMs) {
    if (!isResized || !this.way) return this.take(way);
    this.next = way;
    this.dueMs = localMs + SETTLED_MS;
  }

  settle(localMs) {
    if (localMs >= this.dueMs) this.take(this.next);
  }

  take(way) {
    const { chart } = this;
    const { feed, settings } = chart;
    const before = chart.signals;
    this.way = way;
    this.dueMs = Infinity;
    chart.signals = settings.signals.map((name) => (way ? feed.watch(name, way, chart) : new Signal(name, -1, {})));
    for (const signal of chart.signals) signal.follow(before.find(({ name }) => name === signal.name));
    for (const signal of before) if (!chart.signals.includes(signal)) feed.unwatch(signal, chart);
    chart.reset();
  }
}
