import { FrameError, parseFrame } from "/static/stripchart/frame.js";
import { equal, random, test, throws } from "./harness.js";

const GOOD = ["good_empty", "good_live", "good_window", "good_merged"];
const BAD = ["bad_version", "bad_magic", "bad_cut", "bad_short", "bad_kind", "bad_length", "bad_blocks", "bad_rest"];
const json = async (name) => (await fetch(`/golden/${name}.json`)).json();
const bytes = async (name) => (await fetch(`/golden/${name}.bin`)).arrayBuffer();

for (const name of GOOD) {
  test(`reads ${name}`, async () => {
    const told = await json(name);
    const frame = parseFrame(await bytes(name));
    equal([frame.tick, frame.merged, frame.serverTime], [told.tick, told.merged, told.server_time]);
    equal(frame.blocks.length, told.blocks.length);
    frame.blocks.forEach((block, i) => {
      const { kind, flags, id, count, data } = told.blocks[i];
      equal([block.kind, block.flags, block.id, block.count], [kind, flags, id, count]);
      equal([...block.data].map((value) => (Number.isNaN(value) ? null : value)), data);
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
