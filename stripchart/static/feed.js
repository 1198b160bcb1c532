// All signals that the page watches: what the server tells of them and who watches.

import { Channels } from "./channels.js";
import { ServerClock } from "./clock.js";
import { Delays } from "./delays.js";
import * as f from "./frame.js";
import { Signal } from "./signal.js";

const REDUCED_SHOWN_MS = 5000;
const REPORT_MS = 1000;
const NAMES_AT_ONCE = 30; // of at most 512 characters, in 64 KiB
const THINNED_MS = 1500; // out of sight for longer, frames come once a second

export class Feed {
  constructor(socket, clock = new ServerClock()) {
    this.socket = socket;
    this.clock = clock;
    this.signals = new Map(); // by how they are watched and their name
    this.ids = new Map(); // lists of signals by the server's number
    this.feeds = new Map(); // the numbers of ways to watch, by what they are
    this.channels = new Channels();
    this.wanted = new Set(); // to be subscribed in the next message
    this.unwanted = new Set(); // nobody watched them a moment ago
    this.tickMs = 50;
    this.merged = 0; // ticks that came late, merged into later ones, since the page was opened
    this.slow = { lateMs: 0, until: 0 }; // the connection was too slow for every sample until then (local time); how late frames come
    this.reportedAt = 0;
    this.tick = 0; // of the newest frame
    this.hiddenAt = document.visibilityState === "hidden" ? performance.now() : NaN; // since when nobody looks (local time); NaN while somebody does
    this.delays = new Delays();
    this.drawn = { fps: 0, ms: 0 }; // as reported
    this.onChannels = new Set(); // called when channels come, go or change
  }

  // Watch a signal; `way` is {window (s), columns (a second; none: samples as they are), stream (live or full),
  // arrays (whether arrays come, too)}.
  watch(name, way, watcher) {
    const kind = `${way.stream ?? "live"} ${way.columns ?? ""}${way.arrays ? "arrays" : ""}`;
    if (!this.feeds.has(kind)) this.feeds.set(kind, this.feeds.size);
    const key = `${kind} ${name}`;
    let signal = this.signals.get(key);
    if (!signal) this.signals.set(key, (signal = new Signal(name, this.feeds.get(kind), { ...way })));
    signal.key = key;
    if (way.window > signal.way.window || signal.watchers.size === 0) {
      signal.way.window = Math.max(way.window, signal.way.window);
      this.want(signal);
    }
    signal.watchers.add(watcher);
    return signal;
  }

  unwatch(signal, watcher) {
    if (!signal.watchers.delete(watcher)) return;
    if (!this.unwanted.size) queueMicrotask(() => this.unsubscribe());
    this.unwanted.add(signal);
  }

  unsubscribe() {
    const left = [...this.unwanted].filter((signal) => !signal.watchers.size && this.signals.get(signal.key) === signal);
    this.unwanted.clear();
    for (const signal of left) {
      this.signals.delete(signal.key);
      this.unlist(signal);
      this.wanted.delete(signal);
    }
    for (const [feed, signals] of Map.groupBy(left, (signal) => signal.feed)) {
      this.ask({ type: "unsubscribe", feed }, signals);
    }
  }

  // Send a message about signals in parts: the server takes but so much at once.
  ask(message, signals) {
    const names = signals.map((signal) => signal.name);
    for (let i = 0; i < names.length; i += NAMES_AT_ONCE) this.socket.send({ ...message, signals: names.slice(i, i + NAMES_AT_ONCE) });
  }

  unlist(signal) {
    const list = this.ids.get(signal.id)?.filter((one) => one !== signal);
    if (list?.length) this.ids.set(signal.id, list);
    else this.ids.delete(signal.id);
  }

  want(signal) {
    if (!this.wanted.size) queueMicrotask(() => this.subscribe());
    this.wanted.add(signal);
  }

  subscribe() {
    if (this.socket.state !== "open") return;
    const alike = Map.groupBy(this.wanted, ({ feed, way }) => `${feed} ${way.window}`);
    this.wanted.clear();
    for (const signals of alike.values()) {
      const { feed, way } = signals[0];
      this.ask({ type: "subscribe", feed, ...way }, signals);
    }
  }

  // The socket's handler.
  open() {
    this.clock.restart();
    this.channels.forgetLosses();
    this.wanted = new Set(this.signals.values());
    this.subscribe();
  }

  message(data) {
    if (typeof data === "string") this.handle(JSON.parse(data));
    else this.take(data);
  }

  state() {
    this.wakeAll();
  }

  wakeAll() {
    for (const signal of this.signals.values()) this.wake(signal);
  }

  wake(signal) {
    for (const watcher of signal.watchers) watcher.wake();
  }

