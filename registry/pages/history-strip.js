// What the strip draws of signals: traces of the charts, one where the ones before have nothing, and where anything is.

import { Scale } from "/static/stripchart/scale.js";
import { drawTrace, extremes, inPlot, traceStyles } from "/static/stripchart/trace.js";

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

// `charts` are lists of traces, the most telling one first; give the stretches that any of them has.
export function drawStrip(context, plot, palette, charts) {
  const { width } = plot;
  let covered = [];
  for (const traces of charts) {
    const own = union(traces.map((columns) => stretches(columns, width)));
    const room = between(widened(covered, plot.dpr), width).filter((free) => own.some((one) => one[0] < free[1] && one[1] > free[0]));
    inPlot(context, plot, () => {
      context.beginPath();
      for (const [from, to] of room) context.rect(plot.left + from, 0, to - from, plot.top + plot.height + plot.dpr);
      context.clip();
      drawTraces(context, plot, palette, traces);
    });
    covered = union([covered, own]);
  }
  context.fillStyle = palette.faint;
  const [least, top] = [LEAST_PX * plot.dpr, plot.top + plot.height + 1.5 * plot.dpr];
  for (const [from, to] of covered) context.fillRect(plot.left + from, top, Math.max(to - from, least), BAR_PX * plot.dpr);
  return covered;
}

function drawTraces(context, plot, palette, traces) {
  const { width } = plot;
  const extent = [Infinity, -Infinity];
  for (const columns of traces) extremes(columns, width, width, extent);
  const scale = new Scale();
  scale.fit(extent[0], extent[1], 0);
  const styles = traceStyles(palette, palette.traces, traces.length);
  traces.forEach((columns, i) => drawTrace(context, columns, width, width + 1, plot, scale, styles[i], false));
}
