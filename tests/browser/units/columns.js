import { Columns } from "/static/stripchart/columns.js";
import { SampleRing } from "/static/stripchart/ring.js";
import { extremes } from "/static/stripchart/trace.js";
import { equal, random, test } from "./harness.js";

const START = 1.8e12;

// The drawn columns as [number, first, min, max, last, broken], oldest first.
function drawn(columns) {
  const slots = [...columns.stamp.keys()].filter((slot) => columns.stamp[slot] >= 0);
  slots.sort((a, b) => columns.stamp[a] - columns.stamp[b]);
  return slots.map((slot) => {
    const { stamp, first, min, max, last, broken } = columns;
    return [stamp[slot], first[slot], min[slot], max[slot], last[slot], broken[slot]];
  });
}

function make(widthMs, count = 100) {
  const columns = new Columns();
  columns.reset(widthMs, count);
  return columns;
}

test("samples of a column are held by first, min, max and last", () => {
  const columns = make(10);
  for (const [time, value] of [[0, 5], [1, 9], [2, -3], [9, 4], [10, 7]]) columns.push(time, value);
  equal(drawn(columns), [[0, 5, -3, 9, 4, 1], [1, 7, 7, 7, 7, 0]]);
});

test("NaN breaks the trace", () => {
  const columns = make(1);
  for (const [time, value] of [[0, 1], [1, NaN], [2, 3], [3, 4], [3.1, NaN], [4, NaN], [5, 6]]) columns.push(time, value);
  equal(drawn(columns).map((column) => [column[0], column[5]]), [[0, 1], [2, 1], [3, 0], [5, 1]]);
});

test("of two samples of one time the nearer is joined first", () => {
  const rising = make(1);
  const falling = make(1);
  for (let i = 0; i < 5; i++) {
    rising.push(i, i);
    rising.push(i, i + 1);
    falling.push(i, -i - 1);
    falling.push(i, -i);
  }
  equal(drawn(rising).slice(1).map(([n, first, , , last]) => [n, first, last]), [1, 2, 3, 4].map((i) => [i, i, i + 1]));
  equal(drawn(falling).slice(1).map(([n, first, , , last]) => [n, first, last]), [1, 2, 3, 4].map((i) => [i, -i, -i - 1]));
});

test("a late sample widens its column and leaves the order", () => {
  const columns = make(10);
  for (const [time, value] of [[0, 1], [20, 2], [5, 9], [11, 5], [30, 3]]) columns.push(time, value);
  equal(drawn(columns), [[0, 1, 1, 9, 1, 1], [1, 5, 5, 5, 5, 0], [2, 2, 2, 2, 2, 0], [3, 3, 3, 3, 3, 0]]);
});

test("what fell out at the left is forgotten, nothing else", () => {
  const columns = make(1, 10);
  for (let i = 0; i < 1000; i++) columns.push(i, i);
  equal(drawn(columns).map(([n]) => n), Array.from({ length: 28 }, (_, i) => 972 + i));
  columns.push(3, 99);
  equal(drawn(columns).length, 28);
});

test("the column before the window is found", () => {
  const columns = make(1, 10);
  columns.push(5, 1);
  equal([columns.slotBefore(9) >= 0, columns.slotBefore(5), columns.slotBefore(500)], [true, -1, -1]);
});

// Expectation: for random data and any zoom a column's extremes are those of its samples.
test("columns have the extremes of the samples at any zoom", () => {
  const next = random(42);
  for (let round = 0; round < 60; round++) {
    const widthMs = 10 ** (next() * 6 - 2);
    const count = 5 + Math.floor(next() * 300);
    const ring = new SampleRing(1e15);
    const live = make(widthMs, count);
    const wanted = new Map();
    let time = START;
    for (let i = 0; i < 2000; i++) {
      time += next() < 0.3 ? 0 : (next() * widthMs * count) / 1500;
      const value = next() < 0.02 ? NaN : (next() - 0.5) * 10 ** Math.floor(next() * 12 - 6);
      ring.push(time, value);
      live.push(time, value);
      if (Number.isNaN(value)) continue;
      const column = Math.floor(time / widthMs);
      const [low, high] = wanted.get(column) ?? [Infinity, -Infinity];
      wanted.set(column, [Math.min(low, value), Math.max(high, value)]);
    }
    const loaded = make(widthMs, count);
    loaded.load(ring);
    equal(drawn(loaded), drawn(live), "loaded from the ring");
    const right = Math.floor(time / widthMs);
    const visible = drawn(live).filter(([n]) => n > right - count);
    equal(
      visible.map(([n, , min, max]) => [n, min, max]),
      [...wanted].filter(([n]) => n > right - count).map(([n, [min, max]]) => [n, min, max]),
    );
    const extent = [Infinity, -Infinity];
    extremes(live, right - count + 1, count, extent);
    equal(extent, [Math.min(...visible.map((c) => c[2])), Math.max(...visible.map((c) => c[3]))]);
  }
});
