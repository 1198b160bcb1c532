// Arrays over time: each a row of colours, the newest at the top.

import { ValueAxis } from "./axis.js";
import { valueText } from "./format.js";
import { colorPixels } from "./plots/colormap.js";
import { LowerAxis } from "./plots/lower-axis.js";
import { Rows } from "./plots/rows.js";
import { cell } from "./plots/shapes.js";
import { pixelOf } from "./raster.js";
import { Scale } from "./scale.js";

const DELAY_TICKS = 3; // the top is this many server ticks behind the server's clock: data is there in time
const BAR_PX = 12; // width of the bar that tells colours
const BAR_GAP_PX = 8;

export default class Waterfall {
  constructor(chart) {
    this.chart = chart;
    this.lower = new LowerAxis();
    this.lower.unit = "item";
    this.times = new ValueAxis(new Scale(), 0);
    this.colors = new ValueAxis(new Scale(), 1);
    this.top = NaN; // number since 1970 of the pixel row at the top, as drawn
    this.line = new Float32Array(0); // numbers of the row that is drawn
    this.itemEnds = null; // by pixel column, the item after those that it shows
    this.extent = new Float64Array(2);
    this.isHeld = false; // somebody has it stand still
    this.heldEdge = NaN; // and so its top
    this.rows = null; // as they come
    this.shown = null; // those that are drawn
    this.pointed = null; // [x, y] of the pointer, in device pixels of the plot
    this.point = (event) => this.handlePoint(event);
    for (const type of ["pointermove", "pointerleave"]) chart.picture.box.addEventListener(type, this.point);
    this.arrange = ([signal], wanted, fixed) => this.label(signal, fixed);
  }

  configure({ signals, window }) {
    if (signals.length > 1) throw new Error(`data-signals: wanted one array signal, got ${signals.length} signals`);
    this.windowMs = window * 1000;
    this.times.scale.setFixed(-window, 0);
    this.times.unit = "s";
  }

  way({ window, rate }) {
    return { window, stream: rate ?? "full", arrays: true };
  }

  label(signal, fixed) {
    this.colors.unit = signal?.unit ?? "";
    if (fixed) this.colors.scale.setFixed(...fixed);
    else if (this.colors.scale.isFixed) this.colors.scale.setAuto();
    return { axes: [this.times, this.colors], axisOf: [this.colors] };
  }

  reset() {
    const [signal] = this.chart.signals;
    if (signal === this.signal && this.rows?.spanMs === this.windowMs) return;
    if (this.sink) this.signal.sinks.delete(this.sink);
    const rows = new Rows(this.windowMs);
    this.rows = rows;
    this.hold(false);
    this.signal = signal;
    this.sink = (times, values, flags) => rows.take(times, values, flags);
    signal?.sinks.add(this.sink);
    if (signal?.isFilled) this.chart.feed.want(signal); // others had its past: ask for it again
  }

  get pixelMs() {
    return this.windowMs / this.chart.picture.area.height;
  }

  edge(nowMs) {
    return this.isHeld ? this.heldEdge : nowMs - DELAY_TICKS * this.chart.feed.tickMs;
  }

  // Stand still, or go on.
  hold(isHeld) {
    this.heldEdge = this.edge(this.chart.now);
    this.isHeld = isHeld;
    this.shown = isHeld ? this.rows.clone() : this.rows;
  }

  get badge() {
    if (this.isHeld) return "paused";
    return this.isSeen ? "" : "Waiting for data";
  }

  touch(time) {
    if (time < (this.top + 1) * this.pixelMs) this.chart.isDirty = true;
  }

  // How wide the rows are in pixels, the bar beside them aside.
  get width() {
    const { width, dpr } = this.chart.picture.area;
    return Math.max(1, width - Math.round((BAR_PX + BAR_GAP_PX) * dpr));
  }

  draw(nowMs, localMs) {
    const { chart } = this;
    if (!this.shown) return false;
    const top = Math.floor(this.edge(nowMs) / this.pixelMs);
    if (top === this.top && !chart.isDirty) return false;
    this.fit(localMs);
    const moved = top - this.top;
    if (chart.isDirty || !(moved > 0 && moved < chart.picture.area.height)) this.drawAll(top);
    else this.scroll(top, moved);
    this.top = top;
    chart.picture.raster.show();
    return true;
  }

  // Colours follow the data as values do on an axis.
  fit(localMs) {
    const { chart, shown: rows, extent, colors } = this;
    if (colors.scale.isFixed || rows.newest === this.fitted) return;
    this.fitted = rows.newest;
    extent[0] = Infinity;
    extent[1] = -Infinity;
    rows.extremes(rows.newestTime - this.windowMs, extent);
    if (colors.scale.fit(extent[0], extent[1], localMs)) chart.isDirty = true;
  }

