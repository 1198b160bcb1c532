// Hands and keys on the charts of a page: cursor, pause, moving through time, and what the bar over a chart offers. Loaded when the
// first chart is pointed at.

import { Cursor } from "./cursor.js";
import { handleKey } from "./keys.js";
import { Gestures } from "./past/gestures.js";
import { Past } from "./past/painter.js";
import { PastSource } from "./past/source.js";
import { Toolbar } from "./toolbar.js";

const WINDOWS_S = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];
const READ_MS = 100; // between two readings at the cursor

export class Tools {
  constructor(feed, charts) {
    this.feed = feed;
    this.charts = charts;
    this.source = new PastSource();
    this.hands = new Map(); // by chart
    this.cursors = new Map(); // by group of charts whose cursors move together
    this.readAt = 0;
  }

  attach(chart) {
    if (!this.hands.has(chart)) this.hands.set(chart, new Hand(chart, this));
  }

  // Take up what the pointer did before there were tools.
  begin({ target, clientX }) {
    const chart = [...this.charts.values()].find(({ picture }) => picture.box.contains(target));
    if (chart?.painter?.range && clientX !== undefined) this.hands.get(chart).point(this.hands.get(chart).placeAt(clientX));
  }

  cursorOf(chart) {
    const { sync } = chart.settings;
    const key = sync === "none" ? chart : sync;
    if (!this.cursors.has(key)) this.cursors.set(key, new Cursor());
    return this.cursors.get(key);
  }

  // Called for every animation frame.
  draw() {
    const now = performance.now();
    const isDue = now - this.readAt >= READ_MS;
    if (isDue) this.readAt = now;
    for (const [chart, hand] of this.hands) {
      if (chart.canvas.isConnected) hand.draw(this.cursorOf(chart), isDue);
      else this.hands.delete(chart);
    }
  }
}

// What one chart is moved and read by.
class Hand {
  constructor(chart, tools) {
    this.chart = chart;
    this.tools = tools;
    this.box = chart.picture.box;
    this.line = document.createElement("div");
    this.line.className = "stripchart-cursor";
    this.time = document.createElement("span");
    this.line.append(this.time);
    this.line.hidden = true;
    chart.picture.clip.append(this.line);
    this.bar = new Toolbar(chart, this);
    this.gestures = new Gestures(this.box, this, new ViewOf(this), this.actions(), { wheelNeedsKey: true, hasKeys: false });
    this.box.addEventListener("keydown", (event) => handleKey(event, this));
    this.box.setAttribute("aria-keyshortcuts", "Space ArrowLeft ArrowRight + - Home End L T D M S C");
    this.x = NaN;
  }

  actions() {
    return {
      point: (place) => this.point(place),
      click: (place) => this.lock(place),
      mark: () => {},
      tag: (from, to) => this.isStrip && this.markRange(from, to),
    };
  }

  get cursor() {
    return this.tools.cursorOf(this.chart);
  }

  get isPaused() {
    return this.chart.painter instanceof Past || this.chart.painter?.isHeld === true;
  }

  // Only a plain chart has time along it: the other types can be held and have another window, nothing else.
  get isStrip() {
    return this.chart.settings.type === "strip" && Boolean(this.chart.painter?.range);
  }

  placeAt(clientX) {
    const { left, width, dpr } = this.chart.picture.area;
    return ((clientX - this.chart.canvas.getBoundingClientRect().left) * dpr - left) / width;
  }

  timeAt(place) {
    const [start, end] = this.chart.painter.range;
    return start + place * (end - start);
  }

  placeOf(time) {
    const [start, end] = this.chart.painter.range;
    return (time - start) / (end - start);
  }

  point(place) {
    if (this.isStrip && !this.cursor.isLocked) this.cursor.point(place, place === null ? null : this.timeAt(place));
  }

  lock(place) {
    if (!this.isStrip) return;
    this.cursor.isLocked = false;
    this.point(place);
    this.cursor.isLocked = true;
  }

  // Move the cursor by pixels, from the right edge if there is none.
  step(pixels) {
    const { cursor, chart } = this;
    if (!this.isStrip) return;
    const place = cursor.place ?? 1;
    cursor.point(Math.min(1, Math.max(0, place + pixels / chart.picture.area.width)), null);
    cursor.time = this.timeAt(cursor.place);
    this.speak();
  }

