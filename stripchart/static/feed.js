// All signals that the page shows: what the server tells of them, their samples, and who watches.

import { ServerClock } from "./clock.js";
import { FLAG_GAP, FLAG_REDUCED, FLAG_RESET, KIND_TIMES, parseFrame } from "./frame.js";
import { Signal } from "./signal.js";

const REDUCED_SHOWN_MS = 5000;

export class Feed {
  constructor(socket, clock = new ServerClock()) {
    this.socket = socket;
    this.clock = clock;
    this.signals = new Map(); // by name as declared
    this.ids = new Map(); // signals by the server's number
    this.channels = new Map(); // by name: {name, id, signals, last, limit, skew, ...}
    this.channelIds = new Map();
    this.pasts = new Map(); // channels by name as they were last known: one that comes again is as old as it was
    this.wanted = new Set(); // to be subscribed in the next message
    this.tickMs = 50;
    this.reducedUntil = 0; // the connection was too slow for every sample until then (local time)
    this.onChannels = new Set(); // called when channels come, go or change
  }

  // Watch a signal over a window. The watcher is told by wake() and its columns are kept filled.
  watch(name, windowS, watcher) {
    let signal = this.signals.get(name);
    if (!signal) this.signals.set(name, (signal = new Signal(name, windowS)));
    if (windowS > signal.windowS || signal.watchers.size === 0) {
      signal.widen(windowS);
      this.want(signal);
    }
    signal.watchers.add(watcher);
    return signal;
  }

  unwatch(signal, watcher) {
    signal.watchers.delete(watcher);
    queueMicrotask(() => {
      if (signal.watchers.size || this.signals.get(signal.name) !== signal) return;
      this.signals.delete(signal.name);
      this.ids.delete(signal.id);
      this.wanted.delete(signal);
      this.socket.send({ type: "unsubscribe", signals: [signal.name] });
    });
  }

  want(signal) {
    if (!this.wanted.size) queueMicrotask(() => this.subscribe());
    this.wanted.add(signal);
  }

  subscribe() {
    if (this.socket.state !== "open") return;
    const byWindow = Map.groupBy(this.wanted, (signal) => signal.windowS);
    this.wanted.clear();
    for (const [window, signals] of byWindow) {
      this.socket.send({ type: "subscribe", window, signals: signals.map((signal) => signal.name) });
    }
  }

  // The socket's handler.
  open() {
    this.clock.restart();
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
    if (message.server_time) this.clock.observe(message.server_time, performance.now());
    if (message.type === "hello") this.tickMs = message.tick_ms;
    else if (message.type === "channels") this.handleChannels(message);
    else if (message.type === "subscribed") message.signals.forEach((told) => this.handleSubscribed(told));
    else if (message.type === "status") this.handleStatus(message);
    else if (message.type === "latest") this.handleLatest(message);
    else if (message.type === "error") console.warn(`live server: ${message.message}`);
  }

  handleChannels(message) {
    for (const [name, channel] of this.channels) this.pasts.set(name, channel);
    this.channels = new Map();
    this.channelIds.clear();
    for (const told of message.channels) {
      const channel = { last: null, limit: 3000, skew: 0, ...this.pasts.get(told.name), ...told };
      this.channels.set(told.name, channel);
      this.channelIds.set(told.id, channel);
    }
    this.onChannels.forEach((callback) => callback());
    this.wakeAll();
  }

  handleSubscribed(told) {
    const signal = this.signals.get(told.name);
    if (!signal) return;
    this.ids.delete(signal.id);
    if (!told.error && signal.channel && (signal.type !== told.type || signal.unit !== (told.unit ?? ""))) this.forget(signal);
    signal.error = told.error ?? "";
    signal.id = told.id ?? -1;
    this.wake(signal);
    if (signal.error) return;
    signal.unit = told.unit ?? "";
    signal.type = told.type;
    signal.channel = told.channel;
    signal.isNumber = told.number;
    this.ids.set(signal.id, signal);
  }

  forget(signal) {
    signal.forget();
    for (const watcher of signal.watchers) watcher.columns(signal)?.clear();
  }

  handleStatus(message) {
    for (const [name, told] of Object.entries(message.channels)) {
      const channel = this.channels.get(name);
      if (channel) Object.assign(channel, told, { last: Math.max(told.last ?? 0, channel.last ?? 0) || null });
    }
  }

  handleLatest(message) {
    for (const [name, text] of Object.entries(message.values)) {
      const signal = this.signals.get(name);
      if (signal) signal.text = text;
    }
  }

  // A binary frame.
  take(buffer) {
    let frame;
    try {
      frame = parseFrame(buffer);
    } catch (error) {
      this.socket.refuse(error.message);
      return;
    }
    const localMs = performance.now();
    this.clock.observe(frame.serverTime, localMs);
    let times = null;
    for (const block of frame.blocks) {
      if (block.kind === KIND_TIMES) {
        times = block.data;
        if (!(block.flags & FLAG_RESET)) this.arrived(block.id, frame.serverTime);
        continue;
      }
      if (frame.merged && block.flags & FLAG_REDUCED) this.reducedUntil = localMs + REDUCED_SHOWN_MS;
      const signal = this.ids.get(block.id);
      if (signal) this.add(signal, times, block.data, block.flags);
    }
  }

  arrived(channelId, serverTime) {
    const channel = this.channelIds.get(channelId);
    if (channel) channel.last = serverTime;
  }

  // A server that holds no sample, as one just started, takes none away: what is known stays, and what follows is not
  // joined to it.
  add(signal, times, values, flags) {
    if (!values.length) {
      if (flags & FLAG_RESET) this.addBreak(signal);
      return;
    }
    if (flags & FLAG_RESET) signal.clear();
    if (flags & FLAG_GAP) signal.ring.push(times[0], NaN);
    for (let i = 0; i < values.length; i++) {
      signal.ring.push(times[i], values[i]);
      if (!Number.isNaN(values[i])) signal.value = values[i];
    }
    for (const watcher of signal.watchers) {
      const columns = watcher.columns(signal);
      if (columns) this.fill(columns, signal, times, values, flags);
      if (flags & FLAG_RESET) watcher.wake();
      else watcher.touch(times[0]);
    }
  }

  addBreak(signal) {
    const { ring } = signal;
    if (!ring.length) return;
    ring.push(ring.newestTime, NaN);
    for (const watcher of signal.watchers) watcher.columns(signal)?.push(ring.newestTime, NaN);
  }

  fill(columns, signal, times, values, flags) {
    if (flags & FLAG_RESET) columns.clear();
    if (flags & FLAG_GAP) columns.push(times[0], NaN);
    for (let i = 0; i < values.length; i++) columns.push(times[i], values[i]);
  }

  // Milliseconds since the channel of a signal was last heard of, by the server's clock; NaN when it never was.
  age(signal, nowMs) {
    const { ring } = signal;
    // The server tells once a second; until it has, there is the newest sample.
    const last = this.channels.get(signal.channel)?.last ?? (ring.length ? ring.newestTime : 0);
    return last ? Math.max(0, nowMs - last) : NaN;
  }

  isStale(signal, nowMs) {
    return this.age(signal, nowMs) > (this.channels.get(signal.channel)?.limit ?? 3000);
  }
}
