// What the cursor shows: the record that is nearest, or minimum, maximum and average of a bucket.

import { valueText } from "../format.js";

import { lowest } from "./fold.js";
import { lengthText, stampText } from "./time.js";
import { countText } from "./words.js";

// What a signal has at a time: {text(signal), time, words}; null where there is nothing.
export function readAt(tiles, name, time, source) {
  const { view, width } = source;
  const reach = view.length / 50n + 1n; // a record is read from so far away
  const { pieces } = tiles.cover(time - reach, time + reach + 1n, width);
  let nearest = null;
  for (const { tile, start, end } of pieces) {
    const column = tile.columns.get(name);
    if (!column) continue;
    if (tile.isRaw) nearest = nearerRecord(nearest, tile, column.value, time, reach);
    else if (start <= time && time < end) {
      const found = bucketAt(tile, column, time, source.zone);
      if (found) return found;
    }
  }
  return nearest && recordAt(nearest, view, source.zone);
}

function nearerRecord(nearest, tile, values, time, reach) {
  const place = lowest(tile.offsets, Number(time - tile.start));
  let best = nearest;
  for (let i = Math.max(0, place - 1); i <= Math.min(place, values.length - 1); i++) {
    const far = tile.times[i] > time ? tile.times[i] - time : time - tile.times[i];
    if (Number.isNaN(values[i]) || far > reach || (best && best.far <= far)) continue;
    best = { far, time: tile.times[i], value: values[i] };
  }
  return best;
}

function recordAt({ time, value }, view, zone) {
  // Digits of the clock until neighbours in the view are told apart, and those that the record itself has.
  const step = [1e9, 1e6, 1e3].find((one) => Number(time) % one === 0 && time % BigInt(one) === 0n) ?? 1;
  return {
    time,
    text: (signal) => valueText(value, signal.unit, signal.isWhole),
    words: stampText(time, Math.min(step, Number(view.length) / 1000), zone),
  };
}

function bucketAt(tile, { min, max, avg, count }, time, zone) {
  const place = lowest(tile.offsets, Number(time - tile.start) - Number(tile.width) + 0.5);
  const start = tile.times[place];
  if (start === undefined || start > time || Number.isNaN(min[place])) return null;
  return {
    time: start,
    text: (signal) => {
      const [low, high] = [min[place], max[place]].map((value) => valueText(value, signal.unit, signal.isWhole));
      const middle = valueText(avg[place], signal.unit);
      if (min[place] === max[place]) return low;
      return `${withoutUnit(low, high)} … ${high}, avg ${withoutUnit(middle, high)}`;
    },
    words: `${stampText(start, Number(tile.width), zone)} + ${lengthText(tile.width)}, ${countText(count[place], "record")}`,
  };
}

// A value without its unit, where another has the same one.
function withoutUnit(text, other) {
  const [value, unit = ""] = text.split("\u202f");
  return unit === (other.split("\u202f")[1] ?? "") ? value : text;
}
