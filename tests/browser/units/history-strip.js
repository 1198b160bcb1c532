import { pixelColumns } from "/static/stripchart/past/fold.js";
import { between, stretches, union } from "/static/pages/history-strip.js";
import { equal, random, test } from "./harness.js";

function columnsAt(width, ...stamps) {
  const columns = pixelColumns(width);
  for (const [at, broken] of stamps) columns.open((width + at) % columns.capacity, width + at, 1, 1, 1, 1, width + at, 1, broken);
  return columns;
}

test("what is joined is one stretch", () => {
  equal(stretches(columnsAt(100, [3, 1], [7, 0], [8, 0], [20, 1], [21, 1]), 100), [[3, 9], [20, 21], [21, 22]]);
  equal(stretches(columnsAt(100, [-1, 1], [100, 0]), 100), []);
});

test("stretches of several and what is between them fill the width once", () => {
  const next = random(11);
  for (let round = 0; round < 200; round++) {
    const width = 1 + Math.floor(next() * 60);
    const lists = Array.from({ length: 3 }, () =>
      Array.from({ length: Math.floor(next() * 6) }, () => {
        const from = Math.floor(next() * width);
        return [from, from + 1 + Math.floor(next() * (width - from))];
      }).map(([from, to]) => [from, Math.min(to, width)]),
    );
    const covered = union(lists);
    const seen = new Uint8Array(width);
    for (const [from, to] of covered) for (let at = from; at < to; at++) seen[at]++;
    for (const [from, to] of between(covered, width)) for (let at = from; at < to; at++) seen[at] += 2;
    const wanted = new Uint8Array(width).fill(2);
    for (const [from, to] of lists.flat()) wanted.fill(1, from, to);
    equal([...seen], [...wanted]);
  }
});
