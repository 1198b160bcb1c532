// A chart that is not live: paused, moved back or zoomed. It shows what the page held when it was paused, and the history service's
// records and buckets before that, and where they are finer.

import { textOf } from "../format.js";
import { isStep, tracesOf } from "../traces.js";
import { skewOf } from "../shown.js";
import { Archive } from "./archive.js";
import { pixelColumns, Pen, foldColumns, foldPiece, reachOf } from "./fold.js";
import { widthFor } from "./levels.js";
import { hidesStates, piecesOf, rowsOfPieces, without } from "./pieces.js";
import { max, min, stampText } from "./time.js";
import { StillView } from "./still.js";
import { ViewTimes } from "./ticks.js";

const FINE = 2; // pixels: what the page holds is as good as what could be asked for while its columns are no wider
const SETTLE_MS = 220;

const zones = { UTC: "utc" };
const nanos = (ms) => BigInt(Math.round(ms * 1e6));

export class Past {
  // `source` gives addresses of the history service and spans of recordings: {pivot(), first(channel)}.
  constructor(chart, source) {
    this.chart = chart;
    this.live = chart.painter;
    this.pausedAt = chart.now;
    this.held = new Map(chart.signals.map((signal) => [signal.name, signal.shown?.clone()]));
    // What stands still stands where the skew of then has put it, whatever the clocks of the sources do.
    const skews = new Map(this.channels.map((name) => [name, skewOf(chart, name)]));
    this.lossesHeld = new Map(this.channels.map((name) => [name, chart.feed.channels.get(name)?.losses ?? []]));
    this.lost = new Map(); // by channel: its losses in pixels, as drawn
    const [start, end] = chart.painter.range;
    this.shownFrom = nanos(start); // the window was full as far as there was anything
    this.view = new StillView();
    this.view.span(nanos(start), nanos(end));
    this.view.put(nanos(start), nanos(end));
    this.view.onChange.add(() => this.moved());
    this.times = new ViewTimes();
    this.extent = new Float64Array(2);
    this.traces = new Map();
    this.isCoarse = false; // there are states that are not drawn
    this.changedAt = -Infinity;
    // Records of each channel when it was paused.
    this.counts = new Map(this.channels.map((name) => [name, chart.feed.channels.get(name)?.records ?? 0]));
    const onFirst = (first) => this.view.span(min(this.view.first, first), max(this.view.last, nanos(this.pausedAt)));
    this.archive = new Archive(source, chart.signals, nanos(this.pausedAt), skews, { onLoad: () => chart.wake(), onFirst });
  }

  // Of a channel's source, in ns.
  skewOf(channel) {
    return this.archive.skewOf(channel);
  }

  get channels() {
    return [...new Set(this.chart.signals.map((signal) => signal.channel))].filter(Boolean);
  }

  configure() {}

  way(settings, area) {
    return this.live.way(settings, area);
  }

