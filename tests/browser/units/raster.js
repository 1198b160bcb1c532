import { Columns } from "/static/stripchart/columns.js";
import { Raster, pixelOf } from "/static/stripchart/raster.js";
import { equal, near, random, test } from "./harness.js";

const WHITE = pixelOf("#ffffff");
const BLACK = pixelOf("#000000");
const SCALE = { min: 0, max: 99 }; // a row of pixels per unit

function made(width = 100, height = 100) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const raster = new Raster(canvas.getContext("2d"));
  raster.resize(width, height);
  raster.clip(0, width);
  raster.clear(WHITE);
  return raster;
}

const STYLE = { pixel: BLACK, half: 0.25, dash: null, isStep: false };

function trace(samples, { widthMs = 1, style = STYLE, leftMs = 0, pixelsPerMs = 1, raster = made() } = {}) {
  const columns = new Columns(widthMs, 5000);
  for (const [time, value] of samples) columns.push(time, value);
  raster.trace(columns, leftMs, pixelsPerMs, SCALE, style);
  return raster;
}

// How dark the pixels of a column are, from 0 to 1 each.
const ink = ({ pixels, width, height }, x) => Array.from({ length: height }, (_, y) => 1 - (pixels[y * width + x] & 0xff) / 255);
const rows = (raster, x, least = 0.5) => ink(raster, x).flatMap((share, y) => (share >= least ? [y] : []));
const isEmpty = (raster, x) => ink(raster, x).every((share) => share === 0);

test("colours are those of the style sheet language, mixtures keep the parts of a colour apart", () => {
  const raster = made(1, 1);
  raster.run(0, 0.25, 1, pixelOf("rgb(255 0 0)"));
  const [r, g, b, a] = new Uint8Array(raster.pixels.buffer);
  equal([r, g, b, a], [255, 63, 63, 255]);
});

test("the largest and the smallest value of a column are drawn at their height", () => {
  const raster = trace([[10, 20], [10.2, 90], [10.4, 5], [11, 50]]);
  const dark = rows(raster, 10);
  equal([dark[0], dark.at(-1)], [99 - 90, 99 - 5]);
});

test("one sample in a million is drawn where it is, whatever the zoom", () => {
  const next = random(3);
  for (let round = 0; round < 40; round++) {
    const widthMs = 1 + Math.floor(next() * 20);
    const pixelsPerMs = (0.1 + next()) / widthMs;
    const peak = Math.floor(next() * 60) * widthMs;
    const samples = Array.from({ length: 80 }, (_, i) => [i * widthMs, 10]);
    samples.splice(peak / widthMs + 1, 0, [peak + 0.3 * widthMs, 95]);
    const raster = trace(samples, { widthMs, pixelsPerMs });
    const highest = Math.min(...Array.from({ length: 100 }, (_, x) => rows(raster, x)[0] ?? 99));
    equal(highest, 99 - 95, `${widthMs} ms, ${pixelsPerMs} pixels a ms`);
  }
});

test("lines join what stands apart, and end where a break is", () => {
  const raster = trace([[10, 20], [30, 60], [40, NaN], [60, 60], [61, NaN], [90, 10]]);
  equal(rows(raster, 20).length > 0 && Math.abs(rows(raster, 20)[0] - (99 - 40)) <= 2, true, "half way");
  equal([isEmpty(raster, 45), isEmpty(raster, 75)], [true, true]);
  equal(isEmpty(raster, 90), false, "a lone sample is a dot");
});

test("a steep line has no hole", () => {
  const raster = trace([[10, 0], [13, 99]]);
  const covered = new Set([10, 11, 12, 13].flatMap((x) => rows(raster, x, 0.2)));
  equal(covered.size, 100);
});

test("what is left and right of the picture is joined to what is in it", () => {
  const raster = trace([[950, 50], [1150, 50]], { leftMs: 1000 });
  equal([0, 50, 99].map((x) => rows(raster, x)), [[49], [49], [49]]);
});

test("columns of two pixels are slopes where values but rise, and whole runs in noise", () => {
  const raised = trace(Array.from({ length: 400 }, (_, i) => [i / 8, 10 + i / 8]), { widthMs: 1, pixelsPerMs: 2 });
  for (let x = 10; x < 90; x++) near(rows(raised, x, 0.3).length, 1, 1.01);
  const next = random(3);
  const noise = [];
  for (let i = 0; i < 400; i++) {
    const isNotch = Math.floor(i / 8) % 7 === 3; // from the largest to the smallest, as comes to pass now and then
    noise.push([i / 8, isNotch ? 80 - (60 * (i % 8)) / 7 : i % 8 === 3 ? 80 : i % 8 === 5 ? 20 : 30 + next() * 40]);
  }
  const drawn = trace(noise, { widthMs: 1, pixelsPerMs: 2 });
  for (let x = 4; x < 96; x++) near(rows(drawn, x).length, 61, 2);
});

test("steps hold their value until the next", () => {
  const raster = trace([[10, 20], [50, 60]], { style: { ...STYLE, isStep: true } });
  equal(rows(raster, 49), [79]);
  const jump = rows(raster, 50);
  equal([jump[0], jump.at(-1)], [39, 79]);
});

test("dashes move with the trace", () => {
  const style = { ...STYLE, dash: [6, 3] };
  const still = trace([[0, 50], [99, 50]], { style });
  equal([0, 5, 6, 8, 9].map((x) => isEmpty(still, x)), [false, false, true, true, false]);
});

test("nothing is drawn beyond the clip, or beyond the picture", () => {
  const raster = made();
  raster.clip(20, 30);
  trace([[0, 50], [99, 50]], { raster });
  equal([19, 20, 29, 30].map((x) => isEmpty(raster, x)), [true, false, false, true]);
  trace([[0, 1e300], [50, -1e300]]);
  raster.dot(0, -5, 4, BLACK);
  raster.dot(200, 50, 4, BLACK);
});

test("a run covers parts of pixels by parts", () => {
  const raster = made(1, 4);
  raster.run(0, 0.5, 2.25, BLACK);
  const [a, b, c, d] = ink(raster, 0);
  for (const [share, wanted] of [[a, 0.5], [b, 1], [c, 0.25], [d, 0]]) near(share, wanted, 0.01);
});
