// States as strips: a lane per signal, and in it a block per state in a colour of its own, with its word where there is room for it. So are
// drawn those that are too many for an axis, and signals of different states that share one.

import { laneRows } from "./axis.js";
import { mix, pixelOf } from "./raster.js";
import { wordsOf } from "./traces.js";

const GAP_PX = 4; // between two lanes
const PAD_PX = 4; // beside a word
const SHARES = [256, 150, 90]; // of 256, of a colour of the palette: the first states have it whole, those that come to it again less
const PALE_SHARE = 90; // of 256, of the colour of a state that is not live, or stands under traces

export class States {
  constructor(chart) {
    this.chart = chart;
    this.masks = new Map(); // of words, by font and text
  }

  // Draw a trace in a part of the picture, for which the raster is clipped.
  draw(raster, { left }, pixelsPerMs, { signal, columns }) {
    const { axisOf, signals, picture, hidden } = this.chart;
    const lane = axisOf[signals.indexOf(signal)]?.lanes?.find(({ name }) => name === signal.name);
    if (!lane || hidden.has(signal.name)) return;
    const gap = Math.round((GAP_PX * picture.area.dpr) / 2);
    const [top, bottom] = laneRows(lane, raster.height, picture.area.dpr).map((row, i) => Math.round(row) + (i ? -gap : gap));
    const isPale = lane.isUnder || this.chart.isDim(signal);
    const words = wordsOf(signal);
    for (const block of blocksOf(columns, left, pixelsPerMs, raster)) {
      const from = Math.max(block.from, raster.from);
      const to = Math.min(block.to, raster.to);
      const [upper, lower] = [block.low, block.high].map((state) => this.pixelOfState(state, isPale));
      const middle = block.low === block.high ? bottom : Math.round((top + bottom) / 2);
      for (let x = from; x < to; x++) {
        raster.run(x, top, middle, upper);
        if (middle < bottom) raster.run(x, middle, bottom, lower);
      }
      if (block.low === block.high) this.write(raster, words[block.low] ?? "", from, to, (top + bottom) / 2, bottom - top, upper);
    }
  }

  pixelOfState(state, isPale) {
    const { palette } = this.chart;
    const { traces } = palette;
    const color = pixelOf(traces[state % traces.length] ?? palette.faint);
    const share = SHARES[Math.floor(state / traces.length) % SHARES.length];
    return mix(pixelOf(palette.background), color, isPale ? (share * PALE_SHARE) / 256 : share);
  }

  // A word at the left of what is seen of a block, if it fits.
  write(raster, text, from, to, middle, room, ground) {
    const { font, dpr } = this.chart.picture.area;
    const pad = Math.round(PAD_PX * dpr);
    const mask = this.maskOf(text, font);
    if (!mask || to - from < mask.width + 2 * pad || room < mask.height) return;
    const ink = isLight(ground) ? 0xff000000 : 0xffffffff;
    const [x, y] = [from + pad, Math.round(middle - mask.height / 2)];
    for (let at = 0; at < mask.shares.length; at++) {
      if (!mask.shares[at]) continue;
      const place = (y + Math.floor(at / mask.width)) * raster.width + x + (at % mask.width);
      raster.pixels[place] = mix(raster.pixels[place], ink, mask.shares[at]);
    }
  }

  maskOf(text, font) {
    const key = `${font} ${text}`;
    if (!this.masks.has(key)) this.masks.set(key, text ? maskOf(text, font) : null);
    return this.masks.get(key);
  }
}

// How much of each pixel a word covers: {width, height, shares (of 256, row by row)}.
function maskOf(text, font) {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  context.font = font;
  const { width: length, fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = context.measureText(text);
  const [width, height] = [Math.ceil(length), Math.ceil(ascent + descent)];
  Object.assign(context.canvas, { width, height });
  context.font = font; // a canvas that gets another size forgets it
  context.fillText(text, 0, ascent);
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, shares: Uint16Array.from({ length: width * height }, (_, at) => Math.round((data[4 * at + 3] * 256) / 255)) };
}

// By relative luminance as WCAG 2 has it, where black and white have the same contrast.
function isLight(pixel) {
  const [r, g, b] = [0, 8, 16].map((bits) => (((pixel >>> bits) & 255) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179;
}

// What is seen of a trace, in order: {from, to (x), low, high}: a state for as long as it holds, or a column of pixels with several, of which
// the first and the last in their order are told.
function blocksOf(columns, left, pixelsPerMs, { from, to }) {
  const { widthMs, stamp, time, min, max, last, broken } = columns;
  const xOf = (ms) => Math.floor((ms - left) * pixelsPerMs);
  const first = Math.floor((left + from / pixelsPerMs) / widthMs);
  const blocks = [];
  let held = null; // the block that goes on
  let begun = null; // the one that begins in the column of pixels that was met last
  const before = columns.slotBeside(first, -1);
  for (let n = before >= 0 ? stamp[before] : Math.max(first, columns.oldest); n <= columns.newest; n++) {
    const slot = columns.slot(n);
    if (slot < 0) continue;
    const [low, high] = [min[slot], max[slot]];
    const x = xOf(time[slot]);
    const end = Math.max(x + 1, xOf((n + 1) * widthMs));
    if (held && !broken[slot]) held.to = Math.max(held.from, x);
    if (x >= to) break;
    if (held && !broken[slot] && low === held.low && high === held.low) {
      held.to = end;
      continue;
    }
    if (begun?.from === x) {
      Object.assign(begun, { to: x + 1, low: Math.min(low, begun.low), high: Math.max(high, begun.high) });
      if (held !== begun) blocks.pop();
      held = begun;
    } else {
      begun = held = { from: x, to: end, low, high };
      blocks.push(begun);
    }
    if (begun.low === begun.high) continue;
    held = { from: begun.to, to: end, low: last[slot], high: last[slot] };
    blocks.push(held);
  }
  return blocks;
}
