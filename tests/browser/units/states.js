import { laneRows } from "/static/stripchart/axis.js";
import { mix, pixelOf } from "/static/stripchart/raster.js";
import { Feeder, timesTillNow } from "./feeder.js";
import { equal, test } from "./harness.js";
import { draw, live, paused } from "./still.js";

const symbols = Array.from({ length: 20 }, (_, i) => `state${i}`);
const many = { type: "enum", symbols, unit: "" };
const times = timesTillNow(1000, 20);
const settled = () => new Promise((resolve) => setTimeout(resolve, 50)); // a module is loaded

// Colors of a row of pixels as runs: [color, from, to].
function runsOf(chart, row) {
  const { pixels, width } = chart.picture.raster;
  const runs = [];
  for (let x = 0; x < chart.picture.area.width; x++) {
    const pixel = pixels[row * width + x];
    if (runs.at(-1)?.[0] === pixel) runs.at(-1)[2] = x + 1;
    else runs.push([pixel, x, x + 1]);
  }
  return runs;
}

async function shown(signal, values, attributes = {}) {
  const { feeder, chart } = await live(times, values, signal, { theme: "light", ...attributes });
  for (let i = 0; i < 40 && !chart.states; i++) await settled();
  feeder.draw(20);
  return { feeder, chart };
}

test("many states are a strip of blocks with their words, live and standing still", async () => {
  const { feeder, chart } = await shown(many, times.map((_, i) => (i < 500 ? 3 : i < 900 ? 7 : 13)));
  const [{ lanes, words }] = chart.axes;
  equal([lanes, words], [[{ name: "c.a", label: "a", place: 0, of: 1, isUnder: false }], symbols]);
  const { traces, background } = chart.palette;
  const pale = mix(pixelOf(background), pixelOf(traces[1]), 150);
  const all = [pixelOf(background), pixelOf(traces[3]), pale, mix(pixelOf(background), pixelOf(traces[1]), 90)];
  const check = (what) => {
    const { height, width } = chart.picture.raster;
    const [start, end] = chart.painter.range;
    const at = (ms) => Math.round(((ms - start) / (end - start)) * chart.picture.area.width);
    const blocks = runsOf(chart, Math.floor(height * 0.8)).filter(([, from, to]) => to - from > 20);
    equal(blocks.map(([pixel]) => all.indexOf(pixel)).filter((place) => place > 0), [1, 2, 3], what);
    const starts = blocks.filter(([pixel]) => pixel !== all[0]).map(([, from]) => from);
    equal(starts.map((x, i) => Math.abs(x - [at(times[0]), at(times[500]), at(times[900])][i]) <= 4), [true, true, true], `${what}: ${starts}`);
    // Words are written at the left of their blocks, in black here.
    const isDark = (pixel) => [0, 8, 16].every((bits) => ((pixel >>> bits) & 255) < 40);
    const inked = Array.from(chart.picture.raster.pixels).flatMap((pixel, place) => (isDark(pixel) ? [place % width] : []));
    equal(starts.map((from) => inked.some((x) => x > from && x < from + 60)), [true, true, true], what);
    equal(inked.every((x) => starts.some((from) => x > from && x < from + 60)), true, `${what}: once a block`);
  };
  check("live");
  await paused(chart);
  draw(feeder, chart);
  check("still");
  feeder.close();
});

test("few states are a line with words at the axis, as before", async () => {
  const { feeder, chart } = await live(times, times.map((_, i) => i % 2), { type: "enum", symbols: symbols.slice(0, 12), unit: "" });
  equal([chart.axes[0].lanes, chart.axes[0].words.length, chart.states], [null, 12, null]);
  feeder.close();
});

test("a column of several states has the first and the last of them, and a gap has none", async () => {
  const values = times.map((_, i) => (i > 200 && i < 400 ? NaN : i > 600 ? [2, 5][i % 2] : 4));
  const { feeder, chart } = await shown(many, values, { window: "600" });
  const { traces, background } = chart.palette;
  const [ground, ...colors] = [background, traces[2], traces[5], traces[4]].map(pixelOf);
  const rows = [0.2, 0.8].map((part) => new Set(runsOf(chart, Math.floor(chart.picture.raster.height * part)).map(([pixel]) => pixel)));
  equal(rows.map((found) => colors.map((color) => found.has(color))), [[true, false, true], [false, true, true]]);
  const [upper] = [runsOf(chart, Math.floor(chart.picture.raster.height * 0.2))];
  const seen = upper.filter(([pixel]) => pixel !== ground);
  equal(seen.length >= 3 && upper.some(([pixel, from]) => pixel === ground && from > seen[0][1] && from < seen.at(-1)[1]), true, "the gap");
  feeder.close();
});

test("signals of different states have a strip each; under traces strips stand at the foot", async () => {
  const feeder = new Feeder({ "c.v": "V" });
  const chart = await feeder.chart({ signals: "c.a,c.b,c.v", window: "20" });
  const told = (name, more) => ({ name, feed: 0, id: feeder.ids.get(name), channel: "c", raw: true, number: true, width: 20, unit: "", ...more });
  const states = [told("c.a", { type: "enum", symbols: ["x", "y"] }), told("c.b", { type: "boolean" })];
  feeder.feed.handle({ type: "subscribed", signals: [...states, told("c.v", { type: "double", unit: "V" })] });
  const of = chart.axes.map(({ lanes }) => lanes?.map(({ name, place, isUnder }) => [name, place, isUnder]) ?? null);
  equal(of, [null, [["c.a", 0, true], ["c.b", 1, true]]]);
  equal([laneRows(chart.axes[1].lanes[0], 300, 1), laneRows(chart.axes[1].lanes[1], 300, 1)], [[252, 276], [276, 300]]);
  feeder.close();
});

