// Which part of a still chart's view is drawn from what: from what the page held when it was paused, or from tiles of the history.
// Times are those shown: `shift` is what those of the history are ahead of them.

import { heldRows } from "../shown.js";
import { lowest } from "./fold.js";
import { lengthText, max, min } from "./time.js";

const ARCHIVE = "records of the archive";
const nanos = (ms) => BigInt(Math.round(ms * 1e6));

// Pieces of [from, to) in order: {held, start, end} or {tile, start, end, shift, isExact}. Exact tiles come first where `isFine`
// is false: where they tell more than what is held.
export function piecesOf(held, tiles, from, to, isFine) {
  if (!(held?.newest >= 0)) return tiles;
  const [first, last] = [nanos(held.oldest * held.widthMs), nanos((held.newest + 1) * held.widthMs)];
  const winners = isFine ? [] : tiles.filter((piece) => piece.isExact);
  const own = without([[max(first, from), min(last, to)]], winners).map(([start, end]) => ({ held, start, end }));
  const rest = tiles.flatMap((piece) => without([[piece.start, piece.end]], own).map(([start, end]) => ({ ...piece, start, end })));
  return [...own, ...rest].filter((piece) => piece.end > piece.start).sort((a, b) => (a.start < b.start ? -1 : 1));
}

// Tiles of a loader that stand for [from, to).
export function tilesOf(loader, path, from, to, width, shift) {
  if (!loader?.names.includes(path)) return [];
  const { pieces } = loader.tiles.cover(from + shift, to + shift, width);
  return pieces.map((piece) => ({ ...piece, start: piece.start - shift, end: piece.end - shift, shift }));
}

// What is left of ranges [start, end) without those of pieces.
export function without(ranges, pieces) {
  let left = ranges;
  for (const { start, end } of pieces) {
    left = left.flatMap(([from, to]) => {
      if (end <= from || start >= to) return [[from, to]];
      return [[from, start], [end, to]].filter(([a, b]) => a < b);
    });
  }
  return left;
}

// Each column, record or bucket of pieces, as rowsOf in shown.js tells them.
export function rowsOfPieces(pieces, signal, from, to) {
  return pieces.flatMap((piece) => {
    const [start, end] = [max(piece.start, from), min(piece.end, to)];
    if (start >= end) return [];
    if (piece.held) return heldRows(piece.held, signal, Number(start) / 1e6, Number(end) / 1e6);
    const column = piece.tile.columns.get(signal.path);
    if (!column) return [];
    return piece.tile.isRaw ? recordRows(piece, column.value, start, end) : bucketRows(piece, column, start, end);
  });
}

// Whether states are not told within [from, to): of a bucket with more of them than the first and the last.
export function hidesStates({ tile, shift }, path, from, to) {
  const { distinct, first, last } = (!tile?.isRaw && tile?.columns.get(path)) || {};
  const isWithin = (time) => time < to && time + tile.width > from;
  return distinct?.some((count, i) => count > (first[i] === last[i] ? 1 : 2) && isWithin(tile.times[i] - shift)) ?? false;
}

function recordRows({ tile, shift }, values, start, end) {
  const rows = [];
  for (let i = lowest(tile.offsets, Number(start + shift - tile.start)); i < tile.times.length; i++) {
    const time = tile.times[i] - shift;
    if (time >= end) break;
    const value = values[i];
    if (!Number.isNaN(value)) rows.push({ time, first: value, min: value, max: value, last: value, samples: 1, each: "", of: ARCHIVE });
  }
  return rows;
}

function bucketRows({ tile, shift }, column, start, end) {
  const each = `buckets of ${lengthText(tile.width)}`;
  const rows = [];
  for (let i = lowest(tile.offsets, Number(start + shift - tile.start - tile.width) + 1); i < tile.times.length; i++) {
    const time = tile.times[i] - shift;
    if (time >= end) break;
    const told = Object.fromEntries(["first", "min", "max", "last"].map((name) => [name, column[name][i]]));
    if (!Number.isNaN(told.min)) rows.push({ time, ...told, samples: column.count[i], each, of: ARCHIVE });
  }
  return rows;
}
