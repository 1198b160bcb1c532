// One chart: a canvas, what it declares, the signals that it watches, and what it says of itself. How it is drawn is a painter's
// matter: the plain one is here, others are loaded where a chart asks for them.

import { readAttributes } from "./attributes.js";
import { Legend } from "./legend.js";
import { Notice } from "./notice.js";
import { Picture } from "./picture.js";
import { chartState, dataNotes } from "./state.js";
import { Strip } from "./strip.js";
import { PALETTES, themeOf } from "./theme.js";
import { arrangeAxes, arrangeStates, traceStyles } from "./traces.js";
import { Watching } from "./watching.js";

const BAND_REACH_PX = 8; // of the lines at its ends
const UNREAD = { signals: [], height: 120, colors: [], limits: null, title: "" }; // of attributes that cannot be used

export class Chart {
  constructor(canvas, feed) {
    this.canvas = canvas;
    this.feed = feed;
    this.picture = new Picture(canvas);
    this.box = document.createElement("div");
    this.box.className = "stripchart-box";
    this.picture.box.replaceWith(this.box);
    this.box.append(this.picture.box);
    this.legend = new Legend(this.box, (name) => this.toggle(name));
    this.notice = new Notice(this.picture.box);
    this.painter = null;
    this.settings = UNREAD;
    this.signals = [];
    this.watching = new Watching(this);
    this.axes = [];
    this.axisOf = []; // by signal
    this.styles = [];
    this.hidden = new Set(); // names of signals that are not drawn
    this.view = null; // of a chart that is not live: {columns(signal), losses(signal), rows(signal), badge, trouble, ...}
    this.marks = null; // draws over the traces: (raster, part, pixelsPerMs, traces)
    this.spans = null; // gives [start, end] of each time that is to be shown as a band
    this.stats = null; // {text(index)} of a chart whose legend has statistics
    this.states = null; // draws states as strips, once there are such
    this.label = null; // {update(words, localMs)}: what it is called for who cannot see it
    this.measured = null; // [start, end] that is being measured
    this.error = "";
    this.state = "connecting";
    this.size = null; // in device pixels
    this.isResized = false; // since it was laid out
    this.isLaidOut = false; // since size, attributes or value axes changed
    this.turn = 0; // how often its attributes were read
    this.isReady = false; // they were read, and what it needs for them was loaded
    this.isVisible = true;
    this.isDrawn = false; // since it was laid out: a chart out of sight is drawn once
    this.isDirty = true;
    this.picture.box.tabIndex = 0;
    this.picture.box.setAttribute("role", "group");
    this.picture.box.setAttribute("aria-label", "Chart");
    canvas.stripchart = this;
  }

  // Read the attributes again. While what they ask for is loaded they may change: the newest turn counts.
  async configure() {
    const turn = ++this.turn;
    this.error = "";
    this.isReady = this.hasFailed = false;
    try {
      const settings = readAttributes(this.canvas.dataset);
      const Painter = settings.type === "strip" ? Strip : (await import(`./type-${settings.type}.js`)).default;
      if (turn !== this.turn) return;
      this.use(Painter);
      this.painter.configure(settings, this.canvas.dataset);
      this.settings = settings;
    } catch (error) {
      if (turn !== this.turn) return;
      this.settings = UNREAD;
      this.error = error.message;
      console.warn(`stripchart: ${error.message}`, this.canvas);
    }
    this.canvas.style.height = `${this.settings.height}px`;
    this.isReady = true;
    this.watching.begin();
    this.isLaidOut = false;
    this.paint();
    this.refresh(performance.now());
  }

  use(Painter) {
    if (this.painter instanceof Painter) return;
    this.painter?.unmount?.();
    this.painter = new Painter(this);
    this.view = null;
  }

  resize(width, height) {
    if (!width || !height) return;
    this.size = [width, height];
    this.isResized = true;
    this.isLaidOut = this.isDrawn = false;
  }

  // Fit everything to size and attributes, and watch what is needed for it.
  layOut(localMs) {
    this.isLaidOut = true;
    this.picture.resize(...this.size, Math.max(0, this.axes.length - 1));
    if (!this.error) this.watching.want(this.painter.way(this.settings, this.picture.area), this.isResized, localMs);
    this.isResized = false;
    this.paint();
  }

  // For the feed: signals mean something else, or are told of for the first time.
  reset() {
    if (!this.isReady) return;
    const { axes, range } = this.settings;
    const before = this.axes.length;
    const arrange = (!this.error && this.painter?.arrange) || arrangeAxes;
    Object.assign(this, arrange(this.signals, axes, range, this.axes));
    if (this.settings.type === "strip" && arrangeStates(this.signals, this.axes, this.axisOf, this.settings.areStrips)) this.loadStates();
    if (Math.max(before, 1) !== Math.max(this.axes.length, 1)) this.isLaidOut = false;
    this.painter?.reset?.();
    this.wake();
  }

  async loadStates() {
    const found = await import("./states.js").catch((error) => console.warn(`stripchart: ${error.message}`)); // they are lines then
    if (found) this.states ??= new found.States(this);
    this.wake();
  }

  wake() {
    this.isDirty = true;
  }

  touch(time) {
    this.painter?.touch(time);
  }

