// A chart that is not live: paused, moved back or zoomed. It shows what the page held when it was paused, and the history service's
// records and buckets before that, and where they are finer.

import { pen as penOf } from "../traces.js";
import { pixelColumns, Pen, foldColumns, foldPiece } from "./fold.js";
import { widthFor } from "./levels.js";
import { Loader } from "./loader.js";
import { max, min } from "./time.js";
import { ViewTimes } from "./ticks.js";
import { View } from "./view.js";

const FINE = 2; // pixels: what the page holds is as good as what could be asked for while its columns are no wider
const SETTLE_MS = 220;

const zones = { UTC: "utc" };
const nanos = (ms) => BigInt(Math.round(ms * 1e6));

export class Past {
  // `source` gives addresses of the history service and spans of recordings: {pivot(), first(channel)}.
  constructor(chart, source) {
    this.chart = chart;
    this.live = chart.painter;
    this.source = source;
    this.pausedAt = chart.now;
    this.held = new Map(chart.signals.map((signal) => [signal.name, signal.shown?.clone()]));
    const [start, end] = chart.painter.range;
    this.view = new StillView();
    this.view.span(nanos(start), nanos(end));
    this.view.put(nanos(start), nanos(end));
    this.view.onChange.add(() => this.moved());
    this.times = new ViewTimes();
    this.loaders = new Map();
    this.extent = new Float64Array(2);
    this.traces = new Map();
    this.changedAt = -Infinity;
    // Records of each channel when it was paused.
    this.counts = new Map(this.channels.map((name) => [name, chart.feed.channels.get(name)?.records ?? 0]));
    this.lookBack();
  }

  get channels() {
    return [...new Set(this.chart.signals.map((signal) => signal.channel))].filter(Boolean);
  }

  configure() {}

  way(settings, area) {
    return this.live.way(settings, area);
  }

