// The cursor of a group of charts: one place in all of them, or one time that moves with the traces.

import { clockText, textOf } from "./format.js";
import { offsetMs } from "./zone.js";

export class Cursor {
  constructor() {
    this.place = null; // in the plots, from 0 to 1; null: nowhere
    this.time = NaN; // ms
    this.isPinned = false; // to its time: it moves with the trace
    this.isLocked = false; // it stays when the pointer goes on
  }

  point(place, time) {
    this.place = place;
    this.time = time ?? NaN;
  }

  clear() {
    this.place = null;
    this.isLocked = this.isPinned = false;
  }

  // What a signal has at a time, as text: its value, or smallest and largest where a column holds several.
  read(chart, signal, time) {
    const found = valuesAt(chart, signal, time);
    if (!found) return "–";
    const [low, high] = found.map((value) => textOf(signal, value));
    return found[0] === found[1] ? high : `${low.split("\u202f")[0]} … ${high}`;
  }

  timeText(chart, time) {
    const { settings } = chart;
    const [start, end] = chart.painter.range;
    if (settings.time === "rel") return `−${((end - time) / 1000).toFixed(end - start < 10_000 ? 3 : 1)} s`;
    const zone = settings.zone;
    const step = end - start < 2000 ? 0.001 : end - start < 60_000 ? 0.01 : 0.1;
    return clockText(time + offsetMs(time, zone), (end - start) > 7_200_000 ? 1 : step);
  }
}

// Smallest and largest value of a signal at a time; null where it has none.
export function valuesAt(chart, signal, time) {
  const past = chart.view;
  const columns = past ? past.traces.get(signal) : chart.columnsOf(signal);
  if (!columns) return null;
  const [start, end] = chart.painter.range;
  const at = past ? chart.picture.area.width * (1 + (time - start) / (end - start)) : time;
  const slot = columns.slotAt(at);
  if (slot < 0) return null;
  const next = columns.slotBeside(columns.stamp[slot], 1);
  const isBreak = next >= 0 ? columns.broken[next] && columns.stamp[slot] !== Math.floor(at / columns.widthMs) : false;
  return isBreak ? null : [columns.min[slot], columns.max[slot]];
}
