import { Columns } from "/static/stripchart/columns.js";
import { heldRows } from "/static/stripchart/shown.js";
import { equal, random, test } from "./harness.js";

const START = 1.8e12;

// What is held as [number, first, min, max, last, samples, broken], oldest first.
const held = (columns) => columns.list(0, Infinity).map(([start, , ...rest]) => [Math.round(start / columns.widthMs), ...rest]);

test("samples of a column are held by first, min, max and last", () => {
  const columns = new Columns(10, 100);
  for (const [time, value] of [[0, 5], [1, 9], [2, -3], [9, 4], [10, 7]]) columns.push(time, value);
  equal(held(columns), [[0, 5, -3, 9, 4, 4, 1], [1, 7, 7, 7, 7, 1, 0]]);
});

test("NaN breaks the trace", () => {
  const columns = new Columns(1, 100);
  for (const [time, value] of [[0, 1], [1, NaN], [2, 3], [3, 4], [3.1, NaN], [4, NaN], [5, 6]]) columns.push(time, value);
  equal(held(columns).map((column) => [column[0], column[6]]), [[0, 1], [2, 1], [3, 0], [5, 1]]);
});

test("a sample alone stands at its time, several in the middle of their column", () => {
  const columns = new Columns(10, 100);
  for (const time of [3, 17, 19]) columns.push(time, 1);
  equal([columns.time[columns.slot(0)], columns.time[columns.slot(1)]], [3, 15]);
});

test("a late sample widens its column and leaves the order", () => {
  const columns = new Columns(10, 100);
  for (const [time, value] of [[0, 1], [20, 2], [5, 9], [11, 5], [30, 3]]) columns.push(time, value);
  equal(held(columns), [[0, 1, 1, 9, 1, 2, 1], [1, 5, 5, 5, 5, 1, 0], [2, 2, 2, 2, 2, 1, 0], [3, 3, 3, 3, 3, 1, 0]]);
});

test("a column that is told again takes the place of what was known of it", () => {
  const columns = new Columns(10, 100);
  columns.pushColumn(5, 1, 0, 2, 1, 3, 0);
  columns.pushColumn(6, 1, 1, 1, 1, 1, 0);
  columns.pushColumn(5, 1, -4, 2, 1, 4, 0);
  equal(held(columns), [[5, 1, -4, 2, 1, 4, 0], [6, 1, 1, 1, 1, 1, 0]]);
  columns.pushColumn(7, NaN, NaN, NaN, NaN, 0, 0);
  columns.pushColumn(8, 2, 2, 2, 2, 1, 0);
  equal(held(columns).map((column) => [column[0], column[6]]), [[5, 0], [6, 0], [8, 1]], "a column without a value is a break");
});

test("wide columns hide no peak, join what they join, and count their samples once", () => {
  for (const span of [2, 4]) {
    const columns = new Columns(5, 1000);
    for (let number = 0; number < 16; number++) columns.pushColumn(number, 0, 0, 0, 0, 5, 0);
    const axis = { width: 5 * span, first: 16 / span - 1, data: [0, 1, 2, 4, 5] }; // from one that is known in part; one is missing
    const rows = [[0, 1, 2, 3, NaN], [0, -1, 2, 3, NaN], [0, 99, 2, 3, NaN], [0, 2, 2, 4, NaN]];
    columns.pushColumns(axis, { n: 5, data: rows.flat(), counts: [10, 10, 10, 10, 0], marks: [0, 0, 0, 1, 0] });
    const list = held(columns);
    const wide = (first) => list.filter(([n]) => n >= first && n < first + span);
    equal([columns.newestTime, columns.isBroken, columns.value], [5 * (16 + 3 * span), true, 4], `${span}`);
    equal(wide(16).map(([, , min, max]) => [min, max]), Array(span).fill([-1, 99]));
    equal([wide(16)[0][1], wide(16).at(-1)[4], wide(16).map((one) => one[5]).reduce((a, b) => a + b)], [1, 2, 10], "first, last, samples");
    equal([wide(16 + 2 * span).length, wide(16 + 3 * span).map((one) => one[6]), wide(16).map((one) => one[6])], [0, [1, ...Array(span - 1).fill(0)], Array(span).fill(0)]);
    equal(list.reduce((sum, one) => sum + one[5], 0), 5 * (16 - span) + 40);
    columns.pushColumn(16 + 4 * span - 1, 4, 3.5, 4, 3.5, 7, 0); // the newest grows
    columns.pushColumn(16 + 4 * span, 5, 5, 5, 5, 7, 0);
    equal(held(columns).slice(-2).map((one) => one.slice(1)), [[4, 3.5, 4, 3.5, 7, 0], [5, 5, 5, 5, 7, 0]]);
    equal(columns.time[columns.slot(16)], 16.5 * 5);
  }
});