  // Learn how far back the recordings go, and get ready to ask for them.
  async lookBack() {
    try {
      const pivot = await this.source.pivot();
      for (const channel of this.channels) {
        const loader = new Loader(pivot, channel, () => this.chart.wake(), () => this.chart.wake());
        const own = this.chart.signals.filter((signal) => signal.channel === channel && signal.isNumber);
        const known = await this.source.signals(pivot, channel);
        loader.from = known.reduce((first, one) => (one.first === null ? first : min(first, one.first)), nanos(this.pausedAt));
        const mine = known.filter((one) => own.some((signal) => signal.path === one.path));
        const spans = mine.filter((one) => one.count > 1 && one.first !== null).map((one) => Number(one.last - one.first) / (one.count - 1));
        loader.choose(mine.map((one) => one.path), spans.length ? Math.min(...spans) : 0);
        if (mine.length) this.loaders.set(channel, loader);
        this.view.span(min(this.view.first, loader.from), max(this.view.last, nanos(this.pausedAt)));
      }
    } catch (error) {
      this.trouble = error.message;
    }
    this.chart.wake();
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

  losses() {
    return [];
  }

  draw(nowMs, localMs) {
    const { chart, view } = this;
    if (!chart.isDirty) return false;
    const { picture, axes, palette } = chart;
    const { area } = picture;
    picture.shift(0);
    this.width = widthFor(view.length, area.width);
    const needed = [view.start, min(view.end, nanos(this.pausedAt))];
    if (needed[0] < needed[1]) for (const loader of this.loaders.values()) loader.need([[...needed, this.width]]);
    for (const signal of chart.signals) this.fold(signal, area.width);
    this.fit(area.width, localMs);
    const ticks = this.times.at(view.start, view.end, zones[chart.settings.zone] ?? chart.settings.zone, area);
    picture.drawValues(axes, palette);
    picture.drawTimes(palette, ticks, this.times.label);
    const traces = chart.signals.map((signal, index) => this.traceOf(signal, index)).reverse();
    const parts = [{ left: area.width, from: 0, to: area.width, phase: 0 }];
    const bands = chart.bandsOf((time) => view.placeOf(nanos(time)) * area.width);
    picture.drawTraces({ palette, axis: axes[0], ticks, bands, traces, parts, pixelsPerMs: 1, marks: chart.marks });
    return true;
  }

  traceOf(signal, index) {
    const { chart } = this;
    const isStep = chart.settings.isStep || signal.type === "boolean" || signal.type === "enum";
    return {
      signal,
      columns: chart.hidden.has(signal.name) ? null : this.traces.get(signal),
      scale: chart.axisOf[index].scale,
      style: penOf(chart.styles[index], false, isStep, chart.picture.area.dpr),
      losses: [],
    };
  }

  // What is drawn of a signal, one column per pixel.
  fold(signal, width) {
    const { view } = this;
    let columns = this.traces.get(signal);
    if (columns?.capacity !== pixelColumns(width).capacity) this.traces.set(signal, (columns = pixelColumns(width)));
    columns.clear();
    const pen = new Pen(columns, width);
    const zoom = width / Number(view.length);
    const interval = this.loaders.get(signal.channel)?.tiles.interval ?? NaN;
    for (const piece of this.pieces(signal, 1 / (zoom * 1e6))) {
      if (piece.tile) foldPiece(pen, signal.path, piece, view.start, zoom, interval);
      else foldColumns(pen, piece.held, Number(piece.start) / 1e6, Number(piece.end) / 1e6, Number(view.start) / 1e6, zoom * 1e6);
    }
  }

  // What stands for each part of the view: tiles of the history, or what the page held; in order.
  pieces(signal, pixelMs) {
    const { view } = this;
    const loader = this.loaders.get(signal.channel);
    const beside = max(view.length, BigInt(Math.ceil(4 * (loader?.tiles.interval || 0))));
    const [from, to] = [view.start - beside, view.end + beside];
    const tiles = loader?.names.includes(signal.path) ? loader.tiles.cover(from, to, this.width).pieces : [];
    const held = this.held.get(signal.name);
    if (!(held?.newest >= 0)) return tiles;
    const [first, last] = [nanos(held.oldest * held.widthMs), nanos((held.newest + 1) * held.widthMs)];
    const winners = held.widthMs <= FINE * pixelMs ? [] : tiles.filter((piece) => piece.isExact);
    const own = without([[max(first, from), min(last, to)]], winners).map(([start, end]) => ({ held, start, end }));
    const rest = tiles.flatMap((piece) => without([[piece.start, piece.end]], own).map(([start, end]) => ({ ...piece, start, end })));
    return [...own, ...rest].filter((piece) => piece.end > piece.start).sort((a, b) => (a.start < b.start ? -1 : 1));
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

  reading(index) {
    return this.chart.stats?.text(index);
  }

  // What the badge says: how far behind it is, and what came meanwhile.
  get badge() {
    const behind = Math.max(0, this.chart.now - this.range[1]) / 1000;
    const came = this.channels.map((name) => (this.chart.feed.channels.get(name)?.records ?? 0) - (this.counts.get(name) ?? 0));
    const more = came.reduce((sum, count) => sum + Math.max(0, count), 0);
    return `PAUSED ${behind < 120 ? `${behind.toFixed(0)} s` : `${(behind / 60).toFixed(0)} min`} behind, +${more.toLocaleString("en")} samples`;
  }

  unmount() {
    clearTimeout(this.timer);
    for (const loader of this.loaders.values()) loader.stop();
  }
}

// A view that does not go on with the time: the chart that does is the live one.
class StillView extends View {
  get isLive() {
    return false;
  }
}

// What is left of ranges [start, end) without those of pieces.
function without(ranges, pieces) {
  let left = ranges;
  for (const { start, end } of pieces) {
    left = left.flatMap(([from, to]) => {
      if (end <= from || start >= to) return [[from, to]];
      return [[from, start], [end, to]].filter(([a, b]) => a < b);
    });
  }
  return left;
}
