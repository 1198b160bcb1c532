// What a still chart has of the history: a loader per channel, one more for its enums, and what there is to say while something is missing.

import { Loader } from "./loader.js";
import { tilesOf } from "./pieces.js";
import { AGAIN_MS } from "./source.js";
import { min } from "./time.js";

export class Archive {
  // `until` is when the chart was paused, in ns; `skews` are, by channel, what the times of its source are ahead of those shown;
  // `onLoad` is called when there is more to draw, `onFirst` with the time that recordings go back to.
  constructor(source, signals, until, skews, { onLoad, onFirst }) {
    Object.assign(this, { source, signals, until, skews, onLoad, onFirst });
    this.loaders = new Map();
    this.isLooking = false; // it is not known yet what there is
    this.isOver = false;
    this.failure = ""; // why it cannot be known
    this.look();
  }

  skewOf(channel) {
    return this.skews.get(channel) ?? 0n;
  }

  // What gets a signal; none where the history does not have it.
  loaderOf(signal) {
    const loader = this.loaders.get(keyOf(signal));
    return loader?.names.includes(signal.path) ? loader : undefined;
  }

  // Learn how far back the recordings go, and get ready to ask for them; again after a while, if there is more to learn.
  async look() {
    this.isLooking = true;
    let failure = "";
    try {
      const pivot = await this.source.pivot();
      for (const channel of this.skews.keys()) await this.lookAt(pivot, channel);
    } catch (error) {
      failure = error.message;
    }
    this.failure = failure;
    this.isLooking = false;
    if (this.isOver) return;
    this.onLoad();
    const isUnknown = failure || this.signals.some((signal) => signal.isNumber && !this.loaderOf(signal));
    if (isUnknown) this.again = setTimeout(() => this.look(), AGAIN_MS);
  }

  async lookAt(pivot, channel) {
    const wanted = this.signals.filter((signal) => signal.channel === channel && signal.isNumber);
    const known = await this.source.signals(pivot, channel, wanted.map((signal) => signal.path));
    for (const alike of Map.groupBy(wanted, keyOf).values()) if (!this.isOver) this.lookAtAlike(pivot, channel, alike, known);
  }

  // Signals that a loader gets together.
  lookAtAlike(pivot, channel, alike, known) {
    const paths = alike.map((signal) => signal.path);
    const isOfKind = ({ type }) => (type === "enum") === Boolean(alike[0].symbols); // it may have been another before
    const mine = known.filter((one) => paths.includes(one.path) && one.first !== null && isOfKind(one));
    if (!mine.length) return;
    const key = keyOf(alike[0]);
    const loader = this.loaders.get(key) ?? new Loader(pivot, channel, this.onLoad, this.onLoad);
    if (alike[0].symbols) loader.symbols = new Map(alike.map((signal) => [signal.path, signal.symbols]));
    const skew = (loader.skew = this.skewOf(channel));
    loader.from = known.reduce((first, one) => (one.first === null ? first : min(first, one.first)), this.until + skew);
    const spans = mine.filter((one) => one.count > 1).map((one) => Number(one.last - one.first) / (one.count - 1));
    loader.choose(mine.map((one) => one.path), spans.length ? Math.min(...spans) : 0);
    this.loaders.set(key, loader);
    this.onFirst(loader.from - skew);
  }

  // See that [start, end) of what is shown is there or on its way.
  need(start, end, width) {
    if (start >= end) return;
    for (const loader of this.loaders.values()) {
      const skew = this.skewOf(loader.channel);
      loader.need([[start + skew, end + skew, width]]);
    }
  }

  // Tiles that stand for [from, to) of a signal.
  tiles(signal, from, to, width) {
    return tilesOf(this.loaderOf(signal), signal.path, from, to, width, this.skewOf(signal.channel));
  }

  // Why there is nothing yet of signals, in words.
  troubleOf(signals) {
    const why = this.failure || signals.map((signal) => this.loaderOf(signal)?.trouble).find(Boolean);
    if (why) return `not loaded: ${why.replace(/\.$/, "")}`;
    if (this.isLooking || signals.some((signal) => this.loaderOf(signal))) return "loading";
    return `no history of ${signals.map((signal) => signal.name).join(", ")}`;
  }

  close() {
    this.isOver = true;
    clearTimeout(this.again);
    for (const loader of this.loaders.values()) loader.stop();
  }
}

// Of words the history has no smallest and largest: enums are asked for apart.
const keyOf = ({ channel, symbols }) => (symbols ? `${channel} (enums)` : channel);
