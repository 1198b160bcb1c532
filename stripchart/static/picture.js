// The picture of a chart: the declared canvas with the labels, and over it a layer with grid and traces, which moves by parts of a
// pixel between two drawings.

import { plotArea } from "./area.js";
import { drawTimes } from "./axis.js";
import { Raster, pixelOf } from "./raster.js";

const BESIDE = 2; // pixels that the layer is wider than the plot, so that it can be moved
const BAND_SHARE = 32; // of 256, of its colour
const EDGE_SHARE = 140;
const LOSS_SHARE = 90; // of 256, of the colour over a span of lost records
const LOSS_HATCH_PX = 3;

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.layer = document.createElement("canvas");
    this.clip = document.createElement("div");
    this.clip.className = "stripchart-clip";
    this.clip.append(this.layer);
    this.box = document.createElement("div");
    this.box.className = "stripchart-plot";
    canvas.replaceWith(this.box);
    this.box.append(canvas, this.clip);
    this.raster = new Raster(this.layer.getContext("2d", { alpha: false, willReadFrequently: true }));
    this.area = null; // unknown before the first layout
    this.shifted = 0;
  }

  // Take a size in device pixels; `rights` value axes stand at the right.
  resize(width, height, rights) {
    const { canvas, clip, layer } = this;
    const dpr = width / (canvas.clientWidth || width);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const area = plotArea(width, height, dpr, rights);
    this.area = area;
    layer.width = area.width + BESIDE;
    layer.height = area.height;
    const css = (pixels) => `${pixels / dpr}px`;
    Object.assign(clip.style, { left: css(area.left), top: css(area.top), width: css(area.width), height: css(area.height) });
    Object.assign(layer.style, { width: css(layer.width), height: css(layer.height) });
    this.raster.resize(layer.width, layer.height);
  }

  // Values of the axes, on an empty ground.
  drawValues(axes, palette) {
    const { context, canvas, area } = this;
    context.fillStyle = palette.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (const axis of axes) axis.draw(context, area, palette);
  }

  drawTimes(palette, ticks, zone) {
    drawTimes(this.context, this.area, palette, ticks, zone);
  }

  // Grid, bands, spans of lost records, traces. Each of `parts` is {left (ms at x = 0), from, to (x), phase, bands ([from, to] in x)}: one that
  // scrolls has one, one that sweeps has two. A trace is {columns, scale, style, losses, states (what draws it as a strip, if it is one)}. What moved left by `moved` pixels since it was drawn is
  // drawn anew from column `from` alone.
  drawTraces({ palette, axis, ticks, traces, parts, pixelsPerMs, marks, moved = 0, from = 0 }) {
    const { raster } = this;
    const grid = pixelOf(palette.grid);
    if (from && moved) raster.move(moved);
    raster.clip(from, raster.width);
    raster.clear(pixelOf(palette.background));
    axis?.each(this.area, (_, row) => raster.row(row, grid));
    for (const [x] of ticks) raster.band(x, x + 1, grid, 256);
    for (const part of parts) {
      raster.clip(Math.max(from, part.from), part.to);
      for (const trace of traces) if (trace.columns) trace.states?.draw(raster, part, pixelsPerMs, trace);
      for (const band of part.bands) this.drawBand(band, pixelOf(palette.band));
      this.drawLosses(traces, part.left, pixelsPerMs, pixelOf(palette.alert));
      for (const { columns, scale, style, states } of traces) {
        if (columns && !states) raster.trace(columns, part.left, pixelsPerMs, scale, style, part.phase);
      }
      marks?.(raster, part, pixelsPerMs, traces);
    }
    raster.show();
  }

  drawBand(band, pixel) {
    const [from, to] = band.map(Math.round);
    const line = Math.round(this.area.dpr);
    this.raster.band(from, Math.max(to, from + line), pixel, BAND_SHARE);
    for (const edge of [from, to - line]) this.raster.band(edge, edge + line, pixel, EDGE_SHARE);
  }

  // Signals of one channel have the same list of them.
  drawLosses(traces, left, pixelsPerMs, pixel) {
    traces.forEach(({ losses }, index) => {
      if (!losses?.length || traces.findIndex((trace) => trace.losses === losses) < index) return;
      for (const span of losses) this.drawLoss(span, left, pixelsPerMs, pixel);
    });
  }

  drawLoss([start, end], left, pixelsPerMs, pixel) {
    const from = Math.floor((start - left) * pixelsPerMs);
    const to = Math.max(from + 2, Math.ceil((end - left) * pixelsPerMs));
    if (to >= 0 && from < this.raster.width) this.raster.band(from, to, pixel, LOSS_SHARE, Math.round(LOSS_HATCH_PX * this.area.dpr));
  }

  // Move the layer left by a part of a pixel.
  shift(part) {
    if (part === this.shifted) return;
    this.shifted = part;
    this.layer.style.transform = part ? `translateX(${(-part / this.area.dpr).toFixed(3)}px)` : "";
  }
}
