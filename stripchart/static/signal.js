// One signal as something on the page watches it: what the server tells of it, its columns, its latest value.

import { Columns } from "./columns.js";

const SLACK = 1.1; // what is kept spans a little more than the window
const BESIDE = 40; // columns more
const UNKNOWN_MS = 1000; // width of the columns of a signal that nobody draws

export class Signal {
  // `way` is how it is watched: {window (s), columns (a second), stream}.
  constructor(name, feed, way) {
    this.name = name;
    this.feed = feed; // number of all that is watched in this way
    this.way = way;
    this.id = -1;
    this.error = ""; // why the server cannot give it
    this.unit = "";
    this.type = "";
    this.channel = "";
    this.limits = null; // {warn: [low, high], alarm: [low, high]}
    this.formerLimits = []; // [until (ms), limits or null] of those that it had before, in order
    this.symbols = null; // of an enum, whose values are places in it
    this.isNumber = true;
    this.isRaw = true; // samples come as they are
    this.text = null; // latest value of a signal that is no number
    this.reading = null; // value at the cursor, as text
    this.isFilled = false; // what the server knew of it has come
    this.value = NaN; // latest value of one that is; it outlives the samples, as the text does
    this.columns = null;
    this.standIn = undefined; // columns of another width that are drawn until its own have come
    this.sinks = new Set(); // functions that take samples as they come: (times, values, flags)
    this.watchers = new Set(); // objects with touch(time), reset() and wake()
  }

  // Take what the server tells of it; true when what is known of its past is worthless now.
  tell(told) {
    const isOther = Boolean(this.channel) && (this.type !== told.type || this.unit !== (told.unit ?? "") || String(this.symbols ?? "") !== String(told.symbols ?? ""));
    this.id = told.id;
    this.unit = told.unit ?? "";
    this.type = told.type;
    this.channel = told.channel;
    this.limits = told.limits ?? null;
    this.formerLimits = told.former_limits ?? [];
    this.symbols = told.symbols ?? null;
    this.isNumber = told.number;
    this.isRaw = told.raw ?? true;
    if (isOther) this.forget();
    this.layOut(told.width || UNKNOWN_MS);
    return isOther;
  }

  // Stand for the same signal watched in another way, until the server has told of this one.
  follow(before) {
    if (!before || before === this || this.channel) return;
    const { unit, type, channel, isNumber, limits, formerLimits, symbols, value, text, error } = before;
    Object.assign(this, { unit, type, channel, isNumber, limits, formerLimits, symbols, value, text, error, standIn: before.shown });
  }

  layOut(widthMs) {
    const capacity = Math.ceil((this.way.window * 1000 * SLACK) / widthMs) + BESIDE;
    if (this.columns?.widthMs === widthMs && this.columns.capacity >= capacity) return;
    this.columns = new Columns(widthMs, capacity);
  }

  // What there is to draw.
  get shown() {
    return this.columns?.newest >= 0 || !this.standIn ? this.columns : this.standIn;
  }

  // Its name within the channel.
  get path() {
    return this.name.startsWith(`${this.channel}.`) ? this.name.slice(this.channel.length + 1) : this.name;
  }

  get isWhole() {
    return this.type === "int" || this.type === "long" || this.type === "boolean";
  }

  get valueOrText() {
    return this.isNumber ? this.value : this.text;
  }

  // There is something to show of it.
  get isSeen() {
    return this.text !== null || (this.columns?.newest ?? -1) >= 0;
  }

  // It means another thing from now on.
  forget() {
    this.columns?.clear();
    this.value = NaN;
    this.text = null;
  }
}
