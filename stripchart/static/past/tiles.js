// Tiles of one channel's signals that are known, and which of them stand for a range best.

import { max, min } from "./time.js";
import { TILE, tileAt, tileLength, tileStart } from "./levels.js";

const KEPT = 400; // tiles, unless it is said otherwise
const SPARSE = 2; // records a bucket: with fewer, the records themselves are as good
const USUAL = 0.9; // of the intervals between records are not longer than the usual one
const FEW = 8; // records that tell no usual interval

// Records or buckets of a range. `times` are BigInt64Array, `offsets` the same as doubles from `start`; columns are by
// signal: {value} of records, {first, min, max, last, avg, count} of buckets, each a Float64Array with NaN for nothing.
export class Tile {
  constructor(width, index, isRaw, times, columns) {
    this.width = width; // of the buckets that it is as long as TILE of
    this.index = index;
    this.start = tileStart(index, width);
    this.end = this.start + tileLength(width);
    this.isRaw = isRaw;
    this.times = times;
    this.offsets = Float64Array.from(times, (time) => Number(time - this.start));
    this.columns = columns;
    this.damages = 0; // places of the archive that could not be read, of what was asked for with it
    this.loadedAt = 0; // by performance.now()
    this.isOpen = false; // records may still come
    this.usedAt = 0;
    this.interval = isRaw ? usualInterval(this.offsets) : NaN;
  }

  // The most records that a signal has between two times, as far as can be told.
  recordsWithin(from, to) {
    if (this.isRaw) return this.times.length;
    let most = 0;
    for (const { count } of this.columns.values()) {
      let sum = 0;
      for (let i = 0; i < count.length; i++) if (this.times[i] + this.width > from && this.times[i] < to) sum += count[i];
      most = Math.max(most, sum);
    }
    return most;
  }

  get isSparse() {
    return !this.isRaw && this.recordsWithin(this.start, this.end) <= SPARSE * Number(TILE);
  }
}

// What most intervals between records are at most, in ns; NaN where there are too few.
export function usualInterval(offsets) {
  const intervals = [];
  for (let i = 1; i < offsets.length; i++) if (offsets[i] > offsets[i - 1]) intervals.push(offsets[i] - offsets[i - 1]);
  if (intervals.length < FEW) return NaN;
  intervals.sort((a, b) => a - b);
  return intervals[Math.floor((intervals.length - 1) * USUAL)];
}

export class Tiles {
  constructor(limit = KEPT) {
    this.limit = limit;
    this.levels = new Map(); // by width: tiles by index
    this.count = 0;
    this.interval = NaN; // between records, where tiles of records have told one
  }

  get(width, index) {
    return this.levels.get(width)?.get(index);
  }

  put(tile) {
    let level = this.levels.get(tile.width);
    if (!level) this.levels.set(tile.width, (level = new Map()));
    if (!level.has(tile.index)) this.count++;
    level.set(tile.index, tile);
    tile.usedAt = performance.now();
    if (!Number.isNaN(tile.interval)) this.interval = tile.interval;
    if (this.count > this.limit) this.drop();
  }

  // Forget those that were not used for longest.
  drop() {
    const all = [...this.levels.values()].flatMap((level) => [...level.values()]);
    all.sort((a, b) => a.usedAt - b.usedAt);
    const dropped = all.slice(0, Math.ceil(this.limit / 4));
    for (const tile of dropped) this.levels.get(tile.width).delete(tile.index);
    this.count -= dropped.length;
  }

  // Tiles of a level that touch [start, end), in order.
  touching(width, start, end) {
    const level = this.levels.get(width);
    if (!level?.size) return [];
    const [first, last] = [tileAt(start, width), tileAt(end - 1n, width)];
    if (last - first >= level.size) {
      return [...level.values()].filter((tile) => tile.index >= first && tile.index <= last).sort((a, b) => (a.index < b.index ? -1 : 1));
    }
    const found = [];
    for (let index = first; index <= last; index++) if (level.has(index)) found.push(level.get(index));
    return found;
  }

  // The best there is for [start, end) at a width of buckets: [{tile, start, end, isExact}] in order. Exact are tiles of
  // that width and all records; then what is coarser stands in, then what is finer.
  cover(start, end, width) {
    const exact = (tile) => tile.isRaw || tile.width === width;
    const widths = [...this.levels.keys()].sort((a, b) => (a < b ? -1 : 1));
    const coarser = widths.filter((one) => one > width);
    const order = [width, ...coarser, ...widths.filter((one) => one < width).reverse()];
    const pieces = [];
    let holes = [[start, end]];
    for (const wanted of [exact, (tile) => !exact(tile)]) {
      for (const one of order) {
        if (!holes.length) break;
        holes = holes.flatMap((hole) => this.fill(hole, one, wanted, pieces));
      }
    }
    for (const piece of pieces) piece.isExact = exact(piece.tile);
    return { pieces: pieces.sort((a, b) => (a.start < b.start ? -1 : 1)), holes };
  }

  // Take what a level has of a hole; what is left of it.
  fill([start, end], width, wanted, pieces) {
    const left = [];
    let at = start;
    for (const tile of this.touching(width, start, end)) {
      if (!wanted(tile)) continue;
      const [from, to] = [max(tile.start, at), min(tile.end, end)];
      if (from > at) left.push([at, from]);
      pieces.push({ tile, start: from, end: to });
      tile.usedAt = performance.now();
      at = to;
    }
    if (at < end) left.push([at, end]);
    return left;
  }

  // Which of [start, end) there is nothing exact for.
  missing(start, end, width) {
    let holes = [[start, end]];
    for (const one of [width, ...this.levels.keys()]) {
      if (!holes.length) break;
      holes = holes.flatMap((hole) => this.fill(hole, one, (tile) => tile.isRaw || one === width, []));
    }
    return holes;
  }
}
