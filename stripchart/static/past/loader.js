// Gets the tiles of one channel that a view needs: what is missing first, then what is beside it. What a later view does not
// need is not waited for.

import { DAY, SECOND, max, now } from "./time.js";
import { TILE, tileAt, tileLength, tileStart, widthForRecords } from "./levels.js";
import { Tile, Tiles } from "./tiles.js";
import { askBuckets, askRecords } from "./query.js";

const RECORDS = 2 * Number(TILE); // of a tile that is had as records
const OPEN_MS = 900; // for how long a tile to which records still come is good
const CLOSED_MS = 300_000; // another one: late records may have come
const RUN = 16n; // tiles of one request
const RUNNING = 3; // requests at a time
const LATE = 2n * SECOND; // records need so long from source to archive
const RETRY_MS = 2000;
const NOT_FOUND_MS = 8000; // more, for what is not there
const SIGNALS_KEPT = 1600; // tiles times signals, so that memory is bounded

export class Loader {
  // `onLoad` is called when tiles came, `onError` when `trouble` tells something else ("" when it is over).
  constructor(address, channel, onLoad, onError) {
    this.address = address;
    this.channel = channel;
    this.onLoad = onLoad;
    this.onError = onError;
    this.names = [];
    this.symbols = null; // by signal, where all are enums
    this.from = 0n; // there is nothing before
    this.skew = 0n; // ns that the source's clock, whose times records have, is ahead
    this.tiles = new Tiles();
    this.dense = new Set(); // tiles that have too many records to be had as such
    this.running = new Map(); // by key: {start, end, abort}
    this.rawWidth = 0n; // tiles of buckets of this width have few enough records
    this.failedAt = -Infinity;
    this.trouble = "";
  }

  // Show these signals; `interval` is the usual one between records in ns, as far as is known.
  choose(names, interval) {
    this.rawWidth = interval > 0 ? widthForRecords(interval, RECORDS) : 0n;
    if (names.join() === this.names.join()) return;
    this.stop();
    this.names = names;
    this.tiles = new Tiles(Math.round(SIGNALS_KEPT / Math.max(4, names.length)));
    this.dense.clear();
  }

  stop() {
    for (const { abort } of this.running.values()) abort.abort();
    this.running.clear();
  }

  get isBusy() {
    return [...this.running.values()].some((run) => !run.isAhead);
  }

  // See that what is shown is there or on its way: `wants` are [start, end, width], the view first. True when all is there.
  need(wants) {
    const missing = wants.map((want) => this.missingRuns(...want));
    const runs = missing.flat();
    this.abandon(wants, runs);
    for (const run of runs) this.ask(run);
    if (runs.length) return !missing[0].length;
    for (const want of wants) this.refresh(...want);
    this.lookAhead(...wants[0]);
    return true;
  }

  missingRuns(start, end, width) {
    const runs = [];
    for (const [from, to] of this.tiles.missing(start, end, width)) {
      for (let at = from; at < to; ) {
        const isRaw = width <= this.rawWidth && !this.dense.has(keyOf(this.rawWidth, tileAt(at, this.rawWidth)));
        const level = isRaw ? this.rawWidth : width;
        const index = tileAt(at, level);
        const before = runs.at(-1);
        if (before?.width === level && before.isRaw === isRaw && before.last === index - 1n && index - before.first < RUN) before.last = index;
        else runs.push({ width: level, first: index, last: index, isRaw });
        at = tileStart(index + 1n, level);
      }
    }
    return runs;
  }

  // End requests for what is neither shown nor beside it.
  abandon(wants, runs) {
    const keys = new Set(runs.map(runKey));
    for (const [key, run] of this.running) {
      const isShown = wants.some(([start, end]) => run.start < end && run.end > start);
      if (keys.has(key) || (run.isAhead && !runs.length) || (run.isAgain && isShown)) continue;
      run.abort.abort();
      this.running.delete(key);
    }
  }

