// Arrays over time, bounded: rows of equal spans of time, of each number the largest. Pure.

import { FLAG_RESET } from "../frame.js";

const ROWS = 1024; // in the span
const BESIDE = 64; // rows more, as what is drawn lags behind what came
const ITEMS_MOST = 2048; // numbers kept of an array; of a longer one the largest of each few

export class Rows {
  constructor(spanMs) {
    this.spanMs = spanMs;
    this.rowMs = spanMs / ROWS;
    this.capacity = ROWS + BESIDE;
    this.stamp = new Float64Array(this.capacity); // number of the row that the slot holds
    this.layOut(0);
  }

  // Take arrays of at most so many numbers.
  layOut(length) {
    this.length = length;
    this.group = Math.max(1, Math.ceil(length / ITEMS_MOST));
    this.items = Math.ceil(length / this.group);
    this.data = new Float32Array(this.capacity * this.items);
    this.clear();
  }

  clear() {
    this.stamp.fill(-1);
    this.newest = -1; // number of the newest row
    this.newestTime = NaN;
    this.usualMs = NaN; // between two arrays
  }

  // A signal's sink: arrays of equal length, one after the other.
  take(times, values, flags) {
    if (!times.length) return;
    const length = values.length / times.length;
    if (flags & FLAG_RESET) this.clear();
    if (length > this.length) this.layOut(length);
    for (let i = 0; i < times.length; i++) this.push(times[i], values, i * length, length);
  }

  push(time, values, from, length) {
    const number = Math.floor(time / this.rowMs);
    if (number <= this.newest - this.capacity) return;
    const slot = number % this.capacity;
    const at = slot * this.items;
    if (this.stamp[slot] !== number) {
      this.stamp[slot] = number;
      this.data.fill(NaN, at, at + this.items);
    }
    for (let i = 0; i < length; i++) {
      const value = values[from + i];
      const place = at + (this.group === 1 ? i : Math.floor(i / this.group));
      if (!(this.data[place] >= value)) this.data[place] = value === value ? value : this.data[place];
    }
    const interval = time - this.newestTime;
    if (interval > 0) this.usualMs = Number.isNaN(this.usualMs) ? interval : this.usualMs + (interval - this.usualMs) / 8;
    if (!(time <= this.newestTime)) this.newestTime = time;
    if (number > this.newest) this.newest = number;
  }

  // A copy that what comes later does not change.
  clone() {
    return Object.assign(Object.create(Rows.prototype), this, { data: this.data.slice(), stamp: this.stamp.slice() });
  }

  // Slot of a row; -1 where it holds nothing.
  slot(number) {
    const slot = number % this.capacity;
    return number >= 0 && this.stamp[slot] === number ? slot : -1;
  }

  // Put the largest of each number over [start, end) ms into `out`: of the rows whose middle is there. Where no array came,
  // the one before counts as long as the next is not overdue. False where there is none.
  read(start, end, out) {
    const first = Math.ceil(start / this.rowMs - 0.5);
    const last = Math.min(Math.ceil(end / this.rowMs - 0.5) - 1, this.newest);
    let isFound = false;
    for (let number = first; number <= last; number++) isFound = this.merge(this.slot(number), out, isFound) || isFound;
    if (isFound || Number.isNaN(this.usualMs)) return isFound;
    const least = first - Math.ceil((1.5 * this.usualMs) / this.rowMs);
    for (let number = Math.min(first - 1, this.newest); number >= least && number >= 0; number--) {
      if (this.merge(this.slot(number), out, false)) return true;
    }
    return false;
  }

  merge(slot, out, isMore) {
    if (slot < 0) return false;
    const { data, items } = this;
    const at = slot * items;
    for (let i = 0; i < items; i++) {
      const value = data[at + i];
      if (!isMore || !(out[i] >= value)) out[i] = isMore && value !== value ? out[i] : value;
    }
    return true;
  }

  // Widen `out` = [min, max] by all rows from a time on, infinities left out: no scale reaches so far.
  extremes(start, out) {
    const first = Math.floor(start / this.rowMs);
    for (let slot = 0; slot < this.capacity; slot++) {
      if (this.stamp[slot] < first || this.stamp[slot] < 0) continue;
      for (let at = slot * this.items; at < (slot + 1) * this.items; at++) {
        const value = this.data[at];
        if (!Number.isFinite(value)) continue;
        if (value < out[0]) out[0] = value;
        if (value > out[1]) out[1] = value;
      }
    }
  }
}
