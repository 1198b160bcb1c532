// The samples of a signal as they come, in the order of their times: one bounded store for all charts that watch it so.

import { FLAG_GAP, FLAG_REDUCED, FLAG_RESET } from "../frame.js";

const LIMIT = 1 << 18; // samples kept at most: 8 MiB with the room to move
const FIRST_CAPACITY = 1024;
const LATE_MOST = 4096; // a sample overtaken by more than so many is no late one: the clock of its source went back

const stores = new WeakMap(); // by signal

export class Samples {
  // The newest `spanMs` are kept, and no fewer than `least` samples, but never more than `limit`.
  constructor(spanMs, least = 0, limit = LIMIT) {
    this.spanMs = spanMs;
    this.least = least;
    this.limit = limit;
    this.time = new Float64Array(FIRST_CAPACITY); // ms since 1970
    this.value = new Float64Array(FIRST_CAPACITY); // NaN is a break: what follows is not joined to what was before
    this.clear();
  }

  clear() {
    this.start = 0; // the samples are [start, stop) of the arrays
    this.stop = 0;
    this.droppedTime = -Infinity; // of the newest sample that is gone though the span holds it
    this.reducedTime = -Infinity; // of the newest that is a minimum or maximum of more, as they came too fast
    this.pairedTime = -Infinity; // of the newest that has the time of the one before
  }

  // A signal's sink.
  take(times, values, flags) {
    if (flags & FLAG_RESET) this.clear();
    else if (flags & FLAG_GAP) this.push(times[0], NaN);
    for (let i = 0; i < values.length; i++) this.push(times[i], values[i]);
    if (flags & FLAG_REDUCED) this.reducedTime = times[times.length - 1];
  }

  push(time, value) {
    if (this.stop === this.time.length) this.makeRoom();
    let at = this.stop++;
    for (; at > this.start && this.time[at - 1] > time; at--) {
      this.time[at] = this.time[at - 1];
      this.value[at] = this.value[at - 1];
      if (this.stop - at > LATE_MOST) {
        this.clear();
        at = this.stop++;
        break;
      }
    }
    this.time[at] = time;
    this.value[at] = value;
    if (at > this.start && this.time[at - 1] === time && this.value[at - 1] === this.value[at - 1]) this.pairedTime = time;
  }

  // Drop what is too old and move the rest to the front, so that a loop over samples is one over an array.
  makeRoom() {
    const { time, value, start, stop } = this;
    const aged = Math.min(this.since(time[stop - 1] - this.spanMs), stop - this.least);
    const from = Math.max(start, aged, stop - this.limit);
    if (from > Math.max(start, aged)) this.droppedTime = time[from - 1];
    const kept = stop - from;
    if (2 * kept > time.length && time.length < 2 * this.limit) {
      const capacity = Math.min(2 * time.length, 2 * this.limit);
      this.time = new Float64Array(capacity);
      this.value = new Float64Array(capacity);
      this.time.set(time.subarray(from, stop));
      this.value.set(value.subarray(from, stop));
    } else {
      time.copyWithin(0, from, stop);
      value.copyWithin(0, from, stop);
    }
    this.start = 0;
    this.stop = kept;
  }

  // Index of the first sample at or after a time; `stop` when there is none.
  since(time) {
    let low = this.start;
    let high = this.stop;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // Index of the first sample after a time.
  after(time) {
    let at = this.since(time);
    while (at < this.stop && this.time[at] === time) at++;
    return at;
  }

  // Time of the newest sample; -Infinity when there is none.
  get newest() {
    return this.stop > this.start ? this.time[this.stop - 1] : -Infinity;
  }

  // Widen `out` = [min, max] by the samples [first, stop), infinities left out: no axis reaches so far.
  extremes(first, stop, out) {
    for (let i = first; i < stop; i++) {
      const value = this.value[i];
      if (!Number.isFinite(value)) continue;
      if (value < out[0]) out[0] = value;
      if (value > out[1]) out[1] = value;
    }
  }
}

// The store of a signal, which keeps at least so much from here on.
export function samplesOf(signal, spanMs, least = 0) {
  let store = stores.get(signal);
  if (!store) {
    stores.set(signal, (store = new Samples(spanMs, least)));
    signal.sinks.add((times, values, flags) => store.take(times, values, flags));
  }
  store.spanMs = Math.max(store.spanMs, spanMs);
  store.least = Math.min(store.limit, Math.max(store.least, least));
  const meaning = `${signal.type} ${signal.unit}`;
  if (signal.channel && store.meaning !== meaning) {
    if (store.meaning) store.clear(); // of what the name meant before
    store.meaning = meaning;
  }
  return store;
}
