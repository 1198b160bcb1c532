// One signal over another: the points of the window, the newest marked.

import { valueText } from "./format.js";
import { Points } from "./plots/join.js";
import { Sampled } from "./plots/sampled.js";
import { cell, segment } from "./plots/shapes.js";
import { arrangeAxes, traceStyles } from "./traces.js";

const MARK_PX = 4; // radius of the newest point
const DOT_PX = 2;
const ROOM = 0.03; // of the span of the values, is free at each side at least: lines along the edge are not seen

export default class Plane extends Sampled {
  constructor(chart) {
    super(chart);
    this.points = []; // by signal; of x there are none
    this.marks = (raster) => this.drawPoints(raster);
    // The first signal has the axis below, the others have those beside.
    this.arrange = (signals, wanted, fixed, before) => {
      const { axes, axisOf } = arrangeAxes(signals.slice(1), wanted?.slice(1), fixed, before);
      return { axes, axisOf: [null, ...axisOf] };
    };
    this.styles = (palette, colors, count) => [
      { color: palette.text, dimmed: palette.faint, isDashed: false },
      ...traceStyles(palette, colors, Math.max(0, count - 1)),
    ];
  }

  configure(settings) {
    if (settings.signals.length < 2) throw new Error(`data-signals: wanted x and one or more y, got ${JSON.stringify(settings.signals[0])} alone`);
    super.configure(settings);
    this.isLine = settings.mode === "line";
  }

  reset() {
    super.reset();
    this.lower.unit = this.chart.signals[0]?.unit || "x";
  }

  renew() {
    this.points = this.stores.map((_, index) => (index ? new Points() : null));
  }

  drawAll(localMs) {
    if (!this.isHeld) this.join();
    this.fitAll(localMs);
    this.drawGround(this.marks);
  }

  join() {
    const { stores, points, chart } = this;
    const [from, to] = this.range;
    for (let index = 1; index < stores.length; index++) {
      const isSame = chart.signals[index].channel === chart.signals[0].channel;
      points[index].join(stores[0], stores[index], from, to, isSame);
    }
  }

  fitAll(localMs) {
    const { chart, extent, lower } = this;
    this.widen((points, i) => points.x[i], () => true);
    if (chart.state === "live" || lower.scale.isEmpty) lower.scale.fit(extent[0], extent[1], localMs);
    for (const axis of chart.axes) {
      this.widen((points, i) => points.y[i], (index) => chart.axisOf[index] === axis);
      this.fit(axis, localMs);
    }
  }

  // Set `extent` to the extremes of a coordinate over the points of some signals, and some room.
  widen(coordinate, isMeant) {
    const { extent, points } = this;
    extent[0] = Infinity;
    extent[1] = -Infinity;
    for (let index = 1; index < points.length; index++) {
      if (!isMeant(index)) continue;
      for (let i = 0; i < points[index].n; i++) {
        const value = coordinate(points[index], i);
        if (!Number.isFinite(value)) continue; // no axis reaches so far
        if (value < extent[0]) extent[0] = value;
        if (value > extent[1]) extent[1] = value;
      }
    }
    const room = (extent[1] - extent[0]) * ROOM;
    extent[0] -= room;
    extent[1] += room;
  }

  drawPoints(raster) {
    for (let index = this.points.length - 1; index > 0; index--) {
      if (this.isShown(index)) this.drawOne(raster, index);
    }
  }

  drawOne(raster, index) {
    const { chart, lower } = this;
    const { area } = chart.picture;
    const { scale } = chart.axisOf[index];
    const { x, y, n } = this.points[index];
    const { pixel, half } = this.penOf(index);
    const zoomX = (area.width - 1) / (lower.scale.max - lower.scale.min);
    const zoomY = (area.height - 1) / (scale.max - scale.min);
    const dot = Math.max(1, Math.round(DOT_PX * area.dpr));
    let [atX, atY, newestX, newestY] = [NaN, NaN, NaN, NaN];
    for (let i = 0; i < n; i++) {
      const pixelX = (x[i] - lower.scale.min) * zoomX;
      const pixelY = (scale.max - y[i]) * zoomY;
      const isNear = Math.abs(pixelX - atX) + Math.abs(pixelY - atY) < 0.5; // nothing to see between them
      if (pixelX === pixelX && pixelY === pixelY) [newestX, newestY] = [pixelX, pixelY];
      if (isNear) continue;
      if (!this.isLine) cell(raster, Math.round(pixelX - dot / 2), Math.round(pixelX - dot / 2) + dot, pixelY - dot / 2, pixelY + dot / 2, pixel);
      else if (pixelX === pixelX && atX === atX && atY === atY) segment(raster, atX, atY, pixelX, pixelY, half, pixel);
      atX = pixelY === pixelY ? pixelX : NaN;
      atY = pixelY;
    }
    if (newestX === newestX) raster.dot(Math.round(newestX), Math.round(newestY), MARK_PX * area.dpr, pixel);
  }

  // The newest point of a signal as [x, y]; null when there is none.
  newest(index) {
    const points = this.points[index];
    for (let i = (points?.n ?? 0) - 1; i >= 0; i--) {
      if (!Number.isNaN(points.x[i] + points.y[i])) return [points.x[i], points.y[i]];
    }
    return null;
  }

  describe() {
    const { signals } = this.chart;
    if (signals.length < 2) return "";
    const told = signals.slice(1).map((signal, order) => {
      const point = this.newest(order + 1);
      const where = point ? `: newest ${valueText(point[1], signal.unit)} at ${valueText(point[0], signals[0].unit)}` : "";
      return `${signal.name} over ${signals[0].name}${where}`;
    });
    return told.join(", ");
  }

  // For tests: per signal but the first its points.
  get drawn() {
    const { lower } = this;
    const points = this.points.slice(1).map(({ x, y, n }) => Array.from({ length: n }, (_, i) => [x[i], y[i]]));
    return { points, x: [lower.scale.min, lower.scale.max] };
  }
}
