// One signal that the page shows: what the server tells of it, its recent samples, its latest value.

import { SampleRing } from "./ring.js";

const SLACK = 1.2; // a ring spans a little more than its window

export class Signal {
  constructor(name, windowS) {
    this.name = name;
    this.windowS = windowS;
    this.id = -1;
    this.error = ""; // why the server cannot give it
    this.unit = "";
    this.type = "";
    this.channel = "";
    this.isNumber = true;
    this.text = null; // latest value of a signal that is no number
    this.value = NaN; // latest value of one that is; it outlives the samples, as the text does
    this.ring = new SampleRing(windowS * 1000 * SLACK);
    this.watchers = new Set(); // objects with columns(signal), touch(time) and wake()
  }

  // Hold at least this window.
  widen(windowS) {
    this.windowS = Math.max(windowS, this.windowS);
    this.ring.spanMs = this.windowS * 1000 * SLACK;
  }

  get isWhole() {
    return this.type === "int" || this.type === "long" || this.type === "boolean";
  }

  get valueOrText() {
    return this.isNumber ? this.value : this.text;
  }

  clear() {
    this.ring.clear();
    this.value = NaN;
  }

  // It means another thing from now on.
  forget() {
    this.clear();
    this.text = null;
  }
}
