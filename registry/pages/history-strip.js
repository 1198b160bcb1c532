// What the strip draws of signals: traces of the charts, one where the ones before have nothing, and where anything is.

import { Scale } from "/static/stripchart/scale.js";
import { Raster, pixelOf } from "/static/stripchart/raster.js";
import { pen, traceStyles } from "/static/stripchart/traces.js";

const BAR_PX = 3; // below the traces
const LEAST_PX = 2;

// Where a trace is: stretches [from, to) of columns that are joined, from 0 to `width`.
export function stretches({ stamp, broken, capacity }, width) {
  const made = [];
  for (let at = 0; at < width; at++) {
    const slot = (at + width) % capacity;
    if (stamp[slot] !== at + width) continue;
    if (made.length && !broken[slot]) made.at(-1)[1] = at + 1;
    else made.push([at, at + 1]);
  }
  return made;
}

// Stretches of several lists in one, in order, those that touch as one.
export function union(lists) {
  const made = [];
  for (const [from, to] of lists.flat().sort((a, b) => a[0] - b[0])) {
    const before = made.at(-1);
    if (before && from <= before[1]) before[1] = Math.max(before[1], to);
    else made.push([from, to]);
  }
  return made;
}

// What is left of [0, width) between stretches that `union` gave.
export function between(covered, width) {
  const edges = [0, ...covered.flat(), width];
  const made = [];
  for (let i = 0; i < edges.length; i += 2) if (edges[i] < edges[i + 1]) made.push([edges[i], edges[i + 1]]);
  return made;
}

// A line is as wide as this beside its stretch.
const widened = (covered, by) => union([covered.map(([from, to]) => [Math.max(0, from - by), to + by])]);

// Draws strips, on a picture of its own.
export class StripDrawing {
  constructor() {
    this.layer = document.createElement("canvas");
    this.raster = new Raster(this.layer.getContext("2d", { willReadFrequently: true }));
  }

  // `charts` are lists of traces, the most telling one first; give the stretches that any of them has.
  // `ticks` are [x, text].
  draw(context, plot, palette, charts, ticks) {
    const { layer, raster } = this;
    Object.assign(layer, { width: plot.width, height: Math.round(plot.height) });
    raster.resize(layer.width, layer.height);
    raster.clip(0, layer.width);
    raster.clear(pixelOf(palette.background));
    for (const [x] of ticks) raster.band(x, x + 1, pixelOf(palette.grid), 256);
    let covered = [];
    for (const traces of charts) {
      const own = union(traces.map((columns) => stretches(columns, plot.width)));
      const room = between(widened(covered, plot.dpr), plot.width).filter((free) => own.some((one) => one[0] < free[1] && one[1] > free[0]));
      this.drawTraces(plot, palette, traces, room);
      covered = union([covered, own]);
    }
    raster.show();
    context.drawImage(layer, plot.left, plot.top);
    context.fillStyle = palette.faint;
    const [least, top] = [LEAST_PX * plot.dpr, plot.top + plot.height + 1.5 * plot.dpr];
    for (const [from, to] of covered) context.fillRect(plot.left + from, top, Math.max(to - from, least), BAR_PX * plot.dpr);
    return covered;
  }

  drawTraces(plot, palette, traces, room) {
    const { width } = plot;
    const extent = [Infinity, -Infinity];
    for (const columns of traces) columns.extremes(width, 2 * width, extent);
    const scale = new Scale();
    scale.fit(extent[0], extent[1], 0);
    const styles = traceStyles(palette, palette.traces, traces.length);
    for (const [from, to] of room) {
      this.raster.clip(from, to);
      traces.forEach((columns, i) => this.raster.trace(columns, width, 1, scale, pen(styles[i], false, false, plot.dpr)));
    }
  }
}