  // Pause: the chart stands still, what comes is kept in its own columns.
  pause() {
    if (this.isPaused || !this.chart.painter?.range) return;
    if (this.isStrip) {
      this.chart.painter = new Past(this.chart, this.tools.source);
      this.chart.view = this.chart.painter;
    } else this.chart.painter.hold(true);
    this.chart.wake();
    this.bar.update();
  }

  resume() {
    if (!this.isPaused) return;
    const past = this.chart.painter;
    if (past instanceof Past) {
      past.unmount();
      this.chart.painter = past.live;
      this.chart.view = null;
    } else past.hold(false);
    this.chart.wake();
    this.bar.update();
  }

  // The view to move: that of a chart that stands still.
  still() {
    this.pause();
    return this.chart.painter.view;
  }

  zoom(factor, place = 1) {
    if (this.isStrip && (this.isPaused || place < 0.9)) this.still().zoom(factor, place);
    else this.zoomLive(factor);
  }

  // A chart that is live shows a longer or shorter window; longer than any is history.
  zoomLive(factor) {
    const { canvas, settings } = this.chart;
    const next = factor > 1 ? WINDOWS_S.find((s) => s > settings.window) : WINDOWS_S.findLast((s) => s < settings.window);
    if (next) canvas.dataset.window = next;
    else if (factor > 1 && this.isStrip) this.still().zoom(factor, 1);
  }

  // Move by parts of the view; past its end the chart is live again.
  pan(part) {
    if (!this.isStrip || (!this.isPaused && part > 0)) return;
    const view = this.still();
    view.pan(part);
    if (part > 0 && Number(view.end) / 1e6 >= this.chart.now) this.resume();
  }

  async markRange(from, to) {
    const { addMark } = await import("./marks.js");
    addMark(this, this.timeAt(Math.min(from, to)), this.timeAt(Math.max(from, to)));
  }

  // The cursor as it is now: where it points, what is there.
  draw(cursor, isDue) {
    const { chart } = this;
    if (isDue) this.bar.update();
    const hasPlace = cursor.place !== null && chart.picture.area && this.isStrip;
    if (hasPlace && cursor.isPinned) cursor.place = this.placeOf(cursor.time);
    const isShown = hasPlace && cursor.place >= 0 && cursor.place <= 1;
    if (this.line.hidden === isShown) this.line.hidden = !isShown;
    if (!isShown) {
      this.read(NaN);
      return;
    }
    const { width, dpr } = chart.picture.area;
    const x = Math.round(cursor.place * width) / dpr;
    if (x !== this.x) this.line.style.transform = `translateX(${x}px)`;
    this.line.classList.toggle("locked", cursor.isLocked);
    this.line.classList.toggle("left", cursor.place > 0.5);
    this.x = x;
    if (isDue) this.read(cursor.isPinned ? cursor.time : this.timeAt(cursor.place));
  }

  // Tell what each signal has at a time, beside its name; NaN: nothing.
  read(time) {
    if (Number.isNaN(time) && Number.isNaN(this.readTime)) return;
    this.readTime = time;
    const { chart } = this;
    for (const signal of chart.signals) signal.reading = Number.isNaN(time) ? null : this.tools.cursorOf(chart).read(chart, signal, time);
    chart.refreshLegend(chart.now, performance.now());
    const text = Number.isNaN(time) ? "" : this.tools.cursorOf(chart).timeText(chart, time);
    if (this.time.textContent !== text) this.time.textContent = text;
  }

  speak() {
    this.read(this.cursor.time);
    const told = this.chart.signals.map((signal) => `${signal.name} ${signal.reading ?? ""}`).join(", ");
    this.bar.speak(`${this.time.textContent}: ${told}`);
  }
}

// The view as gestures move it: that of a still chart, which it becomes when it is moved.
class ViewOf {
  constructor(hand) {
    this.hand = hand;
  }

  get start() {
    return BigInt(Math.round(this.hand.chart.painter.range[0] * 1e6));
  }

  get end() {
    return BigInt(Math.round(this.hand.chart.painter.range[1] * 1e6));
  }

  pan(part) {
    this.hand.pan(part);
  }

  zoom(factor, place) {
    this.hand.zoom(factor, place);
  }

  show(start, end, why) {
    if (!this.hand.isStrip || (!this.hand.isPaused && start >= this.start)) return;
    this.hand.still().show(start, end, why);
  }
}
