// What charts have beside their traces, once the page is up: marks and tags as bands with their names, limits as lines, values beyond
// them as triangles, statistics in the legend, a label for who cannot see them.

import { Label } from "./label.js";
import { marksOf, watchMarks } from "./marks.js";
import { pixelOf } from "./raster.js";

const DASH_PX = 4;
const MARK_PX = 5;
const LEVELS = ["alarm", "warn"]; // the worst first

// Have all charts of the page decorated, those that come later too.
export function decorateAll(charts, feed, isServed) {
  if (isServed) watchMarks(charts, feed);
  for (const chart of charts.values()) decorate(chart);
}

export function decorate(chart) {
  const labels = new Map(); // by name and time: elements
  chart.spans = (parts, xOf) => {
    const tags = marksOf(chart);
    placeLabels(chart, labels, tags, parts, xOf);
    return tags.map(({ span }) => span);
  };
  chart.marks = (raster, part, pixelsPerMs, traces) => drawLimits(chart, raster, part, pixelsPerMs, traces);
  chart.label = new Label(chart);
  keepStats(chart);
  new MutationObserver(() => keepStats(chart)).observe(chart.canvas, { attributeFilter: ["data-legend"] });
  chart.wake();
}

async function keepStats(chart) {
  const isWanted = chart.canvas.dataset.legend === "stats";
  if (isWanted && !chart.stats) chart.stats = new (await import("./stats.js")).Stats(chart);
  if (!isWanted) chart.stats = null;
}

// At the left of each band, or of what is seen of it.
function placeLabels(chart, labels, tags, parts, xOf) {
  const { dpr, width } = chart.picture.area;
  const unused = new Set(labels.keys());
  for (const { name, span } of tags) {
    const at = parts.map((part) => placeIn(part, width, span.map((time) => xOf(time, part)))).find((x) => x >= 0);
    if (at === undefined) continue;
    const key = `${name} ${span}`;
    unused.delete(key);
    if (!labels.has(key)) {
      const label = Object.assign(document.createElement("div"), { className: "stripchart-tag", textContent: name, title: name });
      chart.picture.clip.append(label);
      labels.set(key, label);
    }
    labels.get(key).style.transform = `translateX(${(at / dpr).toFixed(1)}px)`;
  }
  for (const key of unused) {
    labels.get(key).remove();
    labels.delete(key);
  }
}

// Where a band begins to be seen in a part of the picture; -1: it is not.
function placeIn(part, width, [from, to]) {
  return to < part.from || from > Math.min(part.to, width) ? -1 : Math.max(part.from, from);
}

// The limits of a signal, each until a time (ms), in order: [until, {warn: [low, high], alarm: [low, high]}]. A side is null where there
// is none, the limits where there are none at all. Those that a chart declares are for all times.
function limitsOf(chart, signal) {
  if (chart.settings.limits) return [[Infinity, chart.settings.limits]];
  return [...signal.formerLimits.map(([until, limits]) => [chart.view ? chart.view.columnTime(until) : until, limits]), [Infinity, signal.limits]];
}

// Which limit values from `low` to `high` are beyond: [level, side], side 1 above; null where they are within.
export function beyond(limits, low, high) {
  for (const level of LEVELS) {
    const [least, most] = limits?.[level] ?? [null, null];
    if (most !== null && high > most) return [level, 1];
    if (least !== null && low < least) return [level, -1];
  }
  return null;
}

function drawLimits(chart, raster, part, pixelsPerMs, traces) {
  const { palette, picture } = chart;
  const dpr = Math.round(picture.area.dpr) || 1;
  const xOf = (time) => (time - part.left) * pixelsPerMs;
  for (const { signal, columns, scale, states } of traces) {
    if (!columns || signal.symbols) continue; // the place of a state among its symbols is no value
    const all = limitsOf(chart, signal);
    let from = raster.from;
    for (const [until, limits] of all) {
      const to = Math.min(raster.to, Math.ceil(xOf(until)));
      if (limits && !states) drawLines(raster, limits, scale, part.phase, palette, dpr, from, to);
      from = Math.max(from, to);
    }
    if (all.some(([, limits]) => limits)) drawMarks(raster, columns, all, part, pixelsPerMs, palette, dpr);
  }
}

// From x to x.
function drawLines(raster, limits, scale, phase, palette, dpr, from, to) {
  for (const level of LEVELS) {
    for (const value of limits[level] ?? []) {
      const y = value === null ? -1 : Math.round(scale.y(value, raster.height - 1));
      if (y < 0 || y >= raster.height) continue;
      for (let x = from; x < to; x++) if ((x + phase) % (2 * DASH_PX * dpr) < DASH_PX * dpr) raster.run(x, y, y + dpr, pixelOf(palette[level]));
    }
  }
}

// A triangle at the edge over or under each column that is beyond: none is missed, however narrow it is.
function drawMarks(raster, columns, all, part, pixelsPerMs, palette, dpr) {
  const { widthMs, stamp, min, max, time, capacity } = columns;
  const start = part.left + (raster.from - MARK_PX * dpr) / pixelsPerMs;
  const last = Math.min(columns.newest, Math.floor((part.left + Math.min(part.to, raster.width) / pixelsPerMs) / widthMs));
  let era = 0;
  for (let n = Math.max(Math.floor(start / widthMs), columns.oldest); n <= last; n++) {
    const slot = n % capacity;
    if (stamp[slot] !== n) continue;
    while (time[slot] >= all[era][0]) era++;
    const found = beyond(all[era][1], min[slot], max[slot]);
    if (found) drawTriangle(raster, Math.floor((time[slot] - part.left) * pixelsPerMs), found[1], pixelOf(palette[found[0]]), MARK_PX * dpr);
  }
}

function drawTriangle(raster, x, side, pixel, size) {
  for (let dx = -size; dx <= size; dx++) {
    const height = (size - Math.abs(dx)) * 1.5;
    if (side > 0) raster.run(x + dx, size * 1.5 - height, size * 1.5, pixel);
    else raster.run(x + dx, raster.height - size * 1.5, raster.height - size * 1.5 + height, pixel);
  }
}
