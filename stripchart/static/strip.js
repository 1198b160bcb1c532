// The plain chart: signals over time, scrolling or in sweeps.

import { Times } from "./times.js";
import { tracesOf } from "./traces.js";

const DELAY_TICKS = 1.5; // the right edge is this many server ticks behind the server's clock: data is there in time, or nearly
const DELAY_SLEW = 0.02; // of the difference a frame, when the server ticks in another rhythm
const SWEEP_GAP = 0.02; // of the width is empty before the pen
const COLUMNS_PER_S_MAX = 1e6; // that the server takes
const REACH_PX = 8; // left of where a trace changed, and of where it is: what is drawn of it, or marks it

export class Strip {
  constructor(chart) {
    this.chart = chart;
    this.delayMs = NaN;
    this.rightPixel = NaN; // number since 1970 of the pixel column at the right edge, as drawn
    this.extent = new Float64Array(2);
    this.parts = [];
    this.traces = []; // as drawn last
    this.changedMs = Infinity; // since when there is other data than was drawn
    this.hasBands = false;
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  configure({ time, zone, mode, window }) {
    this.times = new Times(mode === "sweep" ? "sweep" : time, zone);
    this.isSweep = mode === "sweep";
    this.windowMs = window * 1000;
  }

  // How its signals are to be watched.
  way({ window, rate }, area) {
    const columns = Math.min(COLUMNS_PER_S_MAX, Number((area.width / window).toPrecision(3)));
    return { window, columns, stream: rate ?? "live" };
  }

  get pixelMs() {
    return this.windowMs / this.chart.picture.area.width;
  }

  // Time at the right edge, by the server's clock.
  edge(nowMs) {
    const { view, feed } = this.chart;
    if (view) return view.endMs(nowMs);
    const target = DELAY_TICKS * feed.tickMs;
    this.delayMs = Number.isNaN(this.delayMs) ? target : this.delayMs + (target - this.delayMs) * DELAY_SLEW;
    return nowMs - this.delayMs;
  }

  // Samples came from this time on: as a rule right of what is drawn yet.
  touch(time) {
    if (time < this.changedMs) this.changedMs = time;
  }

  // Draw what moved; true when traces were drawn anew.
  draw(nowMs, localMs) {
    const { chart } = this;
    const ms = this.pixelMs;
    const edge = this.edge(nowMs) / ms;
    const right = Math.floor(edge);
    chart.picture.shift(this.isSweep || this.isStill || chart.view ? 0 : edge - right);
    if (right === this.rightPixel && !chart.isDirty && this.changedMs >= (right + 1) * ms) return false;
    const moved = right - this.rightPixel;
    this.rightPixel = right;
    this.drawAll(right, moved, ms, localMs);
    return true;
  }

  drawAll(right, moved, ms, localMs) {
    const { chart } = this;
    const { picture, axes, palette } = chart;
    const { area } = picture;
    this.fit(right, ms, localMs);
    const parts = this.isSweep ? this.sweepParts(right, ms, area.width) : this.scrollPart(right, ms, area.width);
    if (chart.isDirty) picture.drawValues(axes, palette);
    if (chart.isDirty || moved) picture.drawTimes(palette, this.times.at(right - area.width, ms, area.width, area.dpr), this.times.label);
    const hasBands = chart.putBands(parts, (time, { left }) => (time - left) / ms);
    const isOther = this.take(tracesOf(chart));
    const from = this.changedFrom(right, moved, ms);
    const isKept = !chart.isDirty && !isOther && !this.hasStates && !this.isSweep && !this.hasBands && !hasBands && moved >= 0 && moved < area.width;
    this.hasBands = hasBands;
    picture.drawTraces({
      palette, axis: axes[0], ticks: this.times.isMoving ? this.times.ticks : [], traces: this.traces, parts, pixelsPerMs: 1 / ms, marks: chart.marks,
      moved, from: isKept ? from : 0,
    });
  }

  // Take the traces; true when one is of other columns or in another colour than before: all else that changes makes the chart dirty.
  take(traces) {
    const isOther = (trace, i) => trace.columns !== this.traces[i]?.columns || trace.style.pixel !== this.traces[i].style.pixel;
    const isAny = traces.length !== this.traces.length || traces.some(isOther);
    this.traces = traces;
    return isAny;
  }

  // States have their words at what is seen of them.
  get hasStates() {
    return this.traces.some(({ states }) => states);
  }

  // The first pixel column that is another than the one drawn before, moved: what came into sight, and what samples changed.
  changedFrom(right, moved, ms) {
    const { area, raster } = this.chart.picture;
    const left = right - area.width + 1;
    let from = raster.width - moved;
    for (const { columns } of this.traces) {
      if (!columns) continue;
      const number = Math.floor(this.changedMs / columns.widthMs);
      if (number > columns.newest) continue;
      const before = columns.slotBeside(number, -1); // it is joined to the one that changed
      const start = (before < 0 ? number : columns.stamp[before]) * columns.widthMs;
      from = Math.min(from, Math.floor(start / ms) - left);
    }
    this.changedMs = Infinity;
    return Math.max(0, from - Math.ceil(REACH_PX * area.dpr));
  }

  scrollPart(right, ms, width) {
    const left = right - width + 1;
    this.parts.length = 0;
    this.parts.push({ left: left * ms, from: 0, to: Infinity, phase: left });
    return this.parts;
  }

  // The sweep that the pen is in, up to it, and the one before, from a little behind it.
  sweepParts(right, ms, width) {
    const start = Math.floor(right / width) * width;
    const x = right - start;
    const gap = Math.round(width * SWEEP_GAP);
    this.parts.length = 0;
    this.parts.push({ left: start * ms, from: 0, to: x + 1, phase: start });
    this.parts.push({ left: (start - width) * ms, from: x + gap, to: width, phase: start - width });
    return this.parts;
  }

  fit(right, ms, localMs) {
    const { chart, extent } = this;
    for (const axis of chart.axes) {
      if (axis.scale.isFixed || (chart.state !== "live" && !axis.scale.isEmpty)) continue;
      extent[0] = Infinity;
      extent[1] = -Infinity;
      chart.signals.forEach((signal, index) => {
        if (chart.axisOf[index] !== axis) return;
        chart.columnsOf(signal)?.extremes((right + 1) * ms - this.windowMs, (right + 1) * ms, extent);
      });
      if (axis.scale.fit(extent[0], extent[1], localMs)) chart.isDirty = true;
    }
  }

  // In the legend; undefined: the newest value.
  reading(index) {
    return this.chart.stats?.text(index);
  }

  // The time range that is drawn, [start, end) in ms; null as long as it is not known how large the chart is.
  get range() {
    if (!this.chart.picture.area) return null;
    const end = (this.rightPixel + 1) * this.pixelMs;
    return [end - this.windowMs, end];
  }
}
