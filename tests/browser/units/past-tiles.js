import { fold, pixelColumns } from "/static/stripchart/past/fold.js";
import { tileStart } from "/static/stripchart/past/levels.js";
import { Tile, Tiles, usualInterval } from "/static/stripchart/past/tiles.js";
import { equal, near, random, test } from "./harness.js";

const S = 10n ** 9n;
const big = (numbers) => BigInt64Array.from(numbers, BigInt);

function records(width, index, times, values) {
  return new Tile(width, index, true, big(times), new Map([["a", { value: Float64Array.from(values) }]]));
}

// Buckets as the service makes them of records.
function buckets(width, index, times, values) {
  const made = new Map();
  times.forEach((time, i) => {
    const start = (BigInt(time) / width) * width;
    if (start < tileStart(index, width) || start >= tileStart(index + 1n, width) || Number.isNaN(values[i])) return;
    const of = made.get(start) ?? [];
    of.push(values[i]);
    made.set(start, of);
  });
  const each = [...made.values()];
  const column = (reduce) => Float64Array.from(each, reduce);
  return new Tile(width, index, false, big([...made.keys()]), new Map([["a", {
    first: column((of) => of[0]),
    last: column((of) => of.at(-1)),
    min: column((of) => Math.min(...of)),
    max: column((of) => Math.max(...of)),
    avg: column((of) => of.reduce((sum, one) => sum + one) / of.length),
    count: column((of) => of.length),
  }]]));
}

// The columns of a view as [pixel, first, min, max, last, broken].
function drawn(pieces, start, length, count, interval = NaN) {
  const columns = pixelColumns(count);
  fold(columns, "a", pieces, start, length, count, interval);
  const made = [];
  for (let number = count - 1; number <= 2 * count; number++) {
    const slot = number % columns.capacity;
    const { stamp, first, min, max, last, broken } = columns;
    if (stamp[slot] === number) made.push([number - count, first[slot], min[slot], max[slot], last[slot], broken[slot]]);
  }
  return made;
}

const whole = (tile) => ({ tile, start: tile.start, end: tile.end });

test("records of a pixel are one column", () => {
  const tile = records(S, 0n, [0, 10, 15, 40], [1, 5, -2, 3]);
  equal(drawn([whole(tile)], 0n, 100n, 10), [[0, 1, 1, 1, 1, 1], [1, 5, -2, 5, -2, 0], [4, 3, 3, 3, 3, 0]]);
});

test("a line comes in and goes out at its height", () => {
  const tile = records(S, 0n, [0, 100, 200], [0, 10, 20]);
  const made = drawn([whole(tile)], 40n, 100n, 10);
  equal(made.map(([pixel]) => pixel), [-1, 6, 10]);
  near(made[0][1], 3);
  near(made[2][1], 14);
  const between = drawn([whole(tile)], 40n, 20n, 10);
  equal(between.map(([pixel]) => pixel), [-1, 10]);
  near(between[0][1], 3.8);
  near(between[1][1], 6);
});

test("a gap, a null and what is not loaded are not joined", () => {
  const tile = records(S, 0n, [0, 10, 20, 100, 110, 120], [1, 2, 3, 4, NaN, 5]);
  equal(drawn([whole(tile)], 0n, 200n, 20, 10).map(([pixel, , , , , broken]) => [pixel, broken]), [[0, 1], [1, 0], [2, 0], [10, 1], [12, 1]]);
  equal(drawn([whole(tile)], 30n, 60n, 6, 10), []);
});

test("a bucket without records is a gap", () => {
  const tile = buckets(10n, 0n, [0, 5, 12, 31, 39, 45], [1, 2, 3, 4, 5, 6]);
  equal(drawn([whole(tile)], 0n, 100n, 10), [[0, 1, 1, 2, 2, 1], [1, 3, 3, 3, 3, 0], [3, 4, 4, 5, 5, 1], [4, 6, 6, 6, 6, 0]]);
});

