// States as strips: a lane per signal, and in it a block per state in a colour of its own, with its word where there is room for it. So are
// drawn those that are too many for an axis, and signals of different states that share one.

import { laneRows } from "./axis.js";
import { mix, pixelOf } from "./raster.js";
import { wordsOf } from "./traces.js";

const GAP_PX = 4; // between two lanes
const PAD_PX = 4; // beside a word
const SHARES = [256, 150, 90]; // of 256, of a colour of the palette: the first states have it whole, those that come to it again less
const PALE_SHARE = 90; // of 256, of the colour of a state that is not live, or stands under traces
const LEAST_WORD_PX = 12; // no word is narrower, with what is beside it
const pencil = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

export class States {
  constructor(chart) {
    this.chart = chart;
    this.words = new Map(); // by text, in the font of then
    this.font = "";
  }

  // Draw a trace in a part of the picture, for which the raster is clipped.
  draw(raster, { left }, pixelsPerMs, { signal, columns }) {
    const { axisOf, signals, picture, hidden } = this.chart;
    const lane = axisOf[signals.indexOf(signal)]?.lanes?.find(({ name }) => name === signal.name);
    if (!lane || hidden.has(signal.name)) return;
    const [top, bottom] = inner(laneRows(lane, raster.height, picture.area.dpr), picture.area.dpr);
    const words = wordsOf(signal);
    const pixels = words.map((_, state) => this.pixelOfState(state, lane.isUnder || this.chart.isDim(signal)));
    let end = NaN; // of the block before
    for (const block of blocksOf(columns, left, pixelsPerMs, raster)) {
      const isOne = block.low === block.high;
      // A column of ground is left between two blocks, whose colors may be the same.
      const from = Math.max(block.from + (block.from === end && block.to - block.from > 2 ? 1 : 0), raster.from);
      const to = Math.min(block.to, raster.to);
      end = block.to;
      if (to <= from) continue;
      const middle = isOne ? bottom : (top + bottom) >> 1;
      for (let x = from; x < to; x++) {
        raster.run(x, top, middle, pixels[block.low]);
        if (!isOne) raster.run(x, middle, bottom, pixels[block.high]);
      }
      if (isOne && to - from > LEAST_WORD_PX) this.write(raster, words[block.low] ?? "", from, to, top, bottom, pixels[block.low]);
    }
  }

  pixelOfState(state, isPale) {
    const { traces, background } = this.chart.palette;
    const share = SHARES[Math.floor(state / traces.length) % SHARES.length];
    return mix(pixelOf(background), pixelOf(traces[state % traces.length]), isPale ? (share * PALE_SHARE) / 256 : share);
  }

  // A word at the left of what is seen of a block, if it fits.
  write(raster, text, from, to, top, bottom, ground) {
    const { font, dpr } = this.chart.picture.area;
    const pad = Math.round(PAD_PX * dpr);
    const word = this.wordOf(text, font);
    if (to - from < word.width + 2 * pad || bottom - top < word.height) return;
    word.shares ??= sharesOf(word, text, font);
    const ink = isLight(ground) ? 0xff000000 : 0xffffffff;
    const [x, y] = [from + pad, Math.round((top + bottom - word.height) / 2)];
    for (let at = 0; at < word.shares.length; at++) {
      if (!word.shares[at]) continue;
      const place = (y + Math.floor(at / word.width)) * raster.width + x + (at % word.width);
      raster.pixels[place] = mix(raster.pixels[place], ink, word.shares[at]);
    }
  }

  // How large a word is; what it looks like is found out when there is room for it.
  wordOf(text, font) {
    if (font !== this.font) this.words.clear();
    this.font = font;
    let word = this.words.get(text);
    if (!word) this.words.set(text, (word = sizeOf(text, font)));
    return word;
  }
}

// The rows of a block within those of its lane: low ones have no room to lose.
function inner([top, bottom], dpr) {
  const gap = Math.max(0, Math.min(Math.round((GAP_PX * dpr) / 2), Math.floor((bottom - top - 2) / 2)));
  return [Math.round(top) + gap, Math.max(Math.round(top) + gap + 1, Math.round(bottom) - gap)];
}

function sizeOf(text, font) {
  pencil.font = font;
  const { width, fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = pencil.measureText(text);
  return { width: Math.ceil(width), height: Math.ceil(ascent + descent), ascent, shares: null };
}

// How much of each pixel a word covers, of 256, row by row.
function sharesOf({ width, height, ascent }, text, font) {
  Object.assign(pencil.canvas, { width, height });
  pencil.font = font; // a canvas that gets a size forgets it
  pencil.fillText(text, 0, ascent);
  const { data } = pencil.getImageData(0, 0, width, height);
  return Uint16Array.from({ length: width * height }, (_, at) => Math.round((data[4 * at + 3] * 256) / 255));
}

// By relative luminance as WCAG 2 has it, where black and white have the same contrast.
function isLight(pixel) {
  const [r, g, b] = [0, 8, 16].map((bits) => (((pixel >>> bits) & 255) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179;
}

// What is seen of a trace, in order: {from, to (x), low, high}: a state for as long as it holds, or a column of pixels with several, of which
// the first and the last in their order are told. A column that one state ends in and the next begins is the next one's.
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
      const isChange = held && !broken[slot] && [low, high].includes(held.low) && last[slot] === low + high - held.low;
      begun = held = isChange ? { from: x, to: end, low: last[slot], high: last[slot] } : { from: x, to: end, low, high };
      blocks.push(begun);
    }
    if (begun.low === begun.high) continue;
    held = { from: begun.to, to: end, low: last[slot], high: last[slot] };
    blocks.push(held);
  }
  return blocks;
}
