import { Tools } from "/static/stripchart/tools.js";
import { Feeder, timesTillNow } from "./feeder.js";
import { equal, test } from "./harness.js";

const waveOf = (times) => Array.from(times, (_, i) => Math.sin(i / 9));
const after = (times, count, stepMs) => Float64Array.from({ length: count }, (_, i) => times.at(-1) + stepMs * (i + 1));

test("null for so long that nothing else is in sight is said, and is no value", async () => {
  const feeder = new Feeder({ "c.a": "V" });
  const chart = await feeder.chart({ signals: "c.a", window: "5" });
  feeder.feed.handle({ type: "status", channels: { c: { last: Date.now(), limit: 2000 } } });
  const times = timesTillNow(100, 20).map((time) => time - 7000);
  feeder.window(times, { "c.a": waveOf(times) });
  const nulls = after(times, 350, 20);
  feeder.send(nulls.slice(0, 50), { "c.a": Array(50).fill(NaN) });
  feeder.draw();
  equal([chart.state, feeder.said().words, feeder.said().readings], ["live", "", ["−1.000\u202fV"]]);
  feeder.send(nulls.slice(50), { "c.a": Array(300).fill(NaN) });
  feeder.draw();
  equal([chart.state, feeder.said().words, feeder.said().readings], ["empty", "No values: all are null", ["–"]]);
  feeder.close();
});

test("an infinite value leaves the axis to the others, and is drawn to the edge", async () => {
  const feeder = new Feeder({ "c.a": "V" });
  const chart = await feeder.chart({ signals: "c.a", window: "10" });
  const times = timesTillNow(200, 20).map((time) => time - 3000);
  feeder.window(times, { "c.a": waveOf(times) });
  feeder.draw(100);
  const [{ scale }] = chart.axes;
  equal([scale.min < -1, scale.max > 1, scale.max < 2], [true, true, true]);
  const more = after(times, 150, 20);
  feeder.send(more, { "c.a": Array.from(more, (_, i) => (i === 0 ? Infinity : i === 1 ? -Infinity : i === 125 ? 50 : 0)) });
  feeder.draw(3000);
  equal([scale.max > 50, scale.max < 100, scale.min < -1, scale.min > -20], [true, true, true, true]);
  const { pixels, width, height } = chart.picture.raster;
  const inked = (y) => pixels.subarray(y * width, (y + 1) * width).some((pixel) => pixel === chart.painter.traces[0].style.pixel);
  equal([inked(0), inked(height - 1)], [true, true]);
  feeder.close();
});

test("another resolution is asked for once the size has settled, and until then what there is is drawn", async () => {
  const feeder = new Feeder({ "c.a": "V" });
  const chart = await feeder.chart({ signals: "c.a", window: "10" });
  const times = timesTillNow(200, 20);
  feeder.window(times, { "c.a": waveOf(times) });
  feeder.draw(100);
  const before = chart.signals[0];
  feeder.asked.length = 0;
  for (let i = 1; i <= 20; i++) {
    chart.resize(600 - 10 * i, 300);
    feeder.draw(100 + 50 * i);
    await Promise.resolve();
  }
  equal([feeder.asked.length, chart.picture.canvas.width, chart.signals[0] === before, chart.columns().signals[0].columns.length > 0], [0, 400, true, true]);
  feeder.draw(1299);
  equal(chart.signals[0] === before, true);
  feeder.draw(1300);
  await Promise.resolve();
  equal([feeder.asked.map(({ columns }) => columns === Number((chart.picture.area.width / 10).toPrecision(3))), chart.signals[0] === before], [[true], false]);
  equal([chart.signals[0].shown.newest > 0, feeder.feed.signals.size], [true, 1]);
  chart.canvas.dataset.window = "20";
  await chart.configure();
  feeder.draw(1310);
  await Promise.resolve();
  equal(feeder.asked.map(({ window }) => window), [10, 20], "another window is asked for at once");
  feeder.close();
});

test("a chart that has no size yet has no range, and hands can be put on it", async () => {
  const feeder = new Feeder({ "c.a": "V" });
  const chart = await feeder.chart({ signals: "c.a", window: "10" }, [0, 0]);
  const tools = new Tools(feeder.feed, new Map([[chart.canvas, chart]]));
  tools.attach(chart);
  feeder.draw(300);
  tools.draw();
  equal([chart.painter.range, chart.columns().signals], [null, [{ name: "c.a", columns: [] }]]);
  feeder.close();
});

test("a tag that is out of sight costs nothing: what moved alone is drawn", async () => {
  const feeder = new Feeder({ "c.a": "V" });
  const chart = await feeder.chart({ signals: "c.a", window: "10" });
  const times = timesTillNow(400, 20);
  feeder.window(times, { "c.a": waveOf(times) });
  let spans = [[1e12, 1e12 + 60_000]];
  chart.spans = () => spans;
  feeder.draw(500);
  const froms = [];
  const { picture } = chart;
  const { drawTraces } = picture;
  picture.drawTraces = (what) => {
    froms.push([what.from > 0, what.parts[0].bands.length]);
    drawTraces.call(picture, what);
  };
  const step = (laterMs) => chart.draw(feeder.madeAt + laterMs);
  const last = times.at(-1);
  step(600);
  spans = [[last - 2000, last - 1000]];
  step(700);
  spans = [];
  step(800); // a band is wiped away
  step(900);
  equal(froms, [[true, 0], [false, 1], [false, 0], [true, 0]]);
  spans = [[last - 20_000, last + 20_000]];
  step(1000);
  equal(froms.at(-1), [false, 1], "all of the picture is in it");
  feeder.close();
});

test("of types that follow each other fast the last one counts, however long the others load", async () => {
  const feeder = new Feeder();
  const chart = await feeder.chart({ signals: "c.a" });
  const settled = [];
  for (const type of ["histogram", "strip", "xy", "strip"]) {
    chart.canvas.dataset.type = type;
    settled.push(chart.configure());
  }
  await Promise.all(settled);
  equal([chart.painter.constructor.name, chart.settings.type, chart.isReady, chart.error], ["Strip", "strip", true, ""]);
  chart.canvas.dataset.type = "histogram";
  const loaded = chart.configure();
  chart.canvas.dataset.type = "cake";
  await chart.configure();
  await loaded;
  equal([chart.settings.type, /^data-type/.test(chart.error), chart.isReady], [undefined, true, true]);
  feeder.close();
});
