import { ValueAxis } from "/static/stripchart/axis.js";
import { Columns } from "/static/stripchart/columns.js";
import { decorate } from "/static/stripchart/decor.js";
import { Picture } from "/static/stripchart/picture.js";
import { Scale } from "/static/stripchart/scale.js";
import { Strip } from "/static/stripchart/strip.js";
import { PALETTES } from "/static/stripchart/theme.js";
import { equal, random, test } from "./harness.js";

const WIDTHS_MS = [20, 80, 640]; // of columns: from parts of a pixel to many
const EVERY_MS = [7, 30, 900]; // between samples, about

function addChart(signals, window) {
  const canvas = document.body.appendChild(document.createElement("canvas"));
  const picture = new Picture(canvas);
  picture.resize(300, 150, 0);
  const axis = new ValueAxis(new Scale(), 0);
  const chart = {
    canvas,
    picture,
    signals,
    axes: [axis],
    axisOf: signals.map(() => axis),
    styles: signals.map((_, index) => ({ color: PALETTES.light.traces[index], dimmed: "#777777", isDashed: index === 1 })),
    settings: { isStep: false, limits: { warn: [null, 1.2] } },
    palette: PALETTES.light,
    feed: { tickMs: 50 },
    state: "live",
    view: null,
    isDirty: true,
    columnsOf: (signal) => signal.columns,
    lossesOf: (signal) => signal.losses,
    isDim: (signal) => signal.isDim,
    putBands: (parts) => parts.forEach((part) => (part.bands = [])),
    wake: () => {},
  };
  decorate(chart);
  const strip = new Strip(chart);
  strip.configure({ time: "abs", zone: "UTC", mode: "scroll", window });
  const moves = [];
  const { move } = Object.getPrototypeOf(picture.raster);
  picture.raster.move = (count) => {
    moves.push(count);
    move.call(picture.raster, count);
  };
  return { chart, strip, moves };
}

function differing({ chart: a }, { chart: b }) {
  const { width } = a.picture.raster;
  const at = a.picture.raster.pixels.findIndex((pixel, i) => pixel !== b.picture.raster.pixels[i]);
  return at < 0 ? null : [at % width, Math.floor(at / width)];
}

// Samples up to a time: in order but for some that come late, with breaks, and pauses in which none comes. Gives the earliest.
function feed(signal, now, next) {
  let earliest = Infinity;
  while (signal.next < now) {
    const isLate = next() < 0.02;
    const time = isLate ? signal.next - 3000 * next() : signal.next;
    if (next() < 0.02) signal.columns.push(time, NaN);
    else signal.columns.push(time, Math.sin(time / 900) + 0.2 * next() + (next() < 0.01 ? 1 : 0));
    earliest = Math.min(earliest, time);
    signal.next += signal.every * (next() < 0.003 ? 100 : 2 * next());
  }
  return earliest;
}

const signal = (i) => ({ type: "double", columns: new Columns(WIDTHS_MS[i], 3000), next: 900_000, every: EVERY_MS[i], losses: [], isDim: false });

test("what is drawn in parts as it moves is what is drawn whole", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const next = random(seed);
    const signals = [0, 1, 2].slice(seed % 3).map(signal);
    const window = [5, 10, 20][seed % 3];
    const parts = addChart(signals, window);
    const whole = addChart(signals, window);
    let now = 960_000;
    for (let frame = 0; frame < 150; frame++, now += next() < 0.02 ? 3000 * next() : 40 * next()) {
      for (const one of signals) if (next() < 0.6) parts.strip.touch(feed(one, now - 60 * next(), next));
      if (frame === 70) signals[0].isDim = true;
      whole.chart.isDirty = true;
      const isDrawn = parts.strip.draw(now, now);
      parts.chart.isDirty = false;
      whole.strip.draw(now, now);
      if (isDrawn) equal(differing(parts, whole), null, `seed ${seed}, frame ${frame}: pixel`);
    }
    equal([parts, whole].map(({ chart }) => chart.picture.raster.pixels.includes(0xff777777)), [true, true], "dimmed");
    equal([parts.moves.length > 25, whole.moves.length], [true, 0]);
  }
});

test("columns that the server sends again are drawn anew, and nothing else", () => {
  const columns = new Columns(80, 1000);
  const { chart, strip, moves } = addChart([{ type: "double", columns, losses: [] }], 20);
  for (let number = 0; number < 500; number++) columns.pushColumn(number, 0, -1, 1, 0, 9, 0);
  strip.draw(40_000, 0);
  chart.isDirty = false;
  const { raster } = chart.picture;
  raster.pixels.fill(0xff123456);
  columns.pushColumn(499, 0, -0.5, 0.5, 0, 12, 0);
  strip.touch(499 * 80);
  strip.draw(40_100, 0);
  const row = Array.from(raster.pixels.subarray(0, raster.width));
  equal(row[0], 0xff123456);
  equal([row.indexOf(0xff123456) === 0, row.lastIndexOf(0xff123456) > raster.width * 0.9, row.at(-1) === 0xff123456], [true, true, false]);
  equal(moves, [1]);
});
