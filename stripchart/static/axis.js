// Plot area, grid and labels. Label widths never move the plot area.

import { clockText, tickText, timeStep, zoneText } from "./format.js";

const LEFT_PX = 54;
const RIGHT_PX = 10;
const TOP_PX = 22; // room for the unit and the badge
const BOTTOM_PX = 24;
const LABEL_GAP_PX = 90; // between time labels
const LINE_GAP_PX = 34; // between value labels

// The plot area in device pixels. Value extremes lie on pixel centres, so a trace at them is whole.
export function plotArea(width, height, dpr) {
  const left = Math.round(LEFT_PX * dpr);
  const top = Math.round(TOP_PX * dpr) + 0.5;
  const right = width - Math.round(RIGHT_PX * dpr);
  const bottom = height - Math.round(BOTTOM_PX * dpr) - 0.5;
  const font = `${Math.round(11 * dpr)}px system-ui, sans-serif`;
  const dash = [6 * dpr, 3 * dpr];
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top), dpr, font, dash, solid: [] };
}

export class Axis {
  constructor() {
    this.labels = new Map(); // text by tick, so that a frame makes no strings
    this.stepS = 0;
    this.zoneMinute = NaN; // when zoneSeconds (local time to UTC) and zoneLabel were looked up
  }

  // `unit` is that of the values, "" when there is none or not one alone.
  draw(context, plot, scale, palette, leftColumn, widthMs, unit) {
    context.lineWidth = 1;
    context.strokeStyle = palette.grid;
    context.fillStyle = palette.text;
    context.font = plot.font;
    this.drawValues(context, plot, scale);
    if (unit) this.drawUnit(context, plot, unit);
    this.drawTimes(context, plot, leftColumn, widthMs, palette);
  }

  // Over the value labels; a long one reaches over the plot.
  drawUnit(context, plot, unit) {
    const isShort = context.measureText(unit).width < plot.left - 10 * plot.dpr;
    context.textAlign = isShort ? "right" : "left";
    context.textBaseline = "middle";
    context.fillText(unit, isShort ? plot.left - 6 * plot.dpr : 6 * plot.dpr, 8 * plot.dpr);
  }

  drawValues(context, plot, scale) {
    const step = scale.step(plot.height / (LINE_GAP_PX * plot.dpr));
    const largest = Math.max(Math.abs(scale.min), Math.abs(scale.max));
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.beginPath();
    for (let i = Math.ceil(scale.min / step - 1e-6); i * step <= scale.max + step * 1e-6; i++) {
      const y = Math.round(scale.y(i * step, plot.top, plot.height) - 0.5) + 0.5;
      context.moveTo(plot.left, y);
      context.lineTo(plot.left + plot.width, y);
      if (!scale.isEmpty || scale.isFixed) {
        context.fillText(tickText(i * step, step, largest), plot.left - 6 * plot.dpr, y);
      }
    }
    context.stroke();
  }

  drawTimes(context, plot, leftColumn, widthMs, palette) {
    const windowS = (plot.width * widthMs) / 1000;
    const stepS = timeStep(windowS, plot.width / (LABEL_GAP_PX * plot.dpr));
    if (stepS !== this.stepS || this.labels.size > 200) {
      this.labels.clear();
      this.stepS = stepS;
    }
    this.lookUpZone(leftColumn * widthMs);
    const zone = this.zoneSeconds;
    const bottom = plot.top + plot.height;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.beginPath();
    const last = ((leftColumn + plot.width) * widthMs) / 1000 - zone;
    for (let tick = Math.ceil(((leftColumn * widthMs) / 1000 - zone) / stepS); tick * stepS <= last; tick++) {
      const time = (tick * stepS + zone) * 1000;
      const x = plot.left + Math.floor(time / widthMs) - leftColumn + 0.5;
      if (x > plot.left + plot.width) continue;
      context.moveTo(x, plot.top);
      context.lineTo(x, bottom);
      if (x > plot.left + 30 * plot.dpr && x < plot.left + plot.width - 20 * plot.dpr) {
        context.fillText(this.label(tick, time, stepS), x, bottom + 8 * plot.dpr);
      }
    }
    context.stroke();
    context.textAlign = "right";
    context.fillStyle = palette.faint;
    context.fillText(this.zoneLabel, plot.left - 6 * plot.dpr, bottom + 8 * plot.dpr);
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
