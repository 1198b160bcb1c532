// Recent samples of one signal in two typed arrays, in order of arrival. Memory is bounded by `limit`.

const FIRST_CAPACITY = 2048;

export class SampleRing {
  // Samples older than `spanMs` against the newest make room for new ones; at `limit` samples the oldest go anyway.
  constructor(spanMs, limit = 1 << 18) {
    this.spanMs = spanMs;
    this.limit = limit;
    this.clear();
  }

  clear() {
    this.capacity = Math.min(FIRST_CAPACITY, this.limit);
    this.time = new Float64Array(this.capacity);
    this.value = new Float64Array(this.capacity);
    this.head = 0; // where the next sample goes
    this.length = 0;
  }

  push(time, value) {
    if (this.length === this.capacity && this.capacity < this.limit) {
      const oldest = this.time[this.head];
      if (oldest > time - this.spanMs) this.grow();
    }
    this.time[this.head] = time;
    this.value[this.head] = value;
    this.head = this.head + 1 === this.capacity ? 0 : this.head + 1;
    if (this.length < this.capacity) this.length++;
  }

  grow() {
    const capacity = Math.min(2 * this.capacity, this.limit);
    const time = new Float64Array(capacity);
    const value = new Float64Array(capacity);
    for (let i = 0; i < this.length; i++) {
      const slot = this.slot(i);
      time[i] = this.time[slot];
      value[i] = this.value[slot];
    }
    this.time = time;
    this.value = value;
    this.capacity = capacity;
    this.head = this.length % capacity;
  }

  // Array index of the i-th oldest sample.
  slot(i) {
    const slot = this.head - this.length + i;
    return slot < 0 ? slot + this.capacity : slot;
  }

  // Time of the sample that came last; there must be one.
  get newestTime() {
    return this.time[this.slot(this.length - 1)];
  }

  // Newest sample that is not a break; NaN when there is none.
  get last() {
    for (let i = this.length - 1; i >= 0; i--) {
      const value = this.value[this.slot(i)];
      if (!Number.isNaN(value)) return value;
    }
    return NaN;
  }
}