  moved() {
    this.changedAt = performance.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.chart.wake(), SETTLE_MS);
    this.chart.wake();
  }

  touch() {}

  // For the chart: what is shown of a signal.
  columns(signal) {
    return this.traces.get(signal);
  }

  // Known losses in pixels, those that the chart held and those that it has been told of since.
  losses(signal) {
    return this.lost.get(signal.channel);
  }

  findLosses(width) {
    this.lost = new Map(this.channels.map((name) => [name, this.lossesOf(name).map((span) => span.map((time) => this.columnTime(time, width)))]));
  }

  // Where a time (ms) is among the columns that are drawn, whose unit of time is a pixel.
  columnTime(time, width = this.chart.picture.area.width) {
    return (1 + this.view.placeOf(nanos(time))) * width;
  }

  lossesOf(channel) {
    const told = this.chart.feed.channels.get(channel)?.losses ?? [];
    const held = this.lossesHeld.get(channel) ?? [];
    return [...held.filter(([start]) => !(start >= told[0]?.[0])), ...told].filter(([start]) => start < this.pausedAt);
  }

  draw(nowMs, localMs) {
    const { chart, view } = this;
    if (!chart.isDirty) return false;
    const { picture, axes, palette } = chart;
    const { area } = picture;
    picture.shift(0);
    this.width = widthFor(view.length, area.width);
    this.archive.need(view.start, min(view.end, nanos(this.pausedAt)), this.width);
    this.findLosses(area.width);
    this.isCoarse = false;
    for (const signal of chart.signals) this.fold(signal, area.width);
    this.fit(area.width, localMs);
    const ticks = this.times.at(view.start, view.end, zones[chart.settings.zone] ?? chart.settings.zone, area);
    picture.drawValues(axes, palette);
    picture.drawTimes(palette, ticks, this.times.label);
    const parts = [{ left: area.width, from: 0, to: area.width, phase: 0 }];
    chart.putBands(parts, (time) => view.placeOf(nanos(time)) * area.width);
    picture.drawTraces({ palette, axis: axes[0], ticks, traces: tracesOf(chart), parts, pixelsPerMs: 1, marks: chart.marks });
    return true;
  }

  // What is drawn of a signal, one column per pixel.
  fold(signal, width) {
    const { view } = this;
    let columns = this.traces.get(signal);
    if (columns?.capacity !== pixelColumns(width).capacity) this.traces.set(signal, (columns = pixelColumns(width)));
    columns.clear();
    const pen = new Pen(columns, width, isStep(this.chart, signal));
    const zoom = width / Number(view.length);
    const interval = this.archive.loaderOf(signal)?.tiles.interval ?? NaN;
    const gap = Number.isNaN(interval) ? Infinity : reachOf(interval); // as on the live chart
    for (const piece of this.pieces(signal)) {
      this.isCoarse ||= hidesStates(piece, signal.path, view.start, view.end);
      if (piece.tile) foldPiece(pen, signal.path, piece, view.start, zoom, gap);
      else foldColumns(pen, piece.held, Number(piece.start) / 1e6, Number(piece.end) / 1e6, Number(view.start) / 1e6, zoom * 1e6, this.reach(signal, interval));
    }
  }

  // How far before what is held the last record may be that it goes on from: nothing was lost between them.
  reach(signal, interval) {
    const { oldest, widthMs } = this.held.get(signal.name);
    const reach = reachOf(interval);
    const [from, to] = [oldest * widthMs - reach / 1e6, (oldest + 1) * widthMs];
    return this.lossesOf(signal.channel).some(([start, end]) => start < to && end > from) ? -1 : reach;
  }

  // What is held is as good as what could be asked for.
  isFine(signal) {
    const held = this.held.get(signal.name);
    return !(held?.newest >= 0) || held.widthMs <= (FINE * Number(this.view.length)) / 1e6 / this.chart.picture.area.width;
  }

  // What stands for each part of the view and of what is beside it: tiles of the history, or what the page held; in order.
  pieces(signal) {
    const { view } = this;
    const beside = max(view.length, BigInt(Math.ceil(4 * (this.archive.loaderOf(signal)?.tiles.interval || 0))));
    const [from, to] = [view.start - beside, view.end + beside];
    return piecesOf(this.held.get(signal.name), this.archive.tiles(signal, from, to, this.width), from, to, this.isFine(signal));
  }

  // For files: each column and record that is shown of a signal.
  rows(signal) {
    return this.chart.hidden.has(signal.name) ? [] : rowsOfPieces(this.pieces(signal), signal, this.view.start, this.view.end);
  }

  // Some of what is to be seen of a signal is neither held nor there.
  isLacking(signal) {
    const { view } = this;
    const wanted = [[view.start, min(view.end, nanos(this.pausedAt))]].filter(([start, end]) => start < end);
    const held = this.held.get(signal.name);
    const first = held?.newest >= 0 ? min(nanos(held.oldest * held.widthMs), this.shownFrom) : this.shownFrom;
    const left = without(wanted, this.isFine(signal) ? [{ start: first, end: nanos(this.pausedAt) }] : []);
    return left.length > 0 && without(left, this.archive.tiles(signal, view.start, view.end, this.width).filter((piece) => piece.isExact)).length > 0;
  }

  // Why some of what is to be seen is not there, in words; "" where all is.
  get trouble() {
    const lacking = this.width ? this.chart.signals.filter((signal) => signal.channel && this.isLacking(signal)) : [];
    return lacking.length ? this.archive.troubleOf(lacking) : "";
  }

  fit(width, localMs) {
    const { chart, extent } = this;
    const rests = performance.now() - this.changedAt >= SETTLE_MS - 20;
    for (const axis of chart.axes) {
      if (axis.scale.isFixed) continue;
      extent[0] = Infinity;
      extent[1] = -Infinity;
      chart.signals.forEach((signal, index) => {
        if (chart.axisOf[index] === axis && !chart.hidden.has(signal.name)) this.traces.get(signal).extremes(width, 2 * width, extent);
      });
      if (rests && Number.isFinite(this.changedAt)) axis.scale.isEmpty = true; // nothing holds it to what it was
      axis.scale.fit(extent[0], extent[1], localMs);
    }
  }

  get range() {
    return [Number(this.view.start) / 1e6, Number(this.view.end) / 1e6];
  }

  // In the legend: the newest value that is shown, where no cursor reads another.
  reading(index) {
    const signal = this.chart.signals[index];
    const columns = this.traces.get(signal);
    if (!signal.isNumber || !columns || signal.reading !== null) return this.chart.stats?.text(index);
    const slot = columns.slotBeside(2 * this.chart.picture.area.width, -1);
    const value = slot < 0 || columns.stamp[slot] < this.chart.picture.area.width ? NaN : columns.last[slot];
    return this.chart.stats?.text(index) ?? textOf(signal, value);
  }

  // What the badge says: how far behind it is, what came meanwhile, and what is missing.
  get badge() {
    const behind = Math.max(0, this.chart.now - this.range[1]) / 1000;
    const came = this.channels.map((name) => (this.chart.feed.channels.get(name)?.records ?? 0) - (this.counts.get(name) ?? 0));
    const more = came.reduce((sum, count) => sum + Math.max(0, count), 0);
    const trouble = [this.trouble, this.isCoarse ? "not all states shown: zoom in" : ""].filter(Boolean).map((text) => `, ${text}`).join("");
    return `PAUSED ${behind < 120 ? `${behind.toFixed(0)} s` : `${(behind / 60).toFixed(0)} min`} behind, +${more.toLocaleString("en")} samples${trouble}`;
  }

  // For who cannot see it: the range that is shown.
  describe() {
    const { view, chart } = this;
    const zone = zones[chart.settings.zone] ?? chart.settings.zone;
    const [from, to] = [view.start, view.end].map((time) => stampText(time, Number(view.length) / 100, zone));
    return `${chart.settings.title || chart.signals.map((signal) => signal.name).join(", ")}: ${from} to ${to} ${this.times.label}`;
  }

  unmount() {
    clearTimeout(this.timer);
    this.archive.close();
  }
}
