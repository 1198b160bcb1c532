// What is drawn on charts beside their traces: marks and tags as bands with their names, limits as lines, values beyond them as triangles.

import { pixelOf } from "./raster.js";
import { marksOf, watchMarks } from "./marks.js";

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
  chart.spans = (xOf) => {
    const tags = marksOf(chart);
    placeLabels(chart, labels, tags, xOf);
    return tags.map(({ span }) => span);
  };
  chart.marks = (raster, part, pixelsPerMs, traces) => drawLimits(chart, raster, part, pixelsPerMs, traces);
  keepStats(chart);
  new MutationObserver(() => keepStats(chart)).observe(chart.canvas, { attributeFilter: ["data-legend"] });
  chart.wake();
}

async function keepStats(chart) {
  const isWanted = chart.canvas.dataset.legend === "stats";
  if (isWanted && !chart.stats) chart.stats = new (await import("./stats.js")).Stats(chart);
  if (!isWanted) chart.stats = null;
}

function placeLabels(chart, labels, tags, xOf) {
  const { dpr, width } = chart.picture.area;
  const unused = new Set(labels.keys());
  for (const { name, span } of tags) {
    const [from, to] = span.map(xOf);
    if (to < 0 || from > width) continue;
    const key = `${name} ${span}`;
    unused.delete(key);
    if (!labels.has(key)) {
      const label = Object.assign(document.createElement("div"), { className: "stripchart-tag", textContent: name, title: name });
      chart.picture.clip.append(label);
      labels.set(key, label);
    }
    labels.get(key).style.transform = `translateX(${(Math.max(0, from) / dpr).toFixed(1)}px)`;
  }
  for (const key of unused) {
    labels.get(key).remove();
    labels.delete(key);
  }
}

// Limits of a signal: {warn: [low, high], alarm: [low, high]}, a side null where there is none; null where it has none at all.
export const limitsOf = (chart, signal) => chart.settings.limits ?? signal.limits ?? null;

// Which limit values from `low` to `high` are beyond: [level, side], side 1 above; null where they are within.
export function beyond(limits, low, high) {
  for (const level of LEVELS) {
    const [least, most] = limits[level] ?? [null, null];
    if (most !== null && high > most) return [level, 1];
    if (least !== null && low < least) return [level, -1];
  }
  return null;
}

function drawLimits(chart, raster, part, pixelsPerMs, traces) {
  const { palette, picture } = chart;
  const dpr = Math.round(picture.area.dpr) || 1;
  for (const { signal, columns, scale } of traces) {
    const limits = limitsOf(chart, signal);
    if (!limits || !columns) continue;
    for (const level of LEVELS) {
      for (const value of limits[level] ?? []) if (value !== null) drawLine(raster, scale, value, pixelOf(palette[level]), part.phase, dpr);
    }
    drawMarks(raster, columns, limits, part, pixelsPerMs, palette, dpr);
  }
}

function drawLine(raster, scale, value, pixel, phase, dpr) {
  const y = Math.round(scale.y(value, raster.height - 1));
  if (y < 0 || y >= raster.height) return;
  for (let x = raster.from; x < raster.to; x++) if ((x + phase) % (2 * DASH_PX * dpr) < DASH_PX * dpr) raster.run(x, y, y + dpr, pixel);
}

// A triangle at the edge over or under each column that is beyond: none is missed, however narrow it is.
function drawMarks(raster, columns, limits, part, pixelsPerMs, palette, dpr) {
  const { widthMs, stamp, min, max, capacity } = columns;
  const start = part.left + (raster.from - MARK_PX * dpr) / pixelsPerMs;
  const last = Math.min(columns.newest, Math.floor((part.left + Math.min(part.to, raster.width) / pixelsPerMs) / widthMs));
  for (let n = Math.max(Math.floor(start / widthMs), columns.oldest); n <= last; n++) {
    const slot = n % capacity;
    if (stamp[slot] !== n) continue;
    const found = beyond(limits, min[slot], max[slot]);
    if (found) drawTriangle(raster, Math.floor((columns.time[slot] - part.left) * pixelsPerMs), found[1], pixelOf(palette[found[0]]), MARK_PX * dpr);
  }
}

function drawTriangle(raster, x, side, pixel, size) {
  for (let dx = -size; dx <= size; dx++) {
    const height = (size - Math.abs(dx)) * 1.5;
    if (side > 0) raster.run(x + dx, size * 1.5 - height, size * 1.5, pixel);
    else raster.run(x + dx, raster.height - size * 1.5, raster.height - size * 1.5 + height, pixel);
  }
}
