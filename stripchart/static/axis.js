// The labels round a plot: values at its sides, times below it.

import { tickText } from "./format.js";

const LINE_GAP_PX = 34; // between value labels
const LANE_PX = 24; // a strip of states under traces
const WORD_GAP_PX = 14; // and at least between those of states

// The rows of a strip of states, [top, bottom]: strips share the plot, or stand at its foot where there are traces, too.
export function laneRows({ place, of, isUnder }, height, dpr) {
  const each = Math.min(height / of, isUnder ? LANE_PX * dpr : Infinity);
  return [of - place, of - place - 1].map((count) => height - count * each);
}

// One value axis: its scale, the unit of its signals, its place (0 left, 1 the first at the right ...).
export class ValueAxis {
  constructor(scale, place) {
    this.scale = scale;
    this.place = place;
    this.unit = "";
    this.words = null; // in place of numbers: texts by value
    this.lanes = null; // in place of values: {name, label, place, of, isUnder} of signals whose states are drawn as strips, one over the other, or under traces
    this.textOf = null; // in place of the value itself: a text made of it
    this.label = null; // in place of the unit
    this.least = 0; // distance of labels at least
    this.color = null; // in place of the text's, where it belongs to one signal
  }

  // Call back with value and pixel row of each line.
  each(area, callback) {
    const { scale, lanes } = this;
    if (lanes) return this.eachLane(area, callback);
    const perWord = area.height / (scale.max - scale.min);
    const step = this.words ? Math.max(1, Math.ceil((WORD_GAP_PX * area.dpr) / perWord)) : Math.max(this.least, scale.step(area.height / (LINE_GAP_PX * area.dpr)));
    for (let i = Math.ceil(scale.min / step - 1e-6); i * step <= scale.max + step * 1e-6; i++) {
      callback(i * step, Math.round(scale.y(i * step, area.height - 1)), step);
    }
  }

  // The middle of each lane, but for those too close to the one before.
  eachLane({ height, dpr }, callback) {
    let last = -Infinity;
    this.lanes.forEach((lane, i) => {
      const [top, bottom] = laneRows(lane, height, dpr);
      const row = Math.round((top + bottom) / 2);
      if (row - last < WORD_GAP_PX * dpr) return;
      last = row;
      callback(i, row);
    });
  }

  draw(context, area, palette) {
    const { scale, place } = this;
    const { dpr } = area;
    const x = place ? area.left + area.width + area.axis * (place - 1) + 6 * dpr : area.left - 6 * dpr;
    const largest = Math.max(Math.abs(scale.min), Math.abs(scale.max));
    context.fillStyle = this.color ?? palette.text;
    context.font = area.font;
    context.textBaseline = "middle";
    context.textAlign = place ? "left" : "right";
    if (!scale.isEmpty || scale.isFixed) {
      this.each(area, (value, row, step) => {
        const text = this.lanes ? this.lanes[value].label : this.words ? (this.words[value] ?? "") : (this.textOf?.(value) ?? tickText(value, step, largest));
        context.fillText(text, x, area.top + row, area.axis - 8 * dpr);
      });
    }
    if (this.label ?? this.unit) this.drawUnit(context, area, this.label ?? this.unit);
  }

  // Over the value labels; a long one reaches over the plot.
  drawUnit(context, area, text) {
    const { dpr } = area;
    const isLong = context.measureText(text).width > area.axis - 10 * dpr;
    const side = this.place ? area.left + area.width + area.axis * (this.place - 1) + 6 * dpr : area.left - 6 * dpr;
    if (isLong) context.textAlign = this.place ? "right" : "left";
    context.fillText(text, !isLong ? side : this.place ? side + area.axis - 10 * dpr : 6 * dpr, 8 * dpr);
  }
}

// Time labels under a plot; `ticks` is a list of [x in the plot, text], `zone` names what they are in.
export function drawTimes(context, area, palette, ticks, zone) {
  const { left, width, dpr } = area;
  const y = area.top + area.height + 8 * dpr;
  context.fillStyle = palette.background;
  context.fillRect(0, y - dpr, context.canvas.width, 20 * dpr);
  context.font = area.font;
  context.textBaseline = "top";
  context.textAlign = "center";
  context.fillStyle = palette.text;
  for (const [x, text] of ticks) {
    if (x > 30 * dpr && x < width - 20 * dpr) context.fillText(text, left + x + 0.5, y);
  }
  context.textAlign = "right";
  context.fillStyle = palette.faint;
  context.fillText(zone, left - 6 * dpr, y, left - 8 * dpr);
}