test("one sample in a wide column stays one, and a wide column without a value holds nothing", () => {
  const columns = new Columns(10, 100);
  columns.pushColumn(1, 7, 7, 7, 7, 1, 0, 4);
  equal(held(columns), [[6, 7, 7, 7, 7, 1, 1]]);
  columns.pushColumn(2, 1, 0, 2, 1, 9, 0, 4);
  columns.pushColumn(11, NaN, NaN, NaN, NaN, 0, 0);
  equal(held(columns).map(([n]) => n), [6, 8, 9, 10], "a narrow one that is told to be empty is empty");
  equal([columns.isBroken, columns.value], [true, 1]);
});

test("what fell out at the left is forgotten, nothing else", () => {
  const columns = new Columns(1, 28);
  for (let i = 0; i < 1000; i++) columns.push(i, i);
  equal(held(columns).map(([n]) => n), Array.from({ length: 28 }, (_, i) => 972 + i));
  columns.push(3, 99);
  equal(held(columns).length, 28);
});

test("neighbours are found across columns that hold nothing", () => {
  const columns = new Columns(1, 28);
  for (const time of [5, 9]) columns.push(time, time);
  equal([5, 7, 500].map((n) => columns.last[columns.slotBeside(n, -1)] ?? null), [null, 5, 9]);
  equal([1, 5, 9].map((n) => columns.last[columns.slotBeside(n, 1)] ?? null), [5, 9, null]);
  equal([4.5, 5.5, 8.9, 99].map((time) => columns.last[columns.slotAt(time)] ?? null), [null, 5, 5, 9]);
});

test("a copy is not changed by what comes later", () => {
  const columns = new Columns(1, 28);
  columns.push(5, 1);
  const copy = columns.clone();
  columns.push(5.5, 9);
  columns.push(6, 2);
  equal([held(copy), copy.value], [[[5, 1, 1, 1, 1, 1, 1]], 1]);
});

// Expectation 11: for random data and any zoom a column's extremes are those of its samples.
test("columns have the extremes of the samples at any zoom", () => {
  const next = random(42);
  for (let round = 0; round < 60; round++) {
    const widthMs = 10 ** (next() * 6 - 2);
    const count = 5 + Math.floor(next() * 300);
    const columns = new Columns(widthMs, count);
    const wanted = new Map();
    let time = START;
    for (let i = 0; i < 2000; i++) {
      time += next() < 0.3 ? 0 : (next() * widthMs * count) / 1500;
      const value = next() < 0.02 ? NaN : (next() - 0.5) * 10 ** Math.floor(next() * 12 - 6);
      columns.push(time, value);
      if (Number.isNaN(value)) continue;
      const number = Math.floor(time / widthMs);
      const [low, high] = wanted.get(number) ?? [Infinity, -Infinity];
      wanted.set(number, [Math.min(low, value), Math.max(high, value)]);
    }
    const last = Math.max(...wanted.keys());
    const kept = [...wanted].filter(([n]) => n > last - count);
    equal(held(columns).map(([n, , min, max]) => [n, min, max]), kept.map(([n, [min, max]]) => [n, min, max]));
    const extent = [Infinity, -Infinity];
    columns.extremes((last - count + 1) * widthMs, (last + 1) * widthMs, extent);
    equal(extent, [Math.min(...kept.map(([, [low]]) => low)), Math.max(...kept.map(([, [, high]]) => high))]);
  }
});

test("columns that came as a wide one are one line of a file, whole where the window begins in it", () => {
  const columns = new Columns(10, 100);
  columns.pushColumn(4, 1, 1, 1, 1, 3, 0);
  columns.pushColumn(5, 2, 0, 9, 5, 7, 0, 4); // [200, 240) ms
  columns.pushColumn(24, 5, 5, 6, 6, 2, 0);
  const signal = { isRaw: false, way: { stream: "live" } };
  const rows = (from, to) => heldRows(columns, signal, from, to).map(({ time, first, min, max, last, samples, each }) => [Number(time / 1_000_000n), first, min, max, last, samples, each]);
  const wide = [200, 2, 0, 9, 5, 7, "columns of 40 ms"];
  equal(rows(0, 1000), [[40, 1, 1, 1, 1, 3, "columns of 10 ms"], wide, [240, 5, 5, 6, 6, 2, "columns of 10 ms"]]);
  equal(rows(225, 240), [wide]);
});
