// The oscilloscope: what all signals did round the moment when the first of them passed a level.

import { number, oneOf } from "./attributes.js";
import { Columns } from "./columns.js";
import { clockText, valueText } from "./format.js";
import { Points } from "./plots/join.js";
import { Sampled } from "./plots/sampled.js";
import { dashedColumn, dashedRow } from "./plots/shapes.js";
import { fillColumns } from "./plots/shot.js";
import { Trigger } from "./plots/trigger.js";
import { pixelOf } from "./raster.js";
import { isStep } from "./traces.js";
import { offsetMs, zoneText } from "./zone.js";

const AUTO_MS = 1000; // without a trigger for so long, what is newest is shown
const HYSTERESIS = 0.05; // of the span of the values, unless it is declared
const SPAN_MS = 1000; // of them, or two windows
const LATE_MS = 1000; // other signals may come so much later than the first
const UNITS = [[2000, "s", 1000], [2, "ms", 1], [0, "µs", 0.001]]; // of windows from so many ms on, in ms

export default class Oscilloscope extends Sampled {
  constructor(chart) {
    super(chart);
    this.samples = []; // of the shot, by signal, as points: they outlive the stores
    this.columns = []; // of them, in ms since the left edge
    this.traces = [];
    this.marks = (raster) => this.drawMarks(raster);
    this.restart();
  }

  configure(settings, data) {
    super.configure(settings);
    const level = number(data, "level", 0, "a number");
    this.trigger = new Trigger(level, oneOf(data, "edge", ["rising", "falling", "both"]));
    this.hysteresis = number(data, "hysteresis", NaN, "a number from 0", (value) => value >= 0);
    this.pre = number(data, "pre", 0.2, "a share of the window from 0 to 1", (value) => value >= 0 && value <= 1);
    this.isAuto = settings.mode === "auto";
    this.zone = settings.zone;
    const [, unit, size] = UNITS.find(([from]) => this.windowMs >= from);
    this.lower.unit = unit;
    this.lower.scale.setFixed((-this.pre * this.windowMs) / size, ((1 - this.pre) * this.windowMs) / size);
    this.restart();
  }

  restart() {
    this.shots = 0;
    this.isCaught = false; // the samples of the shot were taken from the stores
    this.at = NaN; // time of the trigger that is shown, or of where it would stand
    this.isTriggered = false;
    this.pending = NaN; // trigger whose shot has not come to its end
    this.searched = -Infinity; // newest time that was looked at
    this.source = null; // store that it was of
    this.idleSince = NaN; // local time since which there was no trigger
  }

  way(settings) {
    return { ...super.way(settings), window: Math.min(600, 2 * settings.window + 1) };
  }

  get spanMs() {
    return 2 * this.windowMs + LATE_MS + 1000;
  }

  get range() {
    return Number.isNaN(this.at) ? [0, 0] : [this.at - this.pre * this.windowMs, this.at + (1 - this.pre) * this.windowMs];
  }

  renew() {
    this.restart();
    this.source = this.stores[0] ?? null;
    this.samples = this.stores.map(() => new Points());
  }

  touch(time) {
    this.hasNews = true;
    if (time <= this.range[1]) this.isCaught = false; // of another signal, or late
  }

  draw(nowMs, localMs) {
    const { chart } = this;
    if (this.hasNews && this.source && !this.isHeld) this.search(localMs);
    this.hasNews = false;
    if (this.isCaught && !chart.isDirty) return false;
    if (!this.isCaught && !this.isHeld) this.catch();
    this.fill();
    this.extent[0] = this.extent[1] = NaN;
    for (const axis of chart.axes) this.fitAxis(axis, localMs);
    this.drawGround(this.marks, this.traces, 0, this.columnMs);
    return true;
  }

  get columnMs() {
    return this.windowMs / this.chart.picture.area.width;
  }

  // Look through what came: the newest whole shot is shown.
  search(localMs) {
    const { source, trigger } = this;
    const after = (1 - this.pre) * this.windowMs;
    if (source.newest < this.searched) this.searched = -Infinity; // the store was emptied: its clock was set back
    if (this.searched === -Infinity) trigger.reset();
    trigger.holds = isStep(this.chart, this.chart.signals[0]);
    this.setHysteresis();
    const before = this.shots;
    for (let i = source.since(this.searched); i < source.stop; i++) {
      const time = source.time[i];
      if (time === this.searched) continue;
      const at = trigger.push(time, source.value[i]);
      if (time >= this.pending + after) this.take(this.pending);
      if (at === at && this.pending !== this.pending && !(this.isTriggered && at < this.at + after)) this.pending = at;
    }
    this.searched = Math.max(this.searched, source.newest);
    if (this.searched >= this.pending + after) this.take(this.pending);
    if (this.shots !== before || this.pending === this.pending) this.idleSince = NaN;
    else this.idle(localMs, after);
  }

