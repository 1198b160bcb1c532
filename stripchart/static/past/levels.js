// Widths of buckets, and how time is cut into tiles of so many buckets. A tile is what is asked for and kept.

import { DAY, HOUR, SECOND, floorDiv } from "./time.js";

export const TILE = 512n; // buckets of a tile
const MOST = 3000; // buckets of a view
const MONDAY = 4n * DAY; // 1970-01-05: buckets of whole weeks are counted from Mondays

// Those of the history service: its rollups are whole in them.
export const LADDER = [
  ...Array.from({ length: 9 }, (_, power) => [1n, 2n, 5n].map((step) => step * 10n ** BigInt(power))).flat(),
  ...[1n, 2n, 5n, 10n, 20n, 30n, 60n, 120n, 300n, 600n, 1200n, 1800n].map((step) => step * SECOND),
  ...[1n, 2n, 3n, 6n, 12n].map((step) => step * HOUR),
  ...[1n, 2n, 7n, 14n, 28n, 91n, 182n, 364n].map((step) => step * DAY),
];

// The widest buckets that are no wider than a pixel, as long as they are not too many.
export function widthFor(length, pixels) {
  const ns = Number(length);
  const fitting = LADDER.findLastIndex((width) => Number(width) <= ns / Math.max(1, pixels));
  let place = Math.max(0, fitting);
  while (place + 1 < LADDER.length && ns / Number(LADDER[place]) > MOST) place++;
  return LADDER[place];
}

// The widest tiles that have at most so many records, where a record comes each `interval` ns.
export function widthForRecords(interval, records) {
  const place = LADDER.findLastIndex((width) => (Number(width) * Number(TILE)) / interval <= records);
  return place < 0 ? 0n : LADDER[place];
}

const originOf = (width) => (width % (7n * DAY) === 0n ? MONDAY : 0n);

export const tileLength = (width) => width * TILE;
export const tileAt = (time, width) => floorDiv(time - originOf(width), tileLength(width));
export const tileStart = (index, width) => originOf(width) + index * tileLength(width);

// A width as the history service reads it.
export function widthText(width) {
  if (width % DAY === 0n) return `${width / DAY}d`;
  if (width % SECOND === 0n) return `${width / SECOND}s`;
  return `${width}ns`;
}
