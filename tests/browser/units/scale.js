import { ValueAxis } from "/static/stripchart/axis.js";
import { Scale, niceRange, niceStep } from "/static/stripchart/scale.js";
import { equal, near, random, test } from "./harness.js";

test("steps are 1, 2 or 5", () => {
  equal([0.7, 1, 1.1, 2, 2.1, 5, 5.1, 0.003].map(niceStep), [1, 1, 2, 2, 5, 5, 10, 0.005]);
});

test("a fixed scale maps exactly and never moves", () => {
  const scale = new Scale();
  scale.setFixed(-1.2, 1.2);
  equal(scale.fit(-100, 100, 0), false);
  equal([scale.y(1.2, 200), scale.y(-1.2, 200), scale.y(0, 200)], [0, 200, 100]);
});

test("an automatic scale holds all data with headroom", () => {
  const next = random(3);
  for (let i = 0; i < 2000; i++) {
    const size = 10 ** (next() * 24 - 12);
    const a = (next() - 0.5) * size;
    const b = next() < 0.1 ? a : (next() - 0.5) * size * 10 ** (next() * 6 - 3);
    const [min, max] = [Math.min(a, b), Math.max(a, b)];
    const [low, high] = niceRange(min, max);
    if (!(low <= min && high >= max && low < high)) throw new Error(`[${min}, ${max}] got [${low}, ${high}]`);
  }
});

test("constant data has a range", () => {
  for (const value of [0, 1, -1, 1e-9, 1e12, 101325]) {
    const [low, high] = niceRange(value, value);
    equal([low <= value, high >= value, low < high], [true, true, true], value);
  }
});

test("data that is nowhere negative gets no negative axis", () => {
  equal([niceRange(0, 10)[0], niceRange(-10, 0)[1]], [0, 0]);
});

test("it grows at once and shrinks late", () => {
  const scale = new Scale();
  scale.fit(0, 10, 0);
  const { min, max } = scale;
  equal(scale.fit(0, 9, 10), false);
  equal(scale.fit(-5, 10, 20), true);
  equal([scale.min < min, scale.max], [true, max]);
  scale.fit(0, 100, 30);
  equal(scale.max >= 100, true);
  equal(scale.fit(0, 10, 40), false);
  equal(scale.fit(0, 10, 3030), false);
  equal(scale.fit(0, 10, 3050), true);
  near(scale.max, max, 1e-9);
});

test("a moment of large data begins the wait anew", () => {
  const scale = new Scale();
  scale.fit(0, 100, 0);
  scale.fit(0, 10, 100);
  scale.fit(0, 99, 2000);
  equal(scale.fit(0, 10, 3500), false);
});

test("nothing visible and infinities leave it alone", () => {
  const scale = new Scale();
  equal(scale.fit(Infinity, -Infinity, 0), false);
  equal(scale.fit(-Infinity, 5, 0), false);
  equal(scale.isEmpty, true);
});

test("of many states as many have their words as there is room for", () => {
  const axis = new ValueAxis(new Scale(), 0);
  const rowsOf = (count) => {
    axis.words = Array.from({ length: count }, (_, i) => `state ${i}`);
    axis.scale.setFixed(-0.5, count - 0.5);
    const rows = [];
    axis.each({ height: 150, dpr: 1 }, (value, row) => rows.push([value, row]));
    return rows;
  };
  equal(rowsOf(3).map(([value]) => value), [0, 1, 2]);
  const rows = rowsOf(40);
  equal(rows.map(([value]) => value), [0, 4, 8, 12, 16, 20, 24, 28, 32, 36]);
  for (let i = 1; i < rows.length; i++) equal(rows[i - 1][1] - rows[i][1] >= 14, true);
});
