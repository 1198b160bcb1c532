// Plot area, grid and labels. Label widths never move the plot area.

import { tickText } from "./format.js";

const LEFT_PX = 54;
const RIGHT_PX = 10;
const TOP_PX = 22; // room for the unit and the badge
const BOTTOM_PX = 24;
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
  // `times` says where time labels are: its `each(plot, put)` calls put(x, text) for each, its `zoneLabel` names their
  // zone. `unit` is that of the values, "" when there is none or not one alone.
  draw(context, plot, scale, palette, times, unit) {
    context.lineWidth = 1;
    context.strokeStyle = palette.grid;
    context.fillStyle = palette.text;
    context.font = plot.font;
    this.drawValues(context, plot, scale);
    if (unit) this.drawUnit(context, plot, unit);
    this.drawTimes(context, plot, palette, times);
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

  drawTimes(context, plot, palette, times) {
    const bottom = plot.top + plot.height;
    const right = plot.left + plot.width;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.beginPath();
    times.each(plot, (x, text) => {
      if (x > right) return;
      context.moveTo(x, plot.top);
      context.lineTo(x, bottom);
      if (x > plot.left + 30 * plot.dpr && x < right - 20 * plot.dpr) context.fillText(text, x, bottom + 8 * plot.dpr);
    });
    context.stroke();
    context.textAlign = "right";
    context.fillStyle = palette.faint;
    context.fillText(times.zoneLabel, plot.left - 6 * plot.dpr, bottom + 8 * plot.dpr);
  }
}
