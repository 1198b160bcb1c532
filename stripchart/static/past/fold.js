// From tiles to what the renderer draws: one column per device pixel, as live charts have them.

import { Columns } from "../columns.js";

const GAP = 3; // usual intervals without a record are a gap
const GAP_NS = 250e6; // and over so long
const ROUNDING = 1e-6; // of a bucket: times that are years from the view's start are not exact as doubles

// Columns for `fold`: one per pixel of a plot, one more plot's width on each side.
export const pixelColumns = (count) => new Columns(1, 3 * count + 8);

// Fill `columns` (by `pixelColumns` of `count`, the width of the plot) with one signal of pieces of tiles. Column `count` is
// the leftmost that is shown, those beside what is shown are joined to. `interval` is the usual one between
// records, NaN when unknown. Give how many records were met, or Infinity where buckets were.
export function fold(columns, name, pieces, start, length, count, interval) {
  const pen = new Pen(columns, count);
  const zoom = count / Number(length); // pixels a nanosecond
  for (const piece of pieces) foldPiece(pen, name, piece, start, zoom, GAP * interval);
  return pen.records;
}

// `shift` is what the tile's times are ahead of those of the view; over `gap` ns without a record are a gap.
export function foldPiece(pen, name, { tile, start: from, end: to, shift = 0n }, start, zoom, gap) {
  const column = tile.columns.get(name);
  if (!column) return;
  const base = Number(tile.start - shift - start); // of the tile's offsets, against the view's start
  const [low, high] = [Number(from - start), Number(to - start)];
  if (tile.isRaw) foldRecords(pen, tile.offsets, column.value, base, low, high, zoom, gap);
  else foldBuckets(pen, tile.offsets, column, base, low, high, zoom, Number(tile.width));
}

// How long there may be no record, in ns, without it being a gap, where one comes each `interval` ns: as the live server has it.
export const reachOf = (interval) => Math.max(GAP * (interval || 0), GAP_NS);

// The same with what a live chart holds (see Columns), of [from, to) in ms since 1970. The oldest column begins a window: what
// was before it was not sent, and it goes on from there if that is no further than `reach`, in ns.
export function foldColumns(pen, held, from, to, startMs, pixelsPerMs, reach = -1) {
  const { widthMs } = held;
  for (let n = Math.max(Math.floor(from / widthMs), held.oldest); n <= held.newest && n * widthMs < to; n++) {
    const slot = held.slot(n);
    if (slot < 0) continue;
    const begin = held.samples[slot] === 1 ? held.time[slot] : n * widthMs;
    const isJoined = n === held.oldest && (begin - startMs) * 1e6 - pen.end <= reach;
    if (held.broken[slot] && !isJoined) pen.lift();
    const at = (time) => (time - startMs) * pixelsPerMs;
    if (held.samples[slot] === 1) pen.record(at(held.time[slot]), held.last[slot], NaN);
    else {
      const middle = (held.first[slot] + held.last[slot]) / 2;
      pen.bucket(at(n * widthMs), at((n + 1) * widthMs), held.first[slot], held.min[slot], held.max[slot], held.last[slot], middle, NaN);
    }
  }
}

function foldRecords(pen, offsets, values, base, low, high, zoom, gap) {
  for (let i = lowest(offsets, low - base); i < offsets.length; i++) {
    const at = offsets[i] + base;
    if (at >= high) break;
    if (Number.isNaN(values[i])) pen.lift();
    else {
      if (at - pen.end > gap) pen.lift();
      pen.record(at * zoom, values[i], at);
    }
  }
}

function foldBuckets(pen, offsets, column, base, low, high, zoom, width) {
  const { first, min, max, last, avg } = column;
  for (let i = lowest(offsets, low - base - width); i < offsets.length; i++) {
    const at = offsets[i] + base;
    if (at >= high) break;
    if (Number.isNaN(min[i]) || at + width <= low) continue;
    if (at > pen.end + width * ROUNDING) pen.lift(); // a bucket without records is between
    const from = Math.max(at, low);
    const to = Math.min(at + width, high);
    pen.bucket(from * zoom, to * zoom, first[i], min[i], max[i], last[i], avg[i], to);
  }
}

// The first place of an offset that is not less.
export function lowest(offsets, wanted) {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Writes columns from left to right.
export class Pen {
  constructor(columns, count, isStep = false) {
    this.columns = columns;
    this.count = count;
    this.isStep = isStep; // values hold until the next one
    this.isLifted = true;
    this.end = NaN; // of what came last, in ns from the start of the view
    this.x = NaN; // of the value that is joined to, in pixels from the left
    this.value = NaN;
    this.records = 0;
    this.isRightJoined = false;
  }

  lift() {
    this.isLifted = true;
  }

  record(x, value, end) {
    if (x >= this.count) this.joinRight(x, value);
    else if (x >= 0) {
      this.joinLeft(x, value);
      this.put(Math.floor(x), value, value, value, value);
      this.records++;
    }
    this.keep(x, value, end);
  }

  bucket(from, to, first, min, max, last, middle, end) {
    this.records = Infinity;
    if (from >= this.count) this.joinRight(from, first);
    if (to > 0 && from < this.count) {
      if (from >= 0) this.joinLeft(from, first);
      const [left, right] = [Math.max(0, Math.floor(from)), Math.min(this.count - 1, Math.max(Math.floor(from), Math.ceil(to) - 1))];
      // A bucket wider than a pixel is a block: its records were anywhere in it.
      if (left === right) this.put(left, first, min, max, last);
      else for (let at = left; at <= right; at++) this.put(at, at === Math.floor(from) ? first : middle, min, max, at === right ? last : middle);
    }
    this.keep(to, last, end);
  }

  keep(x, value, end) {
    this.isLifted = false;
    this.end = end;
    this.x = x;
    this.value = value;
  }

  put(at, first, min, max, last) {
    const { columns, count } = this;
    const number = count + at;
    const slot = number % columns.capacity;
    if (columns.stamp[slot] === number) {
      if (min < columns.min[slot]) columns.min[slot] = min;
      if (max > columns.max[slot]) columns.max[slot] = max;
      columns.last[slot] = last;
      columns.samples[slot]++;
    } else columns.open(slot, number, first, min, max, last, number + 0.5, min === max ? 1 : 2, this.isLifted ? 1 : 0);
    this.isLifted = false;
  }

  // The line from what is left of the view comes in at its height there.
  joinLeft(x, value) {
    if (this.isLifted || !(this.x < 0)) return;
    this.put(-1, ...Array(4).fill(this.between(-1, x, value)));
  }

  joinRight(x, value) {
    if (this.isRightJoined || this.isLifted || Number.isNaN(this.x) || this.x >= this.count) return;
    if (this.x < 0) this.put(-1, ...Array(4).fill(this.between(-1, x, value)));
    this.put(this.count, ...Array(4).fill(this.between(this.count, x, value)));
    this.isRightJoined = true;
  }

  between(at, x, value) {
    if (this.isStep) return this.value;
    return this.value + ((value - this.value) * (at - this.x)) / Math.max(1e-9, x - this.x);
  }
}