  take(at) {
    this.at = at;
    this.isTriggered = true;
    this.isCaught = false;
    this.pending = NaN;
    this.shots++;
  }

  // Without triggers the newest samples are shown, unless the last shot is to stay.
  idle(localMs, after) {
    if (Number.isNaN(this.idleSince)) this.idleSince = localMs;
    const isLong = localMs - this.idleSince >= AUTO_MS || Number.isNaN(this.at);
    if (!this.isAuto || !isLong || this.source.newest === -Infinity) return;
    this.isTriggered = false;
    this.isCaught &&= this.at === this.source.newest - after;
    this.at = this.source.newest - after;
  }

  setHysteresis() {
    const { source, trigger, extent } = this;
    trigger.hysteresis = this.hysteresis;
    if (!Number.isNaN(this.hysteresis)) return;
    extent[0] = Infinity;
    extent[1] = -Infinity;
    source.extremes(source.since(source.newest - Math.max(2 * this.windowMs, SPAN_MS)), source.stop, extent);
    trigger.hysteresis = Math.max(0, extent[1] - extent[0]) * HYSTERESIS || 0;
  }

  // Take the samples of the shot, and one more at each side.
  catch() {
    this.isCaught = true;
    const [start, end] = this.range;
    this.samples.forEach((points, index) => {
      const store = this.stores[index];
      points.n = 0;
      for (let i = Math.max(store.start, store.since(start) - 1); i < store.stop; i++) {
        points.push(store.time[i], store.value[i]);
        if (store.time[i] >= end) break;
      }
    });
  }

  // Put them into columns.
  fill() {
    const { chart, columnMs } = this;
    const { signals, picture } = chart;
    const [start, end] = this.range;
    const count = picture.area.width + 2;
    this.columns.length = this.traces.length = signals.length;
    for (let index = 0; index < signals.length; index++) {
      const holds = isStep(chart, signals[index]);
      let columns = this.columns[index];
      if (columns?.widthMs !== columnMs || columns.capacity !== count) this.columns[index] = columns = new Columns(columnMs, count);
      columns.clear();
      if (this.isShown(index)) fillColumns(columns, this.samples[index], start, end, holds);
      this.traces[index] = { columns, scale: chart.axisOf[index].scale, style: this.penOf(index, holds) };
    }
    this.traces.reverse(); // the first signal is on top
  }

  fitAxis(axis, localMs) {
    const { chart, extent, trigger } = this;
    extent[0] = Infinity;
    extent[1] = -Infinity;
    for (let index = 0; index < chart.signals.length; index++) {
      if (chart.axisOf[index] === axis) this.columns[index].extremes(0, this.windowMs, extent);
    }
    if (axis === chart.axisOf[0] && extent[0] <= extent[1]) {
      extent[0] = Math.min(extent[0], trigger.level);
      extent[1] = Math.max(extent[1], trigger.level);
    }
    this.fit(axis, localMs);
  }

  // The level, and the moment of the trigger.
  drawMarks(raster) {
    const { chart, trigger } = this;
    const { area } = chart.picture;
    const axis = chart.axisOf[0];
    if (!axis || (axis.scale.isEmpty && !axis.scale.isFixed)) return;
    const pixel = pixelOf(chart.palette.faint);
    const dash = Math.round(4 * area.dpr);
    dashedRow(raster, Math.round(axis.scale.y(trigger.level, area.height - 1)), pixel, dash);
    if (this.isTriggered) dashedColumn(raster, Math.round(this.pre * (area.width - 1)), pixel, dash);
  }

  get isSeen() {
    return !Number.isNaN(this.at);
  }

  get badge() {
    if (this.isHeld || this.isTriggered || !this.source || !super.isSeen) return super.badge;
    return this.isAuto ? "untriggered" : "Waiting for a trigger";
  }

  get notes() {
    const notes = this.notesFrom(this.range[0]);
    if (this.isTriggered) {
      const offset = offsetMs(this.at, this.zone);
      notes.unshift(`trigger at ${clockText(this.at + offset, 0.001)} ${zoneText(offset)}`);
    }
    return notes;
  }

  describe() {
    const { chart, trigger } = this;
    const [source] = chart.signals;
    if (!source) return "";
    const level = `${trigger.edge === "both" ? "passing" : trigger.edge} ${valueText(trigger.level, source.unit)}`;
    return `${chart.settings.title || chart.signals.map(({ name }) => name).join(", ")} at triggers: ${source.name} ${level}, ${this.badge || `${this.shots} so far`}`;
  }

  // For tests: the shot that is drawn, times in ms; per signal its columns since the left edge.
  get drawn() {
    const [start, end] = this.range;
    const columns = this.columns.map((one) => one.list(0, this.windowMs));
    return { at: this.at, start, end, isTriggered: this.isTriggered, shots: this.shots, hysteresis: this.trigger.hysteresis, columns };
  }
}
