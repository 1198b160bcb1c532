// The strip over the charts: the whole recording, and the view as a window in it that can be moved and drawn anew.

import { unwatchSize, watchSize } from "/static/stripchart/sizes.js";
import { PALETTES, themeOf } from "/static/stripchart/theme.js";

import { make } from "./dom.js";
import { fold, pixelColumns } from "/static/stripchart/past/fold.js";
import { widthFor } from "/static/stripchart/past/levels.js";
import { StripDrawing } from "./history-strip.js";
import { max } from "/static/stripchart/past/time.js";
import { partOf } from "/static/stripchart/past/view.js";
import { ViewTimes } from "/static/stripchart/past/ticks.js";

const TEXT_PX = 16; // below the traces
const HANDLE_PX = 9; // that count as an edge of the window
const LEAST_PX = 6; // of the window, as it is drawn
const KEY_PART = 0.25;

// The plot area of a strip, whose labels stand below the traces.
function stripArea({ width, height, clientWidth }) {
  const dpr = width / (clientWidth || width);
  const font = `${Math.round(11 * dpr)}px system-ui, sans-serif`;
  return { left: 0, top: Math.round(3 * dpr), width, height: height - (TEXT_PX + 6) * dpr, dpr, font };
}

export class Overview {
  constructor(element, source) {
    this.source = source;
    this.view = source.view;
    this.element = element;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.window = make("div", {
      class: "window", role: "slider", tabindex: "0", "aria-label": "Shown range in the whole recording",
      "aria-valuemin": "0", "aria-valuemax": "100",
    });
    element.append(this.canvas, this.window);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.times = new ViewTimes();
    this.strip = new StripDrawing();
    this.isDirty = true;
    this.recorded = []; // where any signal has records: stretches of pixels
    this.drag = null;
    watchSize(this.canvas, (width, height) => {
      Object.assign(this.canvas, { width, height });
      this.isDirty = true;
      source.resized();
      this.draw();
    });
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) element.addEventListener(type, () => (this.drag = null));
    element.addEventListener("dblclick", () => this.view.showAll());
    this.window.addEventListener("keydown", (event) => this.key(event));
  }

  // Range and buckets that it shows.
  get range() {
    return this.view.whole;
  }

  get width() {
    const [start, end] = this.range;
    return widthFor(end - start, Math.min(1000, this.canvas.width || 500));
  }

  // The signals of each chart, those first whose recording is the longest.
  get groups() {
    const spanOf = ({ signals: [{ first, last }] }) => Number((last ?? 0n) - (first ?? 0n));
    return [...this.source.charts].sort((a, b) => spanOf(b) - spanOf(a)).map((chart) => chart.signals);
  }

  draw() {
    this.place();
    const { context, canvas } = this;
    if (!this.isDirty || !canvas.width) return;
    this.isDirty = false;
    const palette = PALETTES[themeOf("auto")];
    const [start, end] = this.range;
    const plot = stripArea(canvas);
    context.fillStyle = palette.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const ticks = this.times.at(start, end, this.source.zone, plot);
    this.drawTimes(plot, palette, ticks);
    const charts = this.groups.map((signals) => signals.map((signal) => this.trace(signal, plot.width)));
    this.recorded = this.strip.draw(context, plot, palette, charts, ticks);
  }

  trace(signal, width) {
    const [start, end] = this.range;
    const columns = pixelColumns(width);
    const loader = this.source.loaders.get(signal.channel);
    if (loader) {
      const { pieces } = loader.tiles.cover(start, end, this.width);
      fold(columns, signal.path, pieces, start, max(end - start, 1n), width, loader.tiles.interval);
    }
    return columns;
  }

  drawTimes(plot, palette, ticks) {
    const { context } = this;
    context.font = plot.font;
    context.textBaseline = "bottom";
    context.textAlign = "left";
    context.strokeStyle = palette.grid;
    context.fillStyle = palette.faint;
    context.lineWidth = 1;
    context.beginPath();
    for (const [left, text] of ticks) {
      const x = left + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, this.canvas.height);
      if (x + 60 * plot.dpr < plot.width) context.fillText(text, x + 4 * plot.dpr, this.canvas.height - 2 * plot.dpr);
    }
    context.stroke();
  }

  // Put the window where the view is.
  place() {
    const [start, end] = this.range;
    const length = Number(end - start) || 1;
    const clamp = (place) => Math.min(1, Math.max(0, place));
    const left = clamp(Number(this.view.start - start) / length);
    const right = clamp(Number(this.view.end - start) / length);
    const { style } = this.window;
    const least = LEAST_PX / (this.element.clientWidth || 500);
    const drawnLeft = Math.min(left, 1 - least);
    style.setProperty("--left", `${drawnLeft * 100}%`);
    style.setProperty("--right", `${(1 - Math.max(right, drawnLeft + least)) * 100}%`);
    const middle = Math.round(((left + right) / 2) * 100);
    this.window.setAttribute("aria-valuenow", String(middle));
    this.window.setAttribute("aria-valuetext", this.source.rangeText());
  }

  placeAt(clientX) {
    const box = this.element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - box.left) / box.width));
  }

  timeAt(place) {
    const [start, end] = this.range;
    return start + partOf(end - start, place);
  }

  down(event) {
    if (event.button > 0) return;
    event.preventDefault();
    this.element.setPointerCapture(event.pointerId);
    this.window.focus({ preventScroll: true });
    const box = this.window.getBoundingClientRect();
    const place = this.placeAt(event.clientX);
    const { start, end } = this.view;
    const isWide = box.width > 3 * HANDLE_PX;
    let part = "new";
    if (event.clientX >= box.left && event.clientX <= box.right) part = "whole";
    if (isWide && Math.abs(event.clientX - box.left) < HANDLE_PX) part = "left";
    if (isWide && Math.abs(event.clientX - box.right) < HANDLE_PX) part = "right";
    this.drag = { part, place, start, end, x: event.clientX };
    if (part === "new") {
      // A click beside the window brings it there; a drag draws another one.
      const half = this.view.length / 2n;
      this.view.show(this.timeAt(place) - half, this.timeAt(place) + half, "jump");
    }
  }

  move(event) {
    const { drag, view } = this;
    if (!drag || (Math.abs(event.clientX - drag.x) < 3 && !drag.hasMoved)) return;
    drag.hasMoved = true;
    const at = this.timeAt(this.placeAt(event.clientX));
    const by = at - this.timeAt(drag.place);
    if (drag.part === "whole") view.show(drag.start + by, drag.end + by, "pan");
    else if (drag.part === "left") view.show(at < drag.end ? at : drag.end, drag.end, "zoom");
    else if (drag.part === "right") view.show(drag.start, at > drag.start ? at : drag.start, "zoom");
    else {
      const from = this.timeAt(drag.place);
      view.show(at < from ? at : from, at < from ? from : at, "zoom");
    }
  }

  key(event) {
    const { view } = this;
    const keys = {
      ArrowLeft: () => view.pan(-KEY_PART),
      ArrowRight: () => view.pan(KEY_PART),
      ArrowUp: () => view.zoom(1 / 1.6),
      ArrowDown: () => view.zoom(1.6),
      PageUp: () => view.pan(-1),
      PageDown: () => view.pan(1),
      Home: () => view.goTo(false),
      End: () => view.goTo(true),
    };
    if (!keys[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  unmount() {
    unwatchSize(this.canvas);
  }
}