  async ask(run, more = {}) {
    const key = runKey(run);
    const isFull = [...this.running.values()].length >= RUNNING;
    if (this.running.has(key) || isFull || performance.now() - this.failedAt < RETRY_MS) return;
    const { width, first, last, isRaw } = run;
    const [start, end] = [tileStart(first, width), tileStart(last + 1n, width)];
    const abort = new AbortController();
    this.running.set(key, { start, end, abort, ...more });
    const askedAt = now();
    try {
      if (isRaw) await this.askRecords(run, start, end, abort.signal);
      else await this.askBuckets(run, start, end, abort.signal);
      for (let index = first; index <= last; index++) this.note(this.tiles.get(width, index), askedAt);
      this.say("");
    } catch (error) {
      if (abort.signal.aborted) return;
      this.failedAt = performance.now() + (error.status === 404 ? NOT_FOUND_MS : 0);
      setTimeout(() => this.onLoad(), RETRY_MS + 50);
      this.say(error.message);
    } finally {
      if (this.running.get(key)?.abort === abort) this.running.delete(key);
    }
    if (!abort.signal.aborted) this.onLoad();
  }

  note(tile, askedAt) {
    if (!tile) return;
    tile.loadedAt = performance.now();
    tile.isOpen = tile.end > askedAt + this.skew - LATE;
  }

  say(trouble) {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.onError();
  }

  async askBuckets({ width, first, last }, start, end, signal) {
    const answer = await askBuckets(this.address, this.channel, this.names, start, end, width, signal, this.symbols);
    this.cut(answer, width, first, last, false);
    // What has few records is had as records, unless they are many elsewhere in the run.
    for (let index = first; index <= last; index++) {
      if (this.tiles.get(width, index).isSparse && !this.dense.has(keyOf(width, index))) {
        this.ask({ width, first: index, last: index, isRaw: true }, { isAgain: true });
      }
    }
  }

  async askRecords(run, start, end, signal) {
    const { width, first, last } = run;
    const limit = 2 * RECORDS * Number(last - first + 1n);
    const answer = await askRecords(this.address, this.channel, this.names, start, end, limit, signal, this.symbols);
    if (answer.isCut) {
      for (let index = first; index <= last; index++) this.dense.add(keyOf(width, index));
      if (this.tiles.get(width, first)?.isRaw) this.ask({ ...run, isRaw: false }, { isAgain: true });
      return;
    }
    this.cut(answer, width, first, last, true);
  }

  // Part an answer into tiles.
  cut({ times, columns, damages }, width, first, last, isRaw) {
    let from = 0;
    for (let index = first; index <= last; index++) {
      const end = tileStart(index + 1n, width);
      let to = from;
      while (to < times.length && times[to] < end) to++;
      const part = (arrays) => Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.subarray(from, to)]));
      const parts = new Map(Object.entries(columns).map(([name, arrays]) => [name, part(arrays)]));
      const tile = new Tile(width, index, isRaw, times.subarray(from, to), parts);
      tile.damages = damages;
      this.tiles.put(tile);
      from = to;
    }
  }

  // Ask again for tiles that are shown and may have changed.
  refresh(start, end, width) {
    const time = performance.now();
    for (const { tile } of this.tiles.cover(start, end, width).pieces) {
      if (time - tile.loadedAt < (tile.isOpen ? OPEN_MS : CLOSED_MS)) continue;
      const run = { width: tile.width, first: tile.index, last: tile.index, isRaw: tile.isRaw };
      this.ask(run, { isAgain: true });
    }
  }

  // Ask for what is beside the view, once nothing else is on its way.
  lookAhead(start, end, width) {
    if (this.running.size || tileLength(width) > 3650n * DAY) return;
    const length = end - start;
    const side = max(length / 2n, 1n);
    const runs = [...this.missingRuns(end, end + side, width), ...this.missingRuns(start - side, start, width)];
    const time = now() + this.skew;
    for (const run of runs) {
      if (tileStart(run.first, run.width) < time && tileStart(run.last + 1n, run.width) > this.from) this.ask(run, { isAhead: true });
    }
  }
}

const keyOf = (width, index) => `${width} ${index}`;
const runKey = ({ width, first, last, isRaw }) => `${width} ${first} ${last} ${isRaw}`;