test("a chart may want strips of few states; other types than the plain one have none", async () => {
  const few = { type: "enum", symbols: ["off", "on"], unit: "" };
  const { feeder, chart } = await shown(few, times.map((_, i) => Number(i > 500)), { states: "strip" });
  equal([chart.axes[0].lanes.length, Boolean(chart.states)], [1, true]);
  delete chart.canvas.dataset.states;
  await chart.configure();
  equal([chart.axes[0].lanes, chart.axes[0].words], [null, ["off", "on"]]);
  feeder.close();
  const other = await live(times, times.map((_, i) => i % 20), many, { type: "histogram" });
  equal(other.chart.axes.map(({ lanes }) => lanes), [null]);
  other.feeder.close();
});

// A chart of two booleans and what is told of them, as strips.
async function booleans(names, attributes, size = [600, 300]) {
  const feeder = new Feeder();
  const chart = await feeder.chart({ signals: names.join(","), window: "20", theme: "light", states: "strip", ...attributes }, size);
  const tell = () => feeder.feed.handle({ type: "subscribed", signals: names.map((name) => ({ name, feed: 0, id: feeder.ids.get(name), channel: "c", raw: true, number: true, width: 20, unit: "", type: "boolean" })) });
  tell();
  for (let i = 0; i < 40 && !chart.states; i++) await settled();
  feeder.window(times, Object.fromEntries(names.map((name) => [name, times.map((_, i) => Math.floor(i / 250) % 2)])));
  feeder.draw(20);
  return { feeder, chart };
}

test("low strips are seen, too", async () => {
  const names = ["c.a", "c.b", "c.d", "c.e"];
  const { feeder, chart } = await booleans(names, { height: "60" }, [600, 60]);
  const { pixels, width } = chart.picture.raster;
  const [blue, red] = [0, 1].map((state) => pixelOf(chart.palette.traces[state]));
  const lanes = chart.axes[0].lanes.map((lane) => laneRows(lane, chart.picture.raster.height, 1).map(Math.round));
  const seen = lanes.map(([top, bottom]) => [blue, red].map((pixel) => pixels.subarray(top * width, Math.max(bottom, top + 1) * width).includes(pixel)));
  equal(seen, names.map(() => [true, true]));
  feeder.close();
});

test("marks and losses are seen over strips", async () => {
  const { feeder, chart } = await booleans(["c.a"]);
  const before = chart.picture.raster.pixels.slice();
  const changed = () => {
    chart.isDirty = true;
    chart.draw(feeder.madeAt + 20);
    return chart.picture.raster.pixels.reduce((sum, pixel, i) => sum + (pixel !== before[i] ? 1 : 0), 0);
  };
  const { width, height } = chart.picture.area;
  const second = (width / 20) * height;
  chart.spans = () => [[times.at(-1) - 8000, times.at(-1) - 6000]];
  equal(changed() > 1.8 * second, true);
  chart.spans = null;
  feeder.feed.handle({ type: "losses", channel: "c", spans: [[times.at(-1) - 8000, times.at(-1) - 6000, 1]] });
  equal(changed() > 0.8 * second, true, "hatched");
  feeder.close();
});

test("states of one color side by side are told apart, and are held against no limits", async () => {
  const { feeder, chart } = await shown(many, times.map((_, i) => (i < 500 ? 0 : 18)), { limits: "alarm::2" });
  const runs = runsOf(chart, Math.floor(chart.picture.raster.height * 0.8)).filter(([pixel]) => pixel === pixelOf(chart.palette.traces[0]));
  equal([runs.length, runs[1][1] - runs[0][2]], [2, 1]);
  equal(chart.picture.raster.pixels.includes(pixelOf(chart.palette.alarm)), false);
  feeder.close();
});

test("states have an axis of their own, after those of numbers", async () => {
  const feeder = new Feeder({ "c.v": "V" });
  const chart = await feeder.chart({ signals: "c.a,c.n,c.v", window: "20", ymin: "-5", ymax: "5" });
  const told = (name, more) => ({ name, feed: 0, id: feeder.ids.get(name), channel: "c", raw: true, number: true, width: 20, unit: "", ...more });
  feeder.feed.handle({ type: "subscribed", signals: [told("c.a", many), told("c.n", { type: "double" }), told("c.v", { type: "double", unit: "V" })] });
  equal(chart.axes.map(({ scale, lanes }) => [scale.isFixed && [scale.min, scale.max], lanes?.length ?? 0]), [[[-5, 5], 0], [false, 0], [[-0.5, 19.5], 1]]);
  feeder.close();
});

test("what a state was called is not said of another one", async () => {
  const { feeder, chart } = await shown(many, times.map(() => 3));
  feeder.feed.handle({ type: "subscribed", signals: [{ name: "c.a", feed: 0, id: 99, channel: "c", raw: true, number: true, width: 20, unit: "", ...many, symbols: symbols.slice(1) }] });
  feeder.draw(30);
  equal([feeder.said(chart).readings, chart.signals[0].columns.newest], [["–"], -1]);
  feeder.close();
});
