// Where a chart that moves has its time labels: at whole steps of the reader's wall clock.

import { clockText, timeStep, zoneText } from "./format.js";

const LABEL_GAP_PX = 90;

export class ClockTimes {
  constructor() {
    this.labels = new Map(); // text by tick, so that a frame makes no strings
    this.stepS = 0;
    this.zoneMinute = NaN; // when zoneSeconds (local time to UTC) and zoneLabel were looked up
    this.zoneLabel = "";
    this.leftColumn = 0;
    this.widthMs = 1;
  }

  // Column `leftColumn` is the leftmost, a column is `widthMs` wide.
  at(leftColumn, widthMs) {
    this.leftColumn = leftColumn;
    this.widthMs = widthMs;
    this.lookUpZone(leftColumn * widthMs);
    return this;
  }

  each(plot, put) {
    const { leftColumn, widthMs } = this;
    const windowS = (plot.width * widthMs) / 1000;
    const stepS = timeStep(windowS, plot.width / (LABEL_GAP_PX * plot.dpr));
    if (stepS !== this.stepS || this.labels.size > 200) {
      this.labels.clear();
      this.stepS = stepS;
    }
    const zone = this.zoneSeconds;
    const last = ((leftColumn + plot.width) * widthMs) / 1000 - zone;
    for (let tick = Math.ceil(((leftColumn * widthMs) / 1000 - zone) / stepS); tick * stepS <= last; tick++) {
      const time = (tick * stepS + zone) * 1000;
      put(plot.left + Math.floor(time / widthMs) - leftColumn + 0.5, this.label(tick, time, stepS));
    }
  }

  label(tick, time, stepS) {
    let text = this.labels.get(tick);
    if (text === undefined) this.labels.set(tick, (text = clockText(time, stepS)));
    return text;
  }

  lookUpZone(timeMs) {
    const minute = Math.floor(timeMs / 60000);
    if (minute === this.zoneMinute) return;
    const date = new Date(timeMs);
    this.zoneMinute = minute;
    this.zoneSeconds = date.getTimezoneOffset() * 60;
    this.zoneLabel = zoneText(date);
  }
}
