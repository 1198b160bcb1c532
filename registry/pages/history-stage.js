// The charts over one view: what they show, where it comes from, when they are drawn.

import { arrange } from "./dom.js";
import { groups } from "./grouping.js";
import { HistoryChart } from "./history-chart.js";
import { Loader } from "/static/stripchart/past/loader.js";
import { widthFor } from "/static/stripchart/past/levels.js";
import { SECOND, max, stampText } from "/static/stripchart/past/time.js";
import { View } from "/static/stripchart/past/view.js";

const LATE_MS = 250; // a stand-in that is shown for longer is dimmed
const SETTLE_MS = 220; // a view that rests for so long
const CHARTS_PX = [180, 900]; // how high one is at least and at most
const BESIDE_PX = 390; // of the window that other things take
const LEGEND_PX = 45;

export class Stage {
  // `element` takes the charts; `hooks` are drawn(), settled(why), error(), gestures(chart).
  constructor(element, hooks) {
    this.element = element;
    this.hooks = hooks;
    this.view = new View();
    this.zone = "utc";
    this.tags = [];
    this.chosen = null; // a range that is being tagged
    this.pivot = "";
    this.signals = []; // shown
    this.charts = [];
    this.overview = null;
    this.loaders = new Map(); // by channel
    this.width = SECOND; // of buckets
    this.isComplete = false; // all of the view is there
    this.changedAt = -Infinity;
    this.isAdvancing = false;
    this.why = ""; // the view was moved, not by going on with the time, and has not rested since
    this.step = null; // a change of the view whose first drawing is measured
    this.frame = 0;
    this.view.onChange.add((why) => this.moved(why));
  }

  get channels() {
    return [...new Set(this.signals.map((signal) => signal.channel))];
  }

  get signalNames() {
    return this.signals.map((signal) => signal.name);
  }

  // How far the plots are from the sides of their charts, in CSS pixels.
  get inset() {
    const { plot, canvas } = this.charts[0] ?? {};
    if (!plot) return { left: 0, right: 0 };
    return { left: plot.left / plot.dpr, right: (canvas.width - plot.left - plot.width) / plot.dpr };
  }

  get isLate() {
    return performance.now() - this.changedAt > LATE_MS;
  }

  rangeText(view = this.view) {
    const step = max(view.length / 1000n, 1n);
    const fine = view.length > 20n * 86400n * SECOND ? 60e9 : Math.min(60e9, Number(step));
    return `${stampText(view.start, fine, this.zone)} – ${stampText(view.end, fine, this.zone)}`;
  }

  // Show these signals, of a catalogue's.
  choose(signals) {
    this.signals = signals;
    for (const [channel, loader] of this.loaders) {
      if (this.channels.includes(channel)) continue;
      loader.stop();
      this.loaders.delete(channel);
    }
    for (const channel of this.channels) {
      if (!this.loaders.has(channel)) {
        const loader = new Loader(this.pivot, channel, () => this.redraw(), this.hooks.error);
        this.loaders.set(channel, loader);
      }
      const own = signals.filter((signal) => signal.channel === channel);
      const loader = this.loaders.get(channel);
      loader.choose(own.map((signal) => signal.path), intervalOf(own));
      loader.from = own.reduce((first, signal) => (signal.first !== null && signal.first < first ? signal.first : first), own[0].first ?? 0n);
    }
    this.layOut();
    this.redraw();
  }

  layOut() {
    const made = groups(this.signals.map((signal) => ({ ...signal, number: true })));
    for (const chart of this.charts) chart.unmount();
    const share = (innerHeight - BESIDE_PX) / made.length - LEGEND_PX;
    const height = Math.round(Math.min(CHARTS_PX[1], Math.max(CHARTS_PX[0], share)));
    this.charts = made.map((group) => new HistoryChart(this.element, group, this, height));
    arrange(this.element, this.charts.map((chart) => chart.box));
    for (const chart of this.charts) this.hooks.gestures(chart);
  }

  paint() {
    for (const chart of this.charts) chart.paint();
    this.redraw();
  }

  moved(why) {
    const time = performance.now();
    this.changedAt = time;
    this.isAdvancing = why === "advance"; // the value axis shrinks late then, as that of a live chart
    if (!this.isAdvancing) this.step = { why, time, isFirst: true };
    this.redraw(why === "advance");
    clearTimeout(this.timer);
    if (why !== "advance") this.why = why;
    this.timer = setTimeout(() => this.settle(), SETTLE_MS);
  }

  settle() {
    this.redraw(false);
    if (this.why) this.hooks.settled(this.why);
    this.why = "";
  }

  resized() {
    this.request();
  }

  // `isAll`: of the whole recording something may be new, too.
  redraw(isAll = true) {
    for (const chart of this.charts) chart.isDirty = true;
    if (this.overview && isAll) this.overview.isDirty = true;
    this.request();
  }

  request() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const plot = this.charts[0]?.plot;
    if (plot) {
      this.width = widthFor(this.view.length, plot.width);
      this.load();
    }
    const isSettled = !this.isAdvancing && performance.now() - this.changedAt >= SETTLE_MS - 20;
    for (const chart of this.charts) chart.draw(isSettled);
    this.overview?.draw();
    this.isComplete = this.charts.length > 0 && this.charts.every((chart) => chart.isExact);
    this.measure();
    this.hooks.drawn();
    // A stand-in that waits is dimmed then.
    if (!this.isComplete && !this.isLate) setTimeout(() => this.redraw(false), LATE_MS);
  }

  load() {
    const { start, end } = this.view;
    const wants = [[start, end, this.width]];
    if (this.overview?.canvas.width) wants.push([...this.overview.range, this.overview.width]);
    for (const loader of this.loaders.values()) loader.need(wants);
  }

  // Tell how long it took from a step until something of it, and until all of it was drawn.
  measure() {
    if (!this.step) return;
    const { why, time, isFirst } = this.step;
    const told = (name) => performance.measure(name, { start: time, end: performance.now(), detail: { why, length: String(this.view.length) } });
    if (isFirst && this.charts.every((chart) => !chart.hasHoles)) {
      this.step.isFirst = false;
      told("history-first");
    }
    if (!this.isComplete) return;
    this.step = null;
    told("history-whole");
  }

  troubleOf(signals) {
    for (const { channel } of signals) {
      const trouble = this.loaders.get(channel)?.trouble;
      if (trouble) return trouble;
    }
    return "";
  }

  get isBusy() {
    return [...this.loaders.values()].some((loader) => loader.isBusy);
  }

  get damages() {
    return Math.max(0, ...this.charts.map((chart) => chart.damages ?? 0));
  }
}

// The usual interval between records of a channel, by how many there are; 0 when it cannot be told.
function intervalOf(signals) {
  const intervals = signals
    .filter((signal) => signal.count > 1 && signal.first !== null)
    .map((signal) => Number(signal.last - signal.first) / (signal.count - 1));
  return intervals.length ? Math.min(...intervals) : 0;
}
