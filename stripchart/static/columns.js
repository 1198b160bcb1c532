// What is known of a trace: columns of absolute time, of each first, minimum, maximum and last, as they come from the
// server or made here of samples as they come. No peak is lost and drawing costs the same at any rate of samples.

export class Columns {
  // `widthMs` of time per column; the newest `capacity` columns are kept.
  constructor(widthMs, capacity) {
    this.widthMs = widthMs;
    this.capacity = capacity;
    this.stamp = new Float64Array(capacity); // number of the column that the slot holds
    this.first = new Float64Array(capacity);
    this.min = new Float64Array(capacity);
    this.max = new Float64Array(capacity);
    this.last = new Float64Array(capacity);
    this.time = new Float64Array(capacity); // of the sample, where it is one alone; else the middle of the column
    this.samples = new Uint32Array(capacity);
    this.broken = new Uint8Array(capacity); // not joined to the column before
    this.clear();
  }

  clear() {
    this.stamp.fill(-1);
    this.newest = -1; // number of the newest column
    this.oldest = Infinity; // number of the oldest that is kept
    this.isBroken = true; // a break came after the newest sample
    this.newestTime = -Infinity; // of the newest sample
    this.emptyTime = -Infinity; // of the newest record that had no value
  }

  // Nothing but nulls has come for longer than so many ms, as the records tell their times.
  isNullFor(ms) {
    return this.emptyTime - this.newestTime > ms;
  }

  // A copy that what comes later does not change.
  clone() {
    const copy = Object.assign(Object.create(Columns.prototype), this);
    for (const name of ["stamp", "first", "min", "max", "last", "time", "samples", "broken"]) copy[name] = this[name].slice();
    return copy;
  }

  // A sample; NaN is a break: the next one is not joined to the one before.
  push(time, value) {
    if (Number.isNaN(value)) {
      this.isBroken = true;
      if (time > this.emptyTime) this.emptyTime = time;
      return;
    }
    const number = Math.floor(time / this.widthMs);
    const slot = number % this.capacity;
    if (number <= this.newest - this.capacity) return;
    const isLate = time < this.newestTime; // it widens its column, the order of the trace stays
    if (this.stamp[slot] === number) {
      if (value < this.min[slot]) this.min[slot] = value;
      if (value > this.max[slot]) this.max[slot] = value;
      if (!isLate) this.last[slot] = value;
      this.samples[slot]++;
      this.time[slot] = (number + 0.5) * this.widthMs;
    } else if (this.stamp[slot] < number) this.open(slot, number, value, value, value, value, time, 1, !isLate && this.isBroken ? 1 : 0);
    if (isLate) return;
    this.isBroken = false;
    this.newestTime = time;
  }

  pushSamples(times, values) {
    for (let i = 0; i < values.length; i++) this.push(times[i], values[i]);
  }

  // Columns of a frame: see frame.js. Where there were too many they are wider than those here.
  pushColumns({ width, first, data: offsets }, { n, data, counts, marks }) {
    const span = Math.round(width / this.widthMs);
    for (let i = 0; i < n; i++) {
      this.pushColumn(first + offsets[i], data[i], data[n + i], data[2 * n + i], data[3 * n + i], counts[i], marks[i], span);
    }
  }

  // A column as the server knows it, as wide as `span` of those here: it takes the place of what was known of its time. Each of a
  // wide one gets the minimum and the maximum, which may have been in any; the samples are counted once, in the first of them.
  pushColumn(number, first, min, max, last, samples, broken, span = 1) {
    const start = number * span;
    const end = start + span;
    if (end <= this.newest - this.capacity + 1) return;
    if (!samples) {
      this.forget(start, end);
      this.isBroken = true;
      this.emptyTime = Math.max(this.emptyTime, start * this.widthMs);
      return;
    }
    const isBroken = broken || (this.isBroken && end > this.newest + 1) ? 1 : 0;
    if (span > 1 && samples === 1) {
      this.forget(start, end); // nobody knows where in it the sample is: it stands in the middle
      this.put(start + (span >> 1), first, min, max, last, 1, isBroken);
    } else {
      for (let n = start; n < end - 1; n++) this.put(n, first, min, max, first, n === start ? samples : 0, n === start ? isBroken : 0);
      this.put(end - 1, first, min, max, last, span === 1 ? samples : 0, span === 1 ? isBroken : 0);
    }
    this.newestTime = Math.max(this.newestTime, start * this.widthMs);
    this.isBroken = false;
  }

