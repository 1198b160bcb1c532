// How often which value: the samples of the window, counted in bins.

import { number } from "./attributes.js";
import { valueText } from "./format.js";
import { sharedUnit } from "./legend.js";
import { Bins } from "./plots/bins.js";
import { Sampled } from "./plots/sampled.js";
import { cell } from "./plots/shapes.js";
import { arrangeAxes } from "./traces.js";

const BINS_MOST = 1000;
const FILL_SHARE = 70; // of 256, of the colour of a bar
const REST_MS = 100; // between two counts at least

export default class Histogram extends Sampled {
  constructor(chart) {
    super(chart);
    this.bins = []; // by signal
    this.restMs = REST_MS;
    this.marks = (raster) => this.drawBars(raster);
    const counted = { unit: "samples", type: "long" };
    this.arrange = (signals, wanted, fixed, before) => arrangeAxes(signals.map(() => counted), null, null, before);
  }

  configure(settings, data) {
    super.configure(settings);
    const wanted = `a whole number from 2 to ${BINS_MOST}`;
    this.count = number(data, "bins", 50, wanted, (value) => Number.isInteger(value) && value >= 2 && value <= BINS_MOST);
    if (settings.range) this.lower.scale.setFixed(...settings.range);
    else this.lower.scale.setAuto();
    this.bins = [];
  }

  reset() {
    super.reset();
    this.lower.unit = sharedUnit(this.chart.signals) ?? "";
  }

  renew() {
    this.bins = this.stores.map(() => new Bins(this.count));
  }

  drawAll(localMs) {
    if (!this.isHeld) this.countAll();
    this.fitAll(localMs);
    this.drawGround(this.marks);
  }

  countAll() {
    const { chart, stores, bins, extent, lower } = this;
    const [from, to] = this.range;
    extent[0] = Infinity;
    extent[1] = -Infinity;
    for (const store of stores) store.extremes(store.since(from), store.after(to), extent);
    if (chart.state === "live" || lower.scale.isEmpty) lower.scale.fit(extent[0], extent[1], performance.now());
    for (let index = 0; index < stores.length; index++) {
      const store = stores[index];
      bins[index].clear(lower.scale.min, lower.scale.max);
      bins[index].count(store.value, store.since(from), store.after(to));
    }
  }

  fitAll(localMs) {
    const { chart, extent } = this;
    extent[0] = 0;
    extent[1] = 1;
    this.bins.forEach((bins, index) => {
      if (this.isShown(index)) extent[1] = Math.max(extent[1], bins.largest);
    });
    if (chart.axes[0]) this.fit(chart.axes[0], localMs);
  }

  drawBars(raster) {
    for (let index = this.bins.length - 1; index >= 0; index--) {
      if (this.isShown(index)) this.drawOne(raster, index);
    }
  }

  // Filled bars with a line along their tops, so that those behind are seen.
  drawOne(raster, index) {
    const { chart } = this;
    const { scale } = chart.axes[0];
    const { area } = chart.picture;
    const { counts, n } = this.bins[index];
    if (!n) return;
    const { pixel } = this.penOf(index);
    const line = Math.max(1, Math.round(1.5 * area.dpr));
    let before = area.height;
    for (let i = 0; i <= counts.length; i++) {
      const from = Math.round((i / counts.length) * area.width);
      const to = Math.round(((i + 1) / counts.length) * area.width);
      const top = i < counts.length ? Math.round(scale.y(counts[i], area.height)) : area.height;
      if (i < counts.length) {
        cell(raster, from, to, top, area.height, pixel, FILL_SHARE);
        if (counts[i]) cell(raster, from, to, top, top + line, pixel);
      }
      if (Math.min(top, before) < area.height) cell(raster, from, from + Math.max(1, Math.round(area.dpr)), Math.min(top, before), Math.max(top, before), pixel);
      before = top;
    }
  }

  // In the legend.
  reading(index) {
    const bins = this.bins[index];
    const { unit } = this.chart.signals[index];
    if (!bins?.n) return "–";
    return `mean ${valueText(bins.mean, unit)}, std ${valueText(bins.std, unit)}`;
  }

  get notes() {
    const notes = super.notes;
    const outside = this.bins.reduce((sum, { below, above }) => sum + below + above, 0);
    if (outside) notes.push(`${outside} outside the axis`);
    return notes;
  }

  describe() {
    const told = this.chart.signals.map((signal, index) => `${signal.name}: ${this.bins[index]?.n ?? 0} samples, ${this.reading(index)}`);
    return told.length ? `histogram of ${told.join("; ")}` : "";
  }

  // For tests: per signal the counts and what is told of them.
  get drawn() {
    const { min, max } = this.lower.scale;
    const signals = this.bins.map(({ counts, n, mean, std, below, above }) => ({ counts: [...counts], n, mean, std, below, above }));
    return { low: min, high: max, signals };
  }
}
