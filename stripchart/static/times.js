// Where a chart has its time labels: at whole steps of the clock of a zone, at whole distances from its right edge, or from
// its left edge where it sweeps.

import { clockText, timeStep } from "./format.js";
import { offsetMs, zoneText } from "./zone.js";

const LABEL_GAP_PX = 90;
const LABELS_KEPT = 200;

export class Times {
  // `kind` is abs (a clock), rel (how long ago) or sweep. `zone` is UTC, local or a name such as Europe/Oslo.
  constructor(kind, zone) {
    this.kind = kind;
    this.zone = zone;
    this.texts = new Map(); // by tick, so that a frame makes no strings
    this.stepS = 0;
    this.minute = NaN; // when offset and label were looked up
    this.label = "";
    this.ticks = [];
  }

  // Give [x, text] of each label where pixel column `leftPixel` since 1970 is at x = 0 and one is `ms` wide.
  at(leftPixel, ms, width, dpr) {
    this.ticks.length = 0;
    this.setStep(timeStep((width * ms) / 1000, width / (LABEL_GAP_PX * dpr)));
    if (this.kind === "abs") this.putClock(leftPixel, ms, width);
    else this.putSteps(ms, width);
    return this.ticks;
  }

  setStep(stepS) {
    if (stepS === this.stepS && this.texts.size < LABELS_KEPT) return;
    this.texts.clear();
    this.stepS = stepS;
  }

  // Whether labels move with the traces.
  get isMoving() {
    return this.kind === "abs";
  }

  putSteps(ms, width) {
    const step = (this.stepS * 1000) / ms;
    const isAgo = this.kind === "rel";
    this.label = isAgo ? "ago" : "";
    for (let i = 0; i * step <= width; i++) {
      const x = Math.round(isAgo ? width - 1 - i * step : i * step);
      this.ticks.push([x, this.text(i, () => (isAgo ? agoText(i * this.stepS) : spanText(i * this.stepS)))]);
    }
  }

  putClock(leftPixel, ms, width) {
    this.lookUpZone(leftPixel * ms);
    const step = this.stepS * 1000;
    const start = leftPixel * ms + this.offset;
    for (let tick = Math.ceil(start / step); tick * step <= start + width * ms; tick++) {
      const x = Math.floor((tick * step - this.offset) / ms) - leftPixel;
      this.ticks.push([x, this.text(tick, () => clockText(tick * step, this.stepS))]);
    }
  }

  text(tick, make) {
    let text = this.texts.get(tick);
    if (text === undefined) this.texts.set(tick, (text = make()));
    return text;
  }

  lookUpZone(timeMs) {
    const minute = Math.floor(timeMs / 60000);
    if (minute === this.minute) return;
    this.minute = minute;
    const offset = offsetMs(timeMs, this.zone);
    if (offset !== this.offset) this.texts.clear();
    this.offset = offset;
    this.label = zoneText(offset);
  }
}

const spanText = (seconds) => (seconds < 120 ? `${+seconds.toFixed(3)} s` : `${+(seconds / 60).toFixed(2)} min`);
const agoText = (seconds) => (seconds ? `\u2212${spanText(seconds)}` : "now");
