// The range of time that is shown, and how it is moved. Times are BigInt nanoseconds, the end is not part of it.

import { HOUR, SECOND, max, min, now } from "./time.js";

const SHORTEST = 1000n; // a microsecond
const LIVE_WITHIN = HOUR; // a recording whose newest record is not older goes on
const ROOM = 1.25; // the view is at most so many times as long as the recording
const KEPT = 0.05; // of the view shows the recording at least

// `part` of a length; exact as far as a double is.
export const partOf = (length, part) => BigInt(Math.round(Number(length) * part));

export class View {
  constructor() {
    this.first = 0n; // of the recording
    this.last = 0n;
    this.start = 0n;
    this.end = SECOND;
    this.follows = false; // its end is now, and goes on with it
    this.isWhole = false; // it follows and begins where the recording does: it grows
    this.onChange = new Set(); // called with why it changed
  }

  get length() {
    return this.end - this.start;
  }

  // The recording goes on.
  get isLive() {
    return this.last > 0n && now() - this.last < LIVE_WITHIN;
  }

  // Where the recording ends, or has come to.
  get limit() {
    return this.isLive ? max(now(), this.last) : this.last + 1n;
  }

  // Take in what the recording spans.
  span(first, last) {
    this.first = first;
    this.last = last;
  }

  get whole() {
    const start = this.first;
    return [start, max(this.limit, start + SECOND)];
  }

  // Show a range; at the end of a recording that goes on it follows, unless `follows` says otherwise.
  show(start, end, why = "set", follows = undefined) {
    let length = max(end - start, SHORTEST);
    const [from, to] = this.whole;
    const longest = partOf(to - from, ROOM);
    if (this.last && length > longest) {
      start += (length - longest) / 2n;
      length = longest;
    }
    if (this.last) start = this.near(start, length);
    const isAtEnd = this.isLive && start + length >= this.limit;
    this.follows = this.isLive && (follows ?? isAtEnd);
    this.isWhole = false;
    if (this.follows) start = this.limit - length;
    this.put(start, start + length, why);
  }

  put(start, end, why) {
    if (start === this.start && end === this.end) return;
    this.start = start;
    this.end = end;
    this.tell(why);
  }

  // Some of the recording stays in sight.
  near(start, length) {
    const kept = partOf(length, KEPT);
    return min(max(start, this.first - length + kept), this.limit - kept);
  }

  tell(why) {
    this.onChange.forEach((callback) => callback(why));
  }

  showLast(length, why = "jump") {
    const end = this.limit;
    this.show(end - length, end, why, true);
  }

  // All there is, and what comes: a recording that goes on is shown from its beginning on.
  showAll(why = "jump") {
    const [start, end] = this.whole;
    this.follows = this.isWhole = this.isLive;
    this.put(start, end, why);
  }

  // Make it `factor` times as long about a place in it, from 0 at the start to 1 at the end.
  zoom(factor, place = 0.5) {
    const [from, to] = this.whole;
    const longest = partOf(to - from, ROOM);
    const length = min(max(partOf(this.length, factor), SHORTEST), max(longest, SHORTEST));
    if (this.follows && place > 0.9) this.show(this.end - length, this.end, "zoom", true);
    else {
      const start = this.start + partOf(this.length, place) - partOf(length, place);
      this.show(start, start + length, "zoom");
    }
  }

  // Move on by a part of its length.
  pan(part) {
    const by = partOf(this.length, part);
    this.show(this.start + by, this.end + by, "pan");
  }

  // Go to the beginning or the end of the recording.
  goTo(isEnd) {
    const [from, to] = this.whole;
    if (isEnd) this.show(to - this.length, to, "jump", true);
    else this.show(from, from + this.length, "jump");
  }

  // Have the end be now again, if it follows.
  advance() {
    if (this.isWhole) this.showAll("advance");
    else if (this.follows) this.showLast(this.length, "advance");
  }

  // Where in it a time is: 0 at the start, 1 at the end.
  placeOf(time) {
    return Number(time - this.start) / Number(this.length);
  }

  timeAt(place) {
    return this.start + partOf(this.length, place);
  }
}
