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