  put(number, first, min, max, last, samples, broken) {
    if (number <= this.newest - this.capacity) return;
    this.open(number % this.capacity, number, first, min, max, last, (number + 0.5) * this.widthMs, samples, broken);
  }

  // Hold nothing of the columns [start, end).
  forget(start, end) {
    for (let n = Math.max(start, this.oldest); n < end && n <= this.newest; n++) {
      const slot = n % this.capacity;
      if (this.stamp[slot] === n) this.stamp[slot] = -1;
    }
  }

  open(slot, number, first, min, max, last, time, samples, broken) {
    this.stamp[slot] = number;
    this.first[slot] = first;
    this.min[slot] = min;
    this.max[slot] = max;
    this.last[slot] = last;
    this.time[slot] = time;
    this.samples[slot] = samples;
    this.broken[slot] = broken;
    if (number > this.newest) this.newest = number;
    if (number < this.oldest) this.oldest = number;
    if (this.oldest <= this.newest - this.capacity) this.oldest = this.newest - this.capacity + 1;
  }

  // Slot of a column; -1 where it holds nothing.
  slot(number) {
    const slot = number % this.capacity;
    return number >= 0 && this.stamp[slot] === number ? slot : -1;
  }

  // Slot of the nearest column before (`step` -1) or after (1) a number that holds samples; -1 when none is kept.
  slotBeside(number, step) {
    let n = step < 0 ? Math.min(number - 1, this.newest) : Math.max(number + 1, this.oldest);
    for (; n >= this.oldest && n <= this.newest; n += step) {
      const slot = n % this.capacity;
      if (this.stamp[slot] === n) return slot;
    }
    return -1;
  }

  // Slot of the column that tells of a time: its own, else the last before it.
  slotAt(time) {
    const number = Math.floor(time / this.widthMs);
    const slot = this.slot(number);
    return slot >= 0 ? slot : this.slotBeside(number, -1);
  }

  // Widen `out` = [min, max] by the columns of [start, end) ms, infinities left out: no axis reaches so far.
  extremes(start, end, out) {
    const { stamp, min, max, capacity } = this;
    const last = Math.min(Math.ceil(end / this.widthMs) - 1, this.newest);
    let [low, high] = out;
    let n = Math.max(Math.floor(start / this.widthMs), this.oldest);
    for (let slot = n % capacity; n <= last; n++) {
      if (stamp[slot] === n) {
        if (min[slot] < low && min[slot] !== -Infinity) low = min[slot];
        if (max[slot] > high && max[slot] !== Infinity) high = max[slot];
      }
      if (++slot === capacity) slot = 0;
    }
    out[0] = low;
    out[1] = high;
  }

  // The columns that touch [start, end) ms: [start, end, first, min, max, last, samples, broken] each.
  list(start, end) {
    const { widthMs, first, min, max, last, samples, broken } = this;
    const found = [];
    for (let n = Math.max(Math.floor(start / widthMs), this.oldest); n <= this.newest && n * widthMs < end; n++) {
      const s = this.slot(n);
      if (s >= 0) found.push([n * widthMs, (n + 1) * widthMs, first[s], min[s], max[s], last[s], samples[s], broken[s]]);
    }
    return found;
  }

  // Newest value; NaN when there is none.
  get value() {
    return this.newest < 0 ? NaN : this.last[this.newest % this.capacity];
  }
}