test("buckets wider than a pixel are blocks", () => {
  const tile = buckets(10n, 0n, [0, 4, 9], [1, 9, 2]);
  equal(drawn([whole(tile)], 0n, 20n, 10), [[0, 1, 1, 9, 4, 1], [1, 4, 1, 9, 4, 0], [2, 4, 1, 9, 4, 0], [3, 4, 1, 9, 4, 0], [4, 4, 1, 9, 2, 0]]);
});

// Expectation: at any zoom, from records or buckets, a column holds the extremes of the samples that fall on its pixel.
test("no peak is lost at any zoom", () => {
  const next = random(11);
  for (let round = 0; round < 40; round++) {
    const width = [1n, 10n, 100n][round % 3];
    const times = Array.from({ length: 400 }, () => Math.floor(next() * Number(width) * 512)).sort((a, b) => a - b);
    const values = times.map(() => Math.round((next() - 0.5) * 1e6));
    const tile = round % 2 ? buckets(width, 0n, times, values) : records(width, 0n, times, values);
    const count = 20 + Math.floor(next() * 400);
    const made = drawn([whole(tile)], 0n, width * 512n, count).filter(([pixel]) => pixel >= 0 && pixel < count);
    const zoom = count / (Number(width) * 512);
    times.forEach((time, i) => {
      const start = round % 2 ? Math.floor(time / Number(width)) * Number(width) : time;
      const column = made.find(([pixel]) => pixel === Math.floor(start * zoom));
      equal(column[2] <= values[i] && values[i] <= column[3], true, `${time} ${values[i]} in ${column}`);
    });
    equal([Math.min(...made.map((one) => one[2])), Math.max(...made.map((one) => one[3]))], [Math.min(...values), Math.max(...values)]);
  }
});

test("exact tiles come before coarser ones, those before finer ones", () => {
  const tiles = new Tiles();
  const put = (width, index, isRaw = false) => tiles.put(isRaw ? records(width, index, [], []) : buckets(width, index, [], []));
  put(100n, 0n);
  put(10n, 1n);
  put(1n, 2n);
  const told = (start, end, width) => {
    const { pieces, holes } = tiles.cover(start, end, width);
    return [pieces.map(({ tile, start, end, isExact }) => [Number(tile.width), Number(start), Number(end), isExact]), holes.map((hole) => hole.map(Number))];
  };
  equal(told(0n, 10240n, 10n), [[[100, 0, 5120, false], [10, 5120, 10240, true]], []]);
  equal(told(0n, 2048n, 1n), [[[100, 0, 1024, false], [1, 1024, 1536, true], [100, 1536, 2048, false]], []]);
  equal(told(51200n, 60000n, 100n), [[], [[51200, 60000]]]);
  put(10n, 0n, true);
  equal(told(0n, 10240n, 1n)[0], [[10, 0, 1024, true], [1, 1024, 1536, true], [10, 1536, 5120, true], [10, 5120, 10240, false]]);
  equal(tiles.missing(0n, 10240n, 1n).map((hole) => hole.map(Number)), [[5120, 10240]]);
  equal(tiles.missing(0n, 10240n, 10n), []);
});

test("what was not used for longest is forgotten", () => {
  const tiles = new Tiles();
  for (let index = 0n; index < 1000n; index++) tiles.put(buckets(10n, index, [], []));
  equal(tiles.levels.get(10n).size <= 400, true);
  equal(tiles.get(10n, 999n) !== undefined, true);
});

test("the usual interval", () => {
  equal(usualInterval(Float64Array.from({ length: 20 }, (_, i) => 10 * i + (i > 10 ? 1000 : 0))), 10);
  equal(usualInterval(Float64Array.of(0, 1, 2)), NaN);
  equal(usualInterval(Float64Array.from({ length: 40 }, (_, i) => Math.floor(i / 2) * 7)), 7);
});
