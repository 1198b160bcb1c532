// What the types of charts that need every sample have in common: the samples of their signals, and what is to be said of them.

import { spanText } from "../format.js";
import { pen } from "../traces.js";
import { LowerAxis } from "./lower-axis.js";
import { samplesOf } from "./samples.js";

const RESTS = 4; // times that a drawing took, at least, before the next: the page stays at hand, however much there is to draw

export class Sampled {
  constructor(chart) {
    this.chart = chart;
    this.stores = []; // by signal
    this.lower = new LowerAxis();
    this.hasNews = true; // samples came since they were looked at last
    this.extent = new Float64Array(2);
    this.least = 0; // samples to keep of each signal, however old
    this.isHeld = false; // somebody has the chart stand still: what was reckoned last stays
    this.parts = [];
    this.restMs = 0; // between two drawings at least
    this.drawnAt = -Infinity; // local time
    this.tookMs = 0; // the last drawing
  }

  configure({ window, rate }) {
    this.windowMs = window * 1000;
    this.isFull = rate !== "live";
    this.hasNews = true;
  }

  // How its signals are to be watched: as they are.
  way({ window, rate }) {
    return { window, stream: rate ?? "full" };
  }

  get spanMs() {
    return this.windowMs;
  }

  reset() {
    const stores = this.chart.signals.map((signal) => samplesOf(signal, this.spanMs, this.least));
    this.hasNews = true;
    if (stores.length === this.stores.length && stores.every((store, index) => store === this.stores[index])) return;
    this.stores = stores;
    this.isHeld = false;
    this.renew();
  }

  // Of other stores: forget what was reckoned.
  renew() {}

  touch() {
    this.hasNews = true;
  }

  // Stand still, or go on.
  hold(isHeld) {
    this.isHeld = isHeld;
    this.hasNews = true;
  }

  // Draw if something came and it is time; true when it was drawn.
  draw(nowMs, localMs) {
    const isDue = this.hasNews && !this.isHeld && localMs - this.drawnAt >= Math.max(this.restMs, RESTS * this.tookMs);
    if (!this.chart.isDirty && !isDue) return false;
    const start = performance.now();
    this.drawnAt = localMs;
    this.hasNews = false;
    this.drawAll(localMs);
    this.tookMs = performance.now() - start;
    return true;
  }

  // Time up to which samples are shown.
  get end() {
    let newest = -Infinity;
    for (const store of this.stores) if (store.newest > newest) newest = store.newest;
    return newest;
  }

  get range() {
    const end = this.end;
    return Number.isFinite(end) ? [end - this.windowMs, end] : [0, 0];
  }

  isShown(index) {
    return !this.chart.hidden.has(this.chart.signals[index].name);
  }

  penOf(index, isStep = false) {
    const { chart } = this;
    return pen(chart.styles[index], chart.isDim(chart.signals[index]), isStep, chart.picture.area.dpr);
  }

  // Fit a value axis to `extent`, unless nothing is live.
  fit(axis, localMs) {
    const { chart, extent } = this;
    if (axis.scale.isFixed || (chart.state !== "live" && !axis.scale.isEmpty)) return;
    axis.scale.fit(extent[0], extent[1], localMs);
  }

  // Ground, labels and grid; then the traces in columns that are as wide as a pixel, from `left` on, and what `marks` draws.
  drawGround(marks, traces = [], left = 0, columnMs = 1) {
    const { picture, axes, palette } = this.chart;
    const { area } = picture;
    const ticks = this.lower.place(area.width, area.dpr);
    picture.shift(0);
    picture.drawValues(axes, palette);
    picture.drawTimes(palette, ticks, this.lower.unit);
    this.parts.length = 0;
    this.parts.push({ left, from: 0, to: area.width, phase: 0, bands: [] });
    picture.drawTraces({ palette, axis: axes[0], ticks, traces, parts: this.parts, pixelsPerMs: 1 / columnMs, marks });
  }

  get isSeen() {
    return this.stores.some((store) => store.stop > store.start);
  }

  // What to know of the samples from a time on, as words.
  notesFrom(startMs) {
    const notes = [];
    if (this.stores.some((store) => store.reducedTime >= startMs)) notes.push("too fast for this chart: minima and maxima of the samples");
    const cut = this.stores.find((store) => store.droppedTime >= startMs);
    if (cut) notes.push(`too many samples for the window: the last ${spanText((cut.newest - cut.droppedTime) / 1000)} of it`);
    if (!this.isFull && this.stores.some((store) => store.pairedTime >= startMs)) notes.push("decimated: minima and maxima of the samples");
    return notes;
  }

  // In the corner, or in place of what there is to see.
  get badge() {
    if (this.isHeld) return "paused";
    return this.isSeen ? "" : "Waiting for data";
  }

  get notes() {
    return this.notesFrom(this.range[0]);
  }
}
