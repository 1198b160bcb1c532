// One chart of the history page: signals of one unit over the view, drawn by the renderer of the live charts.

import { ValueAxis } from "/static/stripchart/axis.js";
import { valueText } from "/static/stripchart/format.js";
import { Legend, sharedUnit } from "/static/stripchart/legend.js";
import { Notice } from "/static/stripchart/notice.js";
import { fold, pixelColumns } from "/static/stripchart/past/fold.js";
import { readAt } from "/static/stripchart/past/readout.js";
import { ViewTimes } from "/static/stripchart/past/ticks.js";
import { max } from "/static/stripchart/past/time.js";
import { Picture } from "/static/stripchart/picture.js";
import { Scale } from "/static/stripchart/scale.js";
import { unwatchSize, watchSize } from "/static/stripchart/sizes.js";
import { PALETTES, themeOf } from "/static/stripchart/theme.js";
import { pen, traceStyles } from "/static/stripchart/traces.js";

import { make } from "./dom.js";
import { bandsOf, drawMarkers } from "./history-marks.js";

const JOINED = 4; // usual intervals

export class HistoryChart {
  // `source` tells of the page: view, zone, tags, loaders by channel, and whether data is waited for.
  constructor(parent, signals, source, height) {
    this.source = source;
    this.signals = signals.map((signal) => ({ ...signal, isNumber: true, error: "", value: NaN, reading: "" }));
    this.canvas = make("canvas", { role: "img" });
    this.canvas.style.height = `${height}px`;
    this.box = make("div", { class: "stripchart-box" }, this.canvas);
    parent.append(this.box);
    this.picture = new Picture(this.canvas);
    this.cursor = make("div", { class: "cursor", hidden: "" });
    this.plotBox = this.picture.box;
    this.plotBox.classList.add("history-plot");
    this.plotBox.append(this.cursor);
    this.legend = new Legend(this.box);
    this.notice = new Notice(this.plotBox);
    this.scale = new Scale();
    this.axis = new ValueAxis(this.scale, 0);
    this.times = new ViewTimes();
    this.traces = [];
    this.extent = new Float64Array(2);
    this.isDirty = true;
    this.isExact = false;
    this.canvas.history = this;
    this.paint();
    watchSize(this.canvas, (width, height) => this.resize(width, height));
  }

  paint() {
    this.box.dataset.theme = themeOf("auto");
    this.palette = PALETTES[this.box.dataset.theme];
    this.styles = traceStyles(this.palette, this.palette.traces, this.signals.length);
    this.legend.build(this.signals.map((signal) => signal.name), this.styles);
    this.legend.update(this.signals, () => false, "");
    this.unit = sharedUnit(this.signals) ?? "";
    this.isDirty = true;
  }

  resize(width, height) {
    if (!width || !height) return;
    this.picture.resize(width, height, 0);
    this.plot = this.picture.area;
    this.traces = this.signals.map(() => pixelColumns(this.plot.width));
    this.isDirty = true;
    this.source.resized();
    this.draw(); // before the emptied canvas is shown
  }

  // `isSettled`: the view rests, so the value axis may shrink.
  draw(isSettled = false) {
    if (!this.plot || !this.isDirty) return;
    this.isDirty = false;
    const { picture, plot, palette, source } = this;
    this.fold();
    this.fit(isSettled);
    this.axis.unit = this.unit;
    picture.drawValues([this.axis], palette);
    const { start, end } = source.view;
    const ticks = this.times.at(start, end, source.zone, plot);
    picture.drawTimes(palette, ticks, this.times.label);
    const isDim = !this.isExact && source.isLate;
    const traces = this.signals.map((_, i) => ({
      columns: this.traces[i],
      scale: this.scale,
      style: pen(this.styles[i], isDim, false, plot.dpr),
    }));
    const marks = (raster) => traces.forEach(({ columns, style }, i) => {
      if (this.records[i] * 8 * plot.dpr < plot.width) drawMarkers(raster, columns, plot, this.scale, style.pixel);
    });
    const parts = [{ left: plot.width, from: 0, to: plot.width, phase: 0, bands: bandsOf(plot, source) }];
    picture.drawTraces({ palette, axis: this.axis, ticks, traces: traces.toReversed(), parts, pixelsPerMs: 1, marks });
    this.tell();
  }