  drawAll(top) {
    const { chart, shown: rows, lower, width } = this;
    const { picture, palette, axes } = chart;
    const { raster, area } = picture;
    lower.scale.setFixed(0, Math.max(1, rows.length));
    if (this.line.length !== rows.items) this.line = new Float32Array(rows.items);
    this.itemEnds = Uint32Array.from({ length: width }, (_, x) => Math.ceil(((x + 1) * rows.items) / width));
    picture.shift(0);
    picture.drawValues(axes, palette);
    picture.drawTimes(palette, rows.length ? lower.place(width, area.dpr) : [], lower.unit);
    raster.clip(0, raster.width);
    raster.clear(pixelOf(palette.background));
    this.drawBar();
    for (let y = 0; y < area.height; y++) this.drawRow(y, top - y);
  }

  // Move what is there down, and draw what is new.
  scroll(top, moved) {
    const { raster } = this.chart.picture;
    raster.pixels.copyWithin(moved * raster.width, 0, (raster.height - moved) * raster.width);
    for (let y = 0; y < moved; y++) this.drawRow(y, top - y);
    this.drawBar();
  }

  drawRow(y, number) {
    const { chart, shown: rows, line, width, colors } = this;
    const { raster } = chart.picture;
    const { pixels } = raster;
    const ms = this.pixelMs;
    const at = y * raster.width;
    const ground = pixelOf(chart.palette.background);
    const { min, max } = colors.scale;
    const isUnknown = !rows.items || (colors.scale.isEmpty && !colors.scale.isFixed);
    if (isUnknown || !rows.read(number * ms, (number + 1) * ms, line)) {
      pixels.fill(ground, at, at + width);
      return;
    }
    const map = this.map;
    const zoom = map.length / (max - min);
    let item = 0;
    let color = ground;
    for (let x = 0; x < width; x++) {
      const to = this.itemEnds[x];
      if (item < to) {
        let value = NaN;
        for (; item < to; item++) if (!(value >= line[item])) value = line[item];
        color = value === value ? map[Math.min(map.length - 1, Math.max(0, Math.floor((value - min) * zoom)))] : ground;
      }
      pixels[at + x] = color;
    }
  }

  get map() {
    const { chart } = this;
    return colorPixels(chart.box.dataset.theme === "dark");
  }

  // The bar at the right, beside its labels.
  drawBar() {
    const { raster, area } = this.chart.picture;
    const { map } = this;
    const from = area.width - Math.round(BAR_PX * area.dpr);
    for (let y = 0; y < area.height; y++) {
      const step = Math.floor((1 - y / area.height) * (map.length - 1));
      cell(raster, from, area.width, y, y + 1, map[step]);
    }
  }

  handlePoint(event) {
    const { area, clip } = this.chart.picture;
    if (event.type === "pointerleave" || !area) {
      this.pointed = null;
      return;
    }
    const box = clip.getBoundingClientRect();
    this.pointed = [(event.clientX - box.left) * area.dpr, (event.clientY - box.top) * area.dpr];
  }

  // What is at the pointer, else the largest number of the newest array: {item, value, agoS}; null when there is nothing.
  get told() {
    const { shown: rows, line, pointed } = this;
    const { area } = this.chart.picture;
    if (!rows || rows.newest < 0 || line.length !== rows.items || !area) return null;
    const { width } = this;
    const isAt = pointed && pointed[0] >= 0 && pointed[0] < width && pointed[1] >= 0 && pointed[1] < area.height;
    const ms = isAt ? this.pixelMs : rows.rowMs;
    const number = isAt ? this.top - Math.floor(pointed[1]) : rows.newest;
    if (!rows.read(number * ms, (number + 1) * ms, line)) return null;
    let item = isAt ? Math.floor((pointed[0] / width) * rows.items) : 0;
    if (!isAt) for (let i = 1; i < rows.items; i++) if (!(line[item] >= line[i])) item = i;
    return { item: item * rows.group, value: line[item], agoS: isAt ? (pointed[1] * this.pixelMs) / 1000 : 0, isAt };
  }

  // In the legend.
  reading() {
    const { told } = this;
    if (!told) return this.pointed ? "–" : undefined;
    const value = valueText(told.value, this.colors.unit);
    return told.isAt ? `${value} at ${told.item}, ${told.agoS.toFixed(1)} s ago` : `largest ${value} at ${told.item}`;
  }

  get isSeen() {
    return (this.shown?.newest ?? -1) >= 0;
  }

  get range() {
    const end = (this.top + 1) * this.pixelMs;
    return Number.isNaN(end) ? [0, 0] : [end - this.windowMs, end];
  }

  describe() {
    const [signal] = this.chart.signals;
    return signal ? `waterfall of ${signal.name}: last ${this.windowMs / 1000} s, ${this.reading() ?? "nothing yet"}` : "";
  }

  // For tests.
  get drawn() {
    const { shown: rows, colors, told } = this;
    return { items: rows?.length ?? 0, newest: rows?.newestTime ?? NaN, colors: [colors.scale.min, colors.scale.max], told };
  }

  unmount() {
    for (const type of ["pointermove", "pointerleave"]) this.chart.picture.box.removeEventListener(type, this.point);
    if (this.sink) this.signal?.sinks.delete(this.sink);
  }
}
