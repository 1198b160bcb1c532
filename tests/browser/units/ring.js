import { SampleRing } from "/static/stripchart/ring.js";
import { equal, test } from "./harness.js";

function fill(ring, count, start = 0) {
  for (let i = start; i < start + count; i++) ring.push(i, i * 2);
}

const times = (ring) => Array.from({ length: ring.length }, (_, i) => ring.time[ring.slot(i)]);

test("keeps what is younger than its span", () => {
  const ring = new SampleRing(5000);
  fill(ring, 20000);
  equal(ring.capacity, 8192);
  equal([times(ring)[0] <= 15000, times(ring).at(-1)], [true, 19999]);
});

test("does not grow for what is older", () => {
  const ring = new SampleRing(100);
  fill(ring, 100000);
  equal([ring.capacity, ring.length], [2048, 2048]);
  equal(times(ring)[0], 100000 - 2048);
});

test("is never larger than its limit", () => {
  const ring = new SampleRing(1e12, 3000);
  fill(ring, 10000);
  equal([ring.capacity, ring.length, times(ring)[0]], [3000, 3000, 7000]);
});

test("keeps order while it grows round the end", () => {
  const ring = new SampleRing(100);
  fill(ring, 3000);
  ring.spanMs = 1e9;
  fill(ring, 5000, 3000);
  const kept = times(ring);
  equal(kept.every((time, i) => time === kept[0] + i), true);
});

test("the last value is the last that is no break", () => {
  const ring = new SampleRing(100);
  equal(Number.isNaN(ring.last), true);
  ring.push(1, 5);
  ring.push(2, NaN);
  equal(ring.last, 5);
  ring.clear();
  equal([ring.length, Number.isNaN(ring.last)], [0, true]);
});
