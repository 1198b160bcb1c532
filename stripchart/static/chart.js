// One chart: a canvas, what it declares, and the drawing of it.

import { readAttributes } from "./attributes.js";
import { Axis, plotArea } from "./axis.js";
import { Columns } from "./columns.js";
import { spanText } from "./format.js";
import { Legend, sharedUnit } from "./legend.js";
import { Notice } from "./notice.js";
import { Scale } from "./scale.js";
import { chartState } from "./state.js";
import { PALETTES, themeOf } from "./theme.js";
import { ClockTimes } from "./times.js";
import { drawTrace, extremes, inPlot, traceStyles } from "./trace.js";

const DELAY_TICKS = 3; // the right edge is this many server ticks behind the server's clock: data is there in time

export class Chart {
  constructor(canvas, feed) {
    this.canvas = canvas;
    this.feed = feed;
    this.context = canvas.getContext("2d", { alpha: false });
    this.box = document.createElement("div");
    this.box.className = "stripchart-box";
    canvas.replaceWith(this.box);
    const plot = document.createElement("div");
    plot.className = "stripchart-plot";
    plot.append(canvas);
    this.box.append(plot);
    this.legend = new Legend(this.box);
    this.notice = new Notice(plot);
    this.scale = new Scale();
    this.axis = new Axis();
    this.times = new ClockTimes();
    this.signals = [];
    this.traces = new Map(); // columns by signal
    this.settings = null;
    this.error = "";
    this.state = "connecting";
    this.unit = ""; // of the value axis
    this.rightColumn = 0; // as drawn
    this.extent = new Float64Array(2);
    this.isVisible = true;
    this.isDrawn = false; // since it was laid out: a chart out of sight is drawn once
    this.isDirty = true;
    canvas.setAttribute("role", "img");
    canvas.stripchart = { columns: () => this.drawnColumns(), chart: this };
  }

  // Read the attributes again.
  configure() {
    this.error = "";
    try {
      this.settings = readAttributes(this.canvas.dataset);
    } catch (error) {
      this.error = error.message;
      console.warn(`stripchart: ${error.message}`, this.canvas);
    }
    const { signals, window, height, ymin, ymax } = this.error ? { signals: [] } : this.settings;
    this.canvas.style.height = `${height ?? 120}px`;
    const before = this.signals;
    this.signals = [...new Set(signals)].map((name) => this.feed.watch(name, window, this));
    for (const signal of before) if (!this.signals.includes(signal)) this.feed.unwatch(signal, this);
    this.traces = new Map(this.signals.map((signal) => [signal, new Columns()]));
    if (Number.isNaN(ymin)) this.scale.setAuto();
    else if (ymin !== undefined) this.scale.setFixed(ymin, ymax);
    this.paint();
    if (this.plot) this.layOut();
  }

  // Take the theme's colours again.
  paint() {
    this.box.dataset.theme = themeOf(this.settings?.theme);
    this.palette = PALETTES[this.box.dataset.theme];
    const colors = this.settings?.colors.length ? this.settings.colors : this.palette.traces;
    this.styles = traceStyles(this.palette, colors, this.signals.length);
    this.legend.build(this.signals.map((signal) => signal.name), this.styles);
    this.refreshLegend();
    this.isDirty = true;
    this.isDrawn = false;
  }

  resize(width, height) {
    if (!width || !height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.layOut();
  }

  // Fit columns to the plot area: one per device pixel.
  layOut() {
    const { width, height } = this.canvas;
    this.plot = plotArea(width, height, width / (this.canvas.clientWidth || width));
    this.widthMs = this.error ? 1000 : (this.settings.window * 1000) / this.plot.width;
    for (const [signal, columns] of this.traces) {
      columns.reset(this.widthMs, this.plot.width);
      columns.load(signal.ring);
    }
    this.isDirty = true;
    this.isDrawn = false;
  }

  // For the feed.
  columns(signal) {
    return this.traces.get(signal);
  }

  wake() {
    this.isDirty = true;
  }

  // Samples came from this time on: as a rule right of what is drawn yet, as the edge runs behind the server's clock.
  touch(time) {
    if (time < (this.rightColumn + 1) * this.widthMs) this.isDirty = true;
  }

  // Draw if something moved. Called for every animation frame.
  draw(localMs) {
    if (!this.plot || (!this.isVisible && this.isDrawn)) return;
    const now = this.feed.clock.known ? this.feed.clock.now(localMs) : Date.now();
    const edge = Math.floor((now - DELAY_TICKS * this.feed.tickMs) / this.widthMs);
    if (edge === this.rightColumn && !this.isDirty) return;
    this.rightColumn = edge;
    this.isDirty = false;
    this.isDrawn = true;
    const left = edge - this.plot.width + 1;
    this.fit(left, localMs);
    const { context, plot, palette } = this;
    context.fillStyle = palette.background;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.error) {
      this.axis.draw(context, plot, this.scale, palette, this.times.at(left, this.widthMs), this.unit);
      this.drawTraces(left, now);
    }
    const isQuiet = this.state === "waiting" || this.state === "connecting";
    this.notice.draw(context, plot, palette, !this.error && this.hasTrace(left), isQuiet);
  }