  // Take the theme's colours again.
  paint() {
    if (!this.isReady) return;
    this.box.dataset.theme = themeOf(this.settings.theme);
    this.palette = PALETTES[this.box.dataset.theme];
    const colors = this.settings.colors.length ? this.settings.colors : this.palette.traces;
    this.styles = (this.painter?.styles ?? traceStyles)(this.palette, colors, this.signals.length);
    this.legend.build(this.signals.map(({ name }) => name), this.styles, this.settings.title, this.hidden);
    this.legend.root.hidden = this.settings.legend === "none";
    this.refreshLegend();
    this.isDirty = true;
    this.isDrawn = false;
  }

  // Hide a trace, or show it again.
  toggle(name) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    this.legend.items[this.signals.findIndex((signal) => signal.name === name)]?.item.setAttribute("aria-pressed", String(!this.hidden.has(name)));
    this.isDirty = true;
  }

  // For painters: what there is to draw of a signal.
  columnsOf(signal) {
    if (this.hidden.has(signal.name)) return null;
    return this.view ? this.view.columns(signal) : signal.shown;
  }

  lossesOf(signal) {
    return this.view ? this.view.losses(signal) : this.feed.channels.get(signal.channel)?.losses;
  }

  // Give each part of the picture the bands that are seen in it, [from, to] in pixels each; `xOf` gives the pixel of a time in a part.
  // False where there are none at all: a painter needs to draw but what moved then.
  putBands(parts, xOf) {
    const spans = this.spans?.(parts, xOf) ?? [];
    if (this.measured) spans.push(this.measured);
    for (const part of parts) {
      const [left, right] = [part.from - BAND_REACH_PX, Math.min(part.to, this.picture.area.width) + BAND_REACH_PX];
      part.bands = spans.map((span) => span.map((time) => xOf(time, part))).filter(([from, to]) => to > left && from < right);
    }
    return parts.some(({ bands }) => bands.length);
  }

  isDim(signal) {
    return !this.view && (this.state !== "live" || this.feed.isStale(signal, this.now));
  }

  // Draw if something moved. Called for every animation frame.
  draw(localMs) {
    if (!this.size || !this.isReady || (!this.isVisible && this.isDrawn)) return false;
    if (!this.isLaidOut) this.layOut(localMs);
    this.watching.settle(localMs);
    this.now = this.feed.clock.known ? this.feed.clock.now(localMs) : Date.now();
    let isDrawn = false;
    if (this.error) this.drawEmpty();
    else isDrawn = this.painter.draw(this.now, localMs);
    this.isDirty = false;
    this.isDrawn = true;
    return isDrawn;
  }

  drawEmpty() {
    if (!this.isDirty) return;
    this.picture.drawValues([], this.palette);
    this.picture.drawTraces({ palette: this.palette, ticks: [], traces: [], parts: [], pixelsPerMs: 1 });
  }

  // Values, state and words; a few times a second.
  refresh(localMs) {
    if (!this.isReady) return;
    const { feed } = this;
    const now = feed.clock.known ? feed.clock.now(localMs) : NaN;
    const [state, words, badge] = this.error
      ? ["error", this.error, ""]
      : chartState(feed.socket, this.signals, feed, now, localMs, (signal) => this.isInSight(signal));
    const hasTrace = !this.error && (this.view ? true : this.painter.isSeen ?? this.signals.some((signal) => this.isInSight(signal)));
    if (state !== this.state) this.isDirty = true;
    this.state = state;
    this.canvas.dataset.state = state;
    const own = (state === "live" && this.painter?.badge) || badge;
    this.notice.tell(words || own, this.view?.badge ?? own, hasTrace, state === "waiting" || state === "connecting" || state === "live");
    this.refreshLegend(now, localMs);
    this.painter?.refresh?.();
    this.label?.update(words, localMs);
  }

  isInSight(signal) {
    const columns = this.columnsOf(signal);
    if (this.view || !columns) return (columns?.newest ?? -1) >= 0;
    return columns.newest >= 0 && (columns.newest + 1) * columns.widthMs > (this.painter.range?.[0] ?? 0);
  }

  refreshLegend(now = NaN, localMs = 0) {
    const isLost = !this.view && this.state !== "live" && this.state !== "waiting";
    const isStale = (signal) => isLost || (!this.view && this.feed.isStale(signal, now));
    const notes = [...dataNotes(this.signals, this.feed, localMs), ...((!this.error && this.painter?.notes) || [])];
    this.legend.update(this.signals, isStale, notes.join(", "), (index) => this.painter?.reading?.(index));
  }

  // What was drawn last: per signal its columns as [start, end, first, min, max, last, samples, broken], times in ms.
  columns() {
    const [start, end] = this.painter?.range ?? [0, 0];
    const signals = this.signals.map((signal) => ({ name: signal.name, columns: this.columnsOf(signal)?.list(start, end) ?? [] }));
    const scales = this.axes.map(({ scale }) => [scale.min, scale.max]);
    return { start, end, signals, scales, area: this.picture.area, drawn: this.painter?.drawn };
  }

  unmount() {
    for (const signal of this.signals) this.feed.unwatch(signal, this);
    this.signals = [];
    this.painter?.unmount?.();
    this.box.remove();
    delete this.canvas.stripchart;
  }
}
