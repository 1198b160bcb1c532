// What a trace looks like: one column per device pixel, aligned to absolute time, updated as samples arrive.
//
// A column holds first, min, max and last of its samples, so drawing costs the same at any sample rate and no peak is
// lost. NaN is a break: the next sample is not joined to the one before.

export class Columns {
  constructor() {
    this.reset(1, 1);
  }

  // `widthMs` of time per column; the newest `count` columns and as many before them are kept.
  reset(widthMs, count) {
    const capacity = 2 * count + 8;
    this.widthMs = widthMs;
    if (capacity !== this.capacity) {
      this.capacity = capacity;
      this.stamp = new Float64Array(capacity); // number of the column that the slot holds
      this.first = new Float64Array(capacity);
      this.min = new Float64Array(capacity);
      this.max = new Float64Array(capacity);
      this.last = new Float64Array(capacity);
      this.samples = new Uint32Array(capacity);
      this.broken = new Uint8Array(capacity); // not joined to the column before
    }
    this.clear();
  }

  clear() {
    this.stamp.fill(-1);
    this.newest = -1; // number of the newest column
    this.isBroken = true; // a break came after the newest sample
    this.time = -Infinity; // of the newest sample
    this.value = NaN; // of the newest sample as it is joined
    this.before = NaN; // of the one before it
  }

  columnOf(time) {
    return Math.floor(time / this.widthMs);
  }

  push(time, value) {
    if (Number.isNaN(value)) {
      this.isBroken = true;
      return;
    }
    const column = Math.floor(time / this.widthMs);
    if (column <= this.newest - this.capacity) return;
    const slot = column % this.capacity;
    if (time < this.time) this.pushLate(column, slot, value);
    else this.pushNext(column, slot, time, value);
  }

  pushNext(column, slot, time, value) {
    const isTwin = time === this.time && !this.isBroken;
    if (this.stamp[slot] !== column) {
      this.open(column, slot, value, this.isBroken ? 1 : 0);
      this.newest = column;
      this.step(value);
    } else {
      this.widen(slot, value);
      // Two samples of one time (a minimum and a maximum) have no order: the nearer to what came before is joined to it.
      if (isTwin && Math.abs(value - this.before) < Math.abs(this.value - this.before)) {
        if (this.samples[slot] === 2) this.first[slot] = value;
      } else {
        if (!isTwin) this.before = this.value;
        this.last[slot] = this.value = value;
      }
    }
    this.isBroken = false;
    this.time = time;
  }

  step(value) {
    this.before = this.isBroken ? value : this.value;
    this.value = value;
  }

  // A sample older than the newest: it widens its column, the order of the trace stays.
  pushLate(column, slot, value) {
    if (this.stamp[slot] === column) this.widen(slot, value);
    else if (this.stamp[slot] < column) this.open(column, slot, value, 0);
  }

  open(column, slot, value, broken) {
    this.stamp[slot] = column;
    this.first[slot] = this.min[slot] = this.max[slot] = this.last[slot] = value;
    this.samples[slot] = 1;
    this.broken[slot] = broken;
  }

  widen(slot, value) {
    if (value < this.min[slot]) this.min[slot] = value;
    if (value > this.max[slot]) this.max[slot] = value;
    this.samples[slot]++;
  }

  // Fill from a ring of samples.
  load(ring) {
    this.clear();
    for (let i = 0; i < ring.length; i++) {
      const slot = ring.slot(i);
      this.push(ring.time[slot], ring.value[slot]);
    }
  }

  // Slot of the newest column before `column` that holds samples; -1 when none is kept.
  slotBefore(column) {
    const oldest = Math.max(0, column - (this.capacity >> 1));
    for (let c = column - 1; c >= oldest; c--) {
      const slot = c % this.capacity;
      if (this.stamp[slot] === c) return slot;
    }
    return -1;
  }
}