  handle(message) {
    const { type } = message;
    if (type === "hello" || type === "tick") this.tickMs = message.tick_ms;
    else if (type === "channels") this.handleChannels(message);
    else if (type === "subscribed") message.signals.forEach((told) => this.handleSubscribed(told));
    else if (type === "status") this.handleStatus(message);
    else if (type === "latest") this.handleLatest(message);
    else if (type === "slow") this.slow = { lateMs: message.late_ms, until: performance.now() + REDUCED_SHOWN_MS };
    else if (type === "losses") this.handleLosses(message);
    else if (type === "error") console.warn(`live server: ${message.message}`);
  }

  handleChannels(message) {
    this.channels.tell(message.channels);
    this.onChannels.forEach((callback) => callback());
    this.wakeAll();
  }

  handleSubscribed(told) {
    for (const signal of this.signals.values()) {
      if (signal.name !== told.name || signal.feed !== (told.feed ?? 0)) continue;
      this.unlist(signal);
      signal.error = told.error ?? "";
      if (signal.error) signal.id = -1;
      else {
        signal.tell(told);
        this.ids.set(signal.id, [...(this.ids.get(signal.id) ?? []), signal]);
      }
      for (const watcher of signal.watchers) watcher.reset();
    }
  }

  handleStatus(message) {
    this.channels.tellStatus(message.channels);
  }

  handleLatest(message) {
    for (const signal of this.signals.values()) {
      if (signal.name in message.values) signal.text = message.values[signal.name];
    }
  }

  handleLosses({ channel, spans }) {
    if (this.channels.lose(channel, spans)) this.wakeAll();
  }

  // A binary frame.
  take(buffer) {
    let frame;
    try {
      frame = f.parseFrame(buffer);
    } catch (error) {
      this.socket.refuse(error.message);
      return;
    }
    const localMs = performance.now();
    const isSlow = localMs < this.slow.until;
    this.clock.observe(frame.serverTime, localMs, isSlow);
    this.merged += frame.merged;
    let axis = null;
    for (const block of frame.blocks) {
      if (block.kind === f.KIND_TIMES || block.kind === f.KIND_AXIS) {
        axis = block;
        if (!(block.flags & f.FLAG_RESET)) this.channels.arrived(block.id, frame.serverTime);
        continue;
      }
      for (const signal of this.ids.get(block.id) ?? []) {
        const isMeant = axis.kind === f.KIND_TIMES ? signal.isRaw || block.kind === f.KIND_ARRAYS : signal.columns.widthMs === axis.width / axis.count;
        if (isMeant) this.add(signal, axis, block);
      }
    }
    this.tick = frame.tick;
    this.delays.came(frame.serverTime);
    if (frame.merged || isSlow || localMs - this.reportedAt >= REPORT_MS) this.report(localMs);
  }

  // Tell the server that we keep up, and whether anybody looks. From here, as timers of a page out of sight are slow.
  report(localMs) {
    this.reportedAt = localMs;
    this.socket.send({ type: "report", tick: this.tick, hidden: !Number.isNaN(this.hiddenAt), ...this.drawn });
  }

  // The page went out of sight, or came back. Samples that came meanwhile as they are were thinned: their window is asked
  // for anew; columns are as they would be.
  look(isHidden, localMs) {
    const wasHidden = !Number.isNaN(this.hiddenAt) && localMs - this.hiddenAt > THINNED_MS;
    this.hiddenAt = isHidden ? localMs : NaN;
    if (this.socket.state !== "open") return;
    this.report(localMs);
    if (!isHidden && wasHidden) for (const signal of this.signals.values()) if (signal.isRaw && signal.id >= 0) this.want(signal);
  }

  // A server that holds no sample, as one just started, takes none away: what is known stays, and what follows is not
  // joined to it.
  add(signal, axis, block) {
    const { columns } = signal;
    const isReset = block.flags & f.FLAG_RESET;
    if (block.n && isReset) columns.clear();
    else if (block.flags & (f.FLAG_GAP | f.FLAG_RESET)) columns.isBroken = true;
    signal.isFilled = true;
    if (!block.n) return;
    if (block.kind === f.KIND_ARRAYS) signal.rows?.(axis.data, block);
    else if (block.counts) columns.pushColumns(axis, block);
    else columns.pushSamples(axis.data, block.data);
    for (const sink of signal.sinks) sink(axis.data, block.data, block.flags);
    if (columns.isNullFor(this.channels.limit(signal))) signal.value = NaN; // what was before is no value of now
    else if (!Number.isNaN(columns.value)) signal.value = columns.value;
    const earliest = axis.width ? axis.first * axis.width : axis.data[0];
    for (const watcher of signal.watchers) {
      if (isReset) watcher.wake();
      else watcher.touch(earliest);
    }
  }

  // Milliseconds since what a signal comes with was last heard of; NaN when it never was.
  age(signal, nowMs) {
    return this.channels.age(signal, nowMs);
  }

  isStale(signal, nowMs) {
    return this.age(signal, nowMs) > this.channels.limit(signal);
  }
}