  hasTrace(left) {
    for (const columns of this.traces.values()) if (columns.newest >= left) return true;
    return false;
  }

  fit(left, localMs) {
    if (this.scale.isFixed || (this.state !== "live" && !this.scale.isEmpty)) return;
    this.extent[0] = Infinity;
    this.extent[1] = -Infinity;
    for (const columns of this.traces.values()) extremes(columns, left, this.plot.width, this.extent);
    this.scale.fit(this.extent[0], this.extent[1], localMs);
  }

  drawTraces(left, now) {
    const { context, plot } = this;
    inPlot(context, plot, () => {
      for (let i = this.signals.length - 1; i >= 0; i--) {
        const signal = this.signals[i];
        const isDim = this.state !== "live" || this.feed.isStale(signal, now);
        drawTrace(context, this.traces.get(signal), left, plot.width, plot, this.scale, this.styles[i], isDim);
      }
    });
  }

  // Values, state and words; a few times a second.
  refresh(localMs) {
    const { feed } = this;
    const now = feed.clock.known ? feed.clock.now(localMs) : NaN;
    const [state, words, badge] = this.error
      ? ["error", this.error, ""]
      : chartState(feed.socket, this.signals, feed, now, localMs);
    const unit = sharedUnit(this.signals) ?? "";
    if (this.notice.tell(words, badge) || state !== this.state || unit !== this.unit) this.isDirty = true;
    this.state = state;
    this.unit = unit;
    this.canvas.dataset.state = state;
    this.refreshLegend(now, localMs);
    const label = `${this.signals.map((signal) => signal.name).join(", ")}: last ${this.settings?.window ?? 0} s, ${words || "live"}`;
    if (this.canvas.ariaLabel !== label) this.canvas.ariaLabel = label;
  }

  refreshLegend(now = NaN, localMs = 0) {
    const isLost = this.state !== "live" && this.state !== "waiting";
    const isStale = (signal) => isLost || this.feed.isStale(signal, now);
    this.legend.update(this.signals, isStale, this.note(localMs));
  }

  // What else there is to know of the data shown.
  note(localMs) {
    const notes = [];
    for (const name of new Set(this.signals.map((signal) => signal.channel))) {
      const skew = this.feed.channels.get(name)?.skew ?? 0;
      if (skew) notes.push(`${name}: its clock is ${spanText(Math.abs(skew) / 1000)} ${skew > 0 ? "ahead" : "behind"}`);
    }
    if (localMs < this.feed.reducedUntil) notes.push("slow connection: fewer samples, no peak lost");
    return notes.join(", ");
  }

  // What was drawn last: per signal the visible columns as [time, first, min, max, last, broken].
  drawnColumns() {
    const left = this.rightColumn - (this.plot?.width ?? 0) + 1;
    const signals = [...this.traces].map(([signal, columns]) => {
      const drawn = [];
      for (let column = left; column <= this.rightColumn; column++) {
        const slot = column % columns.capacity;
        if (columns.stamp[slot] !== column) continue;
        const { first, min, max, last, broken } = columns;
        drawn.push([column * this.widthMs, first[slot], min[slot], max[slot], last[slot], broken[slot]]);
      }
      return { name: signal.name, columns: drawn };
    });
    return { widthMs: this.widthMs, left, right: this.rightColumn, scale: this.scale, plot: this.plot, signals };
  }

  unmount() {
    for (const signal of this.signals) this.feed.unwatch(signal, this);
    this.signals = [];
    this.traces.clear();
    this.box.remove();
    delete this.canvas.stripchart;
  }
}