  fold() {
    const { view } = this.source;
    const { width } = this.plot;
    this.isExact = true;
    this.hasHoles = false;
    this.damages = 0;
    this.records = this.signals.map((signal, index) => {
      const columns = this.traces[index];
      columns.clear();
      const loader = this.source.loaders.get(signal.channel);
      if (!loader) return 0;
      // So far away is looked for what the trace is joined to.
      const beside = max(view.length, BigInt(Math.ceil(JOINED * (loader.tiles.interval || 0))));
      const { pieces, holes } = loader.tiles.cover(view.start - beside, view.end + beside, this.source.width);
      const shown = (one) => one.end > view.start && one.start < view.end;
      if (holes.some(([start, end]) => shown({ start, end }))) this.hasHoles = true;
      if (this.hasHoles || pieces.some((piece) => !piece.isExact && shown(piece))) this.isExact = false;
      for (const piece of pieces) if (shown(piece)) this.damages = Math.max(this.damages, piece.tile.damages);
      const near = pieces.filter((piece) => shown(piece) || piece.tile.isRaw || piece.isExact);
      return fold(columns, signal.path, near, view.start, view.length, width, loader.tiles.interval);
    });
  }

  fit(isSettled) {
    this.extent[0] = Infinity;
    this.extent[1] = -Infinity;
    const { width } = this.plot;
    for (const columns of this.traces) columns.extremes(width, 2 * width, this.extent);
    // A line that only passes through.
    if (this.isEmpty) for (const columns of this.traces) columns.extremes(width - 1, 2 * width + 1, this.extent);
    if (isSettled && this.isExact) this.scale.isEmpty = true; // nothing holds it to what it was
    this.scale.fit(this.extent[0], this.extent[1], performance.now());
  }

  get isEmpty() {
    return !(this.extent[0] <= this.extent[1]);
  }

  // Words and badge.
  tell() {
    const { source } = this;
    const trouble = source.troubleOf(this.signals);
    const hasLine = this.traces.some((columns) => columns.newest >= 0);
    const words = trouble || (hasLine ? "" : this.isExact ? "No records in this range" : "Loading…");
    this.notice.tell(words, trouble ? "not loaded" : "", hasLine, !trouble);
    this.canvas.dataset.state = trouble ? "error" : this.isExact ? "exact" : "loading";
    const range = this.isEmpty ? "no records" : `${this.text(this.extent[0])} to ${this.text(this.extent[1])}`;
    const label = `${this.signals.map((signal) => signal.name).join(", ")}, ${source.rangeText()}: ${range}`;
    if (this.canvas.ariaLabel !== label) this.canvas.ariaLabel = label;
    this.label = label;
  }

  text(value) {
    return valueText(value, this.unit, this.signals.every((signal) => signal.isWhole));
  }

  // Show what there is at a time; null: nothing.
  point(time) {
    this.cursor.hidden = time === null || !this.plot;
    for (const signal of this.signals) {
      const loader = this.source.loaders.get(signal.channel);
      const found = time === null || !loader ? null : readAt(loader.tiles, signal.path, time, this.source);
      signal.reading = found ? found.text(signal) : "";
      signal.found = found;
    }
    this.legend.update(this.signals, () => false, "");
    if (this.cursor.hidden) return;
    const { left, width, dpr } = this.plot;
    const place = this.source.view.placeOf(time);
    this.cursor.hidden = place < 0 || place > 1;
    this.cursor.style.setProperty("--x", `${(left + place * width) / dpr}px`);
  }

  // Where in the plot a pixel of the page is, from 0 to 1.
  placeAt(clientX) {
    const { left, width, dpr } = this.plot;
    const box = this.canvas.getBoundingClientRect();
    return ((clientX - box.left) * dpr - left) / width;
  }

  // What was drawn: for tests and the curious.
  drawn() {
    const { width } = this.plot;
    return this.signals.map((signal, index) => {
      const { stamp, first, min, max, last, broken, capacity } = this.traces[index];
      const columns = [];
      for (let number = width; number < 2 * width; number++) {
        const slot = number % capacity;
        if (stamp[slot] === number) columns.push([number - width, first[slot], min[slot], max[slot], last[slot], broken[slot]]);
      }
      return { name: signal.name, columns, records: this.records[index] };
    });
  }

  unmount() {
    unwatchSize(this.canvas);
    this.box.remove();
  }
}
