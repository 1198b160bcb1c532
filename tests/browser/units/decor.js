import { decorate } from "/static/stripchart/decor.js";
import { watchMarks } from "/static/stripchart/marks.js";
import { pixelOf } from "/static/stripchart/raster.js";
import { Feeder, timesTillNow } from "./feeder.js";
import { equal, near, test } from "./harness.js";
import { draw, live, paused, settled } from "./still.js";

const times = timesTillNow(1000, 20);

// Have the registry know these tags.
async function tag(chart, tags) {
  const { fetch } = globalThis;
  globalThis.fetch = async () => new Response(JSON.stringify({ tags }), { headers: { "content-type": "application/json" } });
  watchMarks(new Map([[chart.canvas, chart]]), { socket: { state: "open" } });
  await settled();
  await settled();
  globalThis.fetch = fetch;
}

// The pixel columns with a color in at least `least` of their pixels.
function inked({ picture: { raster: { pixels, width, height } } }, is, least) {
  return Array.from({ length: width }, (_, x) => x).filter((x) => {
    let ink = 0;
    for (let y = 0; y < height; y++) ink += is(pixels[y * width + x]) ? 1 : 0;
    return ink >= least;
  });
}

test("a sweep has its marks where its pen has been, and names them", async () => {
  const feeder = new Feeder();
  const chart = await feeder.chart({ signals: "c.a", window: "10", mode: "sweep", theme: "light" });
  decorate(chart);
  feeder.window(times, { "c.a": times.map(() => 0) });
  feeder.draw(10);
  const [, end] = chart.painter.range;
  const { width, dpr } = chart.picture.area;
  const at = (ms) => (((ms / 10_000) % 1) * width);
  const iso = (ms) => new Date(ms).toISOString();
  const marks = [end - 1000, end - 6000].map((ms) => Math.round(ms));
  await tag(chart, marks.map((ms, i) => ({ name: `mark ${i}`, start: iso(ms), end: iso(ms), channels: ["c"] })));
  feeder.draw(20);
  const background = pixelOf(chart.palette.background);
  const grid = pixelOf(chart.palette.grid);
  const trace = chart.painter.traces[0].style.pixel;
  const lines = inked(chart, (pixel) => ![background, grid, trace].includes(pixel), chart.picture.area.height * 0.9);
  const labels = [...chart.box.querySelectorAll(".stripchart-tag")];
  equal(labels.map((label) => label.textContent), ["mark 0", "mark 1"]);
  marks.forEach((ms, i) => {
    equal(lines.some((x) => Math.abs(x - at(ms)) <= 2), true, `${lines} ${at(ms)}`);
    near(Number(/translateX\(([\d.]+)px\)/.exec(labels[i].style.transform)[1]) * dpr, at(ms), 2);
  });
  equal(lines.length <= 2 * 3, true, `${lines}`);
  chart.canvas.dataset.mode = "scroll";
  await chart.configure();
  feeder.draw(30);
  near(Number(/translateX\(([\d.]+)px\)/.exec(labels[1].style.transform)[1]) * dpr, width * 0.4, 5);
  await tag(chart, []);
  feeder.draw(40);
  equal(chart.box.querySelectorAll(".stripchart-tag").length, 0);
  feeder.close();
});

test("values are held against the limits of their time, live and standing still", async () => {
  const changed = times[500];
  const limits = { warn: [null, null], alarm: [null, 2] };
  const former = [[changed - 3000, null], [changed, { warn: [null, null], alarm: [null, 0.5] }]];
  const { feeder, chart } = await live(times, times.map(() => 1), { limits, former_limits: former }, { theme: "light", ymin: "-5", ymax: "5" });
  decorate(chart);
  const red = pixelOf(chart.palette.alarm);
  const check = (what) => {
    const { raster } = chart.picture;
    const [start, end] = chart.painter.range;
    const at = (ms) => ((ms - start) / (end - start)) * chart.picture.area.width;
    const row = (value) => Array.from(raster.pixels.subarray(0)).slice(Math.round(chart.axes[0].scale.y(value, raster.height - 1)) * raster.width).slice(0, raster.width);
    const [old, now] = [row(0.5), row(2)].map((pixels) => pixels.flatMap((pixel, x) => (pixel === red ? [x] : [])));
    near(old[0], at(changed - 3000), 12);
    near(old.at(-1), at(changed), 12);
    near(now[0], at(changed), 12);
    near(now.at(-1), chart.picture.area.width, 12);
    const marked = Array.from(raster.pixels.subarray(0, raster.width)).flatMap((pixel, x) => (pixel === red ? [x] : []));
    near(marked[0], at(changed - 3000), 12, what);
    near(marked.at(-1), at(changed), 12, what);
  };
  chart.wake();
  feeder.draw(20);
  check("live");
  await paused(chart);
  draw(feeder, chart);
  check("still");
  feeder.close();
  const own = await live(times, times.map(() => 1), { limits, former_limits: former }, { theme: "light", ymin: "-5", ymax: "5", limits: "alarm::0.9" });
  decorate(own.chart);
  own.chart.wake();
  own.feeder.draw(20);
  const marked = Array.from(own.chart.picture.raster.pixels.subarray(0, 900)).filter((pixel) => pixel === red).length;
  equal(marked > own.chart.picture.area.width * 0.9, true, "those that a chart declares are for all times");
  own.feeder.close();
});
