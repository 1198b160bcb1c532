import { FrameError, KIND_AXIS, parseFrame } from "/static/stripchart/frame.js";
import { equal, random, test, throws } from "./harness.js";

const GOOD = ["good_empty", "good_live", "good_window", "good_merged", "good_columns", "good_columns32", "good_wide"];
const BAD = ["bad_version", "bad_magic", "bad_cut", "bad_short", "bad_kind", "bad_length", "bad_blocks", "bad_rest"];
const json = async (name) => (await fetch(`/golden/${name}.json`)).json();
const bytes = async (name) => (await fetch(`/golden/${name}.bin`)).arrayBuffer();

// Numbers of a block as the golden files tell them: an axis by when its columns start, columns a row each for first, min, max and last.
function dataOf({ kind, n, first, width, data, counts }) {
  const numbers = [...data].map((value) => (Number.isNaN(value) ? null : value));
  if (kind === KIND_AXIS) return numbers.map((number) => (first + number) * width);
  return counts ? [0, 1, 2, 3].map((row) => numbers.slice(row * n, (row + 1) * n)) : numbers;
}

for (const name of GOOD) {
  test(`reads ${name}`, async () => {
    const told = await json(name);
    const frame = parseFrame(await bytes(name));
    equal([frame.tick, frame.merged, frame.serverTime], [told.tick, told.merged, told.server_time]);
    equal(frame.blocks.length, told.blocks.length);
    frame.blocks.forEach((block, i) => {
      const { kind, flags, id, count, data, width, counts, marks } = told.blocks[i];
      equal([block.kind, block.flags, block.id, block.count, block.width], [kind, flags, id, count, width]);
      equal([dataOf(block), block.counts && [...block.counts], block.marks && [...block.marks]], [data, counts, marks]);
    });
  });
}

for (const name of BAD) {
  test(`refuses ${name}`, async () => {
    const told = await json(name);
    throws(() => parseFrame(new Uint8Array([...new Uint8Array(buffers[name])]).buffer), new RegExp(told.error));
  });
}

const buffers = Object.fromEntries(await Promise.all(BAD.map(async (name) => [name, await bytes(name)])));

test("no bytes do harm", async () => {
  const good = new Uint8Array(await bytes("good_window"));
  const next = random(1);
  for (let i = 0; i < 3000; i++) {
    const bad = good.slice(0, next() < 0.5 ? good.length : Math.floor(next() * good.length));
    for (let n = 0; n < 3; n++) bad[Math.floor(next() * bad.length)] = Math.floor(next() * 256);
    try {
      parseFrame(bad.buffer);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
    }
  }
});
