// A chart and a feed without a server: what the server would tell and send is made here.

import { Chart } from "/static/stripchart/chart.js";
import { Feed } from "/static/stripchart/feed.js";
import { FLAG_RESET, KIND_ARRAYS, KIND_FLOAT64, KIND_TIMES } from "/static/stripchart/frame.js";
import { Label } from "/static/stripchart/label.js";

const TICK_MS = 50;

// Bytes of a frame; each of `blocks` is [kind, flags, id, count, array].
export function frame(serverMs, blocks) {
  const sizes = blocks.map(([, , , , array]) => 16 + ((array.byteLength + 7) & ~7));
  const buffer = new ArrayBuffer(sizes.reduce((sum, size) => sum + size, 32));
  const view = new DataView(buffer);
  view.setUint32(0, 0x564c4453, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, blocks.length, true);
  view.setFloat64(16, serverMs, true);
  view.setUint32(24, buffer.byteLength, true);
  let at = 32;
  blocks.forEach(([kind, flags, id, count, array], order) => {
    const n = kind === KIND_ARRAYS ? array.length / count : array.length;
    [kind, flags].forEach((value, i) => view.setUint16(at + 2 * i, value, true));
    [id, n, count].forEach((value, i) => view.setUint32(at + 4 + 4 * i, value, true));
    new Uint8Array(buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at + 16);
    at += sizes[order];
  });
  return buffer;
}

export class Feeder {
  // `units` by signal of the channel c; those of `arrays` are arrays.
  constructor(units = {}, arrays = []) {
    this.units = units;
    this.arrays = arrays;
    this.ids = new Map();
    this.asked = []; // messages that subscribe
    this.feed = new Feed({ state: "open", send: (message) => this.answer(message), refuse: (why) => this.fail(why) });
    this.feed.handle({ type: "hello", tick_ms: TICK_MS });
    this.feed.handle({ type: "channels", channels: [{ name: "c", id: 1, signals: [] }] });
    this.feed.handle({ type: "status", channels: { c: { limit: 600_000 } } }); // however slowly a test goes on, it is not stale
    this.charts = [];
    this.madeAt = performance.now(); // time stands still but for what a test lets pass
  }

  fail(why) {
    throw new Error(why);
  }

  answer(message) {
    if (message.type !== "subscribe") return;
    this.asked.push(message);
    const signals = message.signals.map((name) => {
      if (!this.ids.has(name)) this.ids.set(name, 10 + this.ids.size);
      const isArray = this.arrays.includes(name);
      const [channel] = name.split(".");
      const told = { channel, raw: !isArray, type: isArray ? "array" : "double", unit: this.units[name] ?? null, number: !isArray };
      return { name, feed: message.feed, id: this.ids.get(name), ...told };
    });
    this.feed.handle({ type: "subscribed", signals });
  }

  // Declare a chart of a size in device pixels.
  async chart(attributes, [width, height] = [600, 300], dpr = 1) {
    const canvas = document.createElement("canvas");
    canvas.style.width = `${width / dpr}px`;
    for (const [name, value] of Object.entries(attributes)) canvas.dataset[name] = value;
    document.body.append(canvas);
    const chart = new Chart(canvas, this.feed);
    chart.label = new Label(chart);
    this.charts.push(chart);
    await chart.configure();
    canvas.style.width = `${width / dpr}px`;
    chart.resize(width, height);
    chart.draw(this.madeAt);
    await Promise.resolve(); // signals are asked for in a microtask
    return chart;
  }

  // Send samples of signals that have the same times: {name: values}.
  send(times, signals, flags = 0) {
    const blocks = [[KIND_TIMES, flags, 1, times.length, Float64Array.from(times)]];
    for (const [name, values] of Object.entries(signals)) {
      const isArray = this.arrays.includes(name);
      const array = isArray ? Float32Array.from(values.flat()) : Float64Array.from(values);
      blocks.push([isArray ? KIND_ARRAYS : KIND_FLOAT64, flags, this.ids.get(name), isArray ? values[0].length : values.length, array]);
    }
    this.feed.take(frame(times.at(-1), blocks));
    if (this.arrays.length) this.feed.handle({ type: "latest", values: Object.fromEntries(this.arrays.map((name) => [name, "[]"])) });
  }

  window(times, signals) {
    this.send(times, signals, FLAG_RESET);
  }

  // Draw and refresh all charts `laterMs` after the feeder was made: what draws at its leisure needs some.
  draw(laterMs = 0) {
    const localMs = this.madeAt + laterMs;
    for (const chart of this.charts) {
      chart.refresh(localMs);
      chart.draw(localMs);
      chart.refresh(localMs);
    }
  }

  // What the chart says: {note, badge, words, label, readings}.
  said(chart = this.charts.at(-1)) {
    const text = (selector) => chart.box.querySelector(selector).textContent;
    const readings = chart.legend.items.map(({ value }) => value.textContent);
    return { note: text(".stripchart-note"), badge: text(".stripchart-badge"), words: text(".stripchart-words"), label: chart.canvas.ariaLabel, readings };
  }

  close() {
    for (const chart of this.charts) chart.unmount();
  }
}

// `count` times in ms, `stepMs` apart, the last one now.
export function timesTillNow(count, stepMs) {
  const end = Math.floor(Date.now() / 1000) * 1000;
  return Float64Array.from({ length: count }, (_, i) => end - (count - 1 - i) * stepMs);
}
