import { valuesText } from "/static/stripchart/files.js";
import MeasurePanel from "/static/stripchart/panel-measure.js";
import TablePanel from "/static/stripchart/panel-table.js";
import { skewOf } from "/static/stripchart/shown.js";
import { AGAIN_MS, PastSource } from "/static/stripchart/past/source.js";
import { Tile, Tiles } from "/static/stripchart/past/tiles.js";
import { Feeder, timesTillNow } from "./feeder.js";
import { equal, near, test } from "./harness.js";
import { AWAY, draw, live, paused, SILENT } from "./still.js";

const MS = 1_000_000n;
const LEVEL = 1_000_000_000n; // of tiles: buckets of a second

// Have the history know these records of c.a.
function record(past, times, values, key = "c") {
  const tiles = new Tiles();
  const stamps = times.map((ms) => BigInt(Math.round(ms * 1e6)));
  for (const index of new Set(stamps.map((time) => time / (LEVEL * 512n)))) {
    const own = stamps.map((time, i) => [time, values[i]]).filter(([time]) => time / (LEVEL * 512n) === index);
    const columns = new Map([["a", { value: Float64Array.from(own, ([, value]) => value) }]]);
    tiles.put(new Tile(LEVEL, index, true, BigInt64Array.from(own, ([time]) => time), columns));
  }
  const asked = [];
  past.archive.loaders.set(key, { channel: "c", names: ["a"], tiles, trouble: "", need: ([want]) => asked.push(want), stop() {} });
  return asked;
}

// Columns of the view as [ms since 1970 of their beginning, min, max, broken].
function shown(chart) {
  const { width } = chart.picture.area;
  const [start, end] = chart.painter.range;
  const columns = chart.view.traces.get(chart.signals[0]);
  return columns.list(width, 2 * width).map(([at, , , min, max, , , broken]) => [start + ((at - width) * (end - start)) / width, min, max, broken]);
}

const move = (past, from, to) => {
  past.view.span(BigInt(Math.round(from * 1e6)), past.view.last);
  past.view.show(BigInt(Math.round(from * 1e6)), BigInt(Math.round(to * 1e6)));
};

// Every 10 ms for the last 20 s a sample, five of them peaks.
const times = timesTillNow(2000, 10);
const noise = Array.from(times, (_, i) => (i % 400 === 137 ? 99 : Math.sin(i)));

test("the table and the measures of a chart that stands still have its peaks", async () => {
  const { feeder, chart } = await live(times, noise);
  const hand = { cursor: { timeText: () => "" }, tools: { source: AWAY } };
  const table = new TablePanel(chart, hand);
  const peaks = () => {
    table.fill();
    return [...table.root.querySelectorAll("tr")].filter((row) => row.cells[2].textContent === "99.00").length;
  };
  const before = peaks();
  await paused(chart);
  draw(feeder, chart);
  equal([before >= 4, peaks() >= 4], [true, true]);
  const measure = new MeasurePanel(chart, hand);
  const [start, end] = chart.painter.range;
  const ends = (from, to) => measure.row(chart.signals[0], from, to, (to - from) / 1000).slice(5, 7);
  equal(ends(start, end), ["−1.000\u202fV", "99.00\u202fV"]);
  equal(ends(start + 1, times[537] - 100)[1].startsWith("99"), times[137] > start + 1);
  equal(ends(start - 1000, end), ["–", "–"], "what is not shown");
  feeder.close();
});

test("a chart that stands still says what is not loaded, and is not called live", async () => {
  const { feeder, chart } = await live(times, noise, {}, { title: "Bench 7" });
  equal(/^Bench 7: last 20 s, live, now 0\.\d+\u202fV|^Bench 7: last 20 s, live, now −0\.\d+\u202fV/.test(feeder.said(chart).label), true, feeder.said(chart).label);
  equal(feeder.said(chart).label.endsWith(", min −1.000\u202fV, max 99.00\u202fV"), true, feeder.said(chart).label);
  const past = await paused(chart, AWAY);
  draw(feeder, chart);
  equal(/samples$/.test(feeder.said(chart).badge), true, "what was on the page is there");
  equal(/^Bench 7: \d+ \w+ \d{4} \d\d:\d\d:\d\d.* to .* UTC, paused, min −1\.000\u202fV, max 99\.00\u202fV$/.test(feeder.said(chart).label), true, feeder.said(chart).label);
  move(past, times[0] - 60_000, times[0] - 40_000);
  draw(feeder, chart);
  equal(feeder.said(chart).badge.endsWith("samples, not loaded: The history service does not run"), true, feeder.said(chart).badge);
  equal(chart.notice.badge.hidden, false);
  equal(feeder.said(chart).label.endsWith(", paused, not loaded: The history service does not run"), true, feeder.said(chart).label);
  feeder.close();
});

test("a chart that stands still says that it loads, and that there is nothing", async () => {
  const { feeder, chart } = await live(times, noise);
  const past = await paused(chart, SILENT);
  move(past, times[0] - 60_000, times[0] - 40_000);
  draw(feeder, chart);
  equal(feeder.said(chart).badge.endsWith("samples, loading"), true, feeder.said(chart).badge);
  record(past, [times[0] - 50_000], [5]);
  draw(feeder, chart);
  equal(feeder.said(chart).readings, ["5.000\u202fV"], "the newest that is shown");
  chart.signals[0].reading = "at the cursor";
  draw(feeder, chart);
  equal(feeder.said(chart).readings, ["at the cursor"]);
  chart.signals[0].reading = null;
  equal(feeder.said(chart).badge.endsWith("samples"), true, feeder.said(chart).badge);
  feeder.close();
  const other = await live(times, noise, { type: "enum", symbols: ["off", "on"], unit: "" });
  const words = await paused(other.chart, { pivot: async () => "", signals: async () => [] });
  move(words, times[0] - 60_000, times[0] - 40_000);
  draw(other.feeder, other.chart);
  equal(other.feeder.said(other.chart).badge.endsWith("samples, no history of c.a"), true, other.feeder.said(other.chart).badge);
  other.feeder.close();
});

test("a state holds until the next record, however far away that is", async () => {
  const { feeder, chart } = await live(times, Array.from(times, () => 9), { type: "enum", symbols: Array.from({ length: 20 }, (_, i) => `s${i}`), unit: "" });
  const past = await paused(chart);
  record(past, [times[0] - 18_000, times[0] - 10_000], [3, 7], "c (enums)");
  const values = (from, to) => {
    move(past, times[0] + from, times[0] + to);
    draw(feeder, chart);
    const { width } = chart.picture.area;
    const columns = chart.view.traces.get(chart.signals[0]);
    return [...new Set([...columns.list(width - 1, width), ...columns.list(width, 2 * width)].flatMap(([, , first, min, max, last]) => [first, min, max, last]))];
  };
  equal(values(-14_000, -6000), [3, 7]);
  equal(values(-16_000, -12_000), [3]);
  feeder.close();
});

test("that a bucket had more states than are drawn is said", async () => {
  const { feeder, chart } = await live(times, Array.from(times, () => 9), { type: "enum", symbols: ["a", "b", "c"], unit: "" });
  const past = await paused(chart);
  const tiles = new Tiles();
  const index = (BigInt(Math.round(times[0] - 60_000)) * MS) / (LEVEL * 512n);
  const start = index * LEVEL * 512n; // of the tile, so that it has all of them
  const stamps = BigInt64Array.from({ length: 20 }, (_, i) => start + BigInt(i) * LEVEL);
  const column = (at, value) => Float64Array.from({ length: 20 }, (_, i) => (i === at ? value : 1));
  const states = { first: column(-1), last: column(12, 2), min: column(-1), max: column(12, 2), avg: column(-1), count: column(-1), distinct: column(5, 2) };
  states.distinct[12] = 2;
  tiles.put(new Tile(LEVEL, index, false, stamps, new Map([["a", states]])));
  past.archive.loaders.set("c (enums)", { channel: "c", names: ["a"], tiles, trouble: "", need() {}, stop() {} });
  const isSaid = (from, to) => {
    past.view.span(start, past.view.last);
    past.view.show(start + BigInt(from) * LEVEL, start + BigInt(to) * LEVEL);
    draw(feeder, chart);
    return /, not all states shown: zoom in$/.test(feeder.said(chart).badge);
  };
  equal([isSaid(1, 4), isSaid(3, 9), isSaid(10, 14)], [false, true, false]);
  feeder.close();
});

test("what is a gap is one live and standing still: over three usual intervals and over 250 ms", async () => {
  const { feeder, chart } = await live(times, noise);
  const past = await paused(chart);
  const start = times[0] - 60_000;
  const old = Array.from({ length: 400 }, (_, i) => start + 20 * i + (i >= 100 ? 200 : 0) + (i >= 200 ? 300 : 0));
  record(past, old, old.map((_, i) => i % 2));
  move(past, start, start + 8000);
  draw(feeder, chart);
  const breaks = shown(chart).filter(([, , , broken], i) => broken && i > 0);
  equal(breaks.length, 1);
  near(breaks[0][0], old[200], 15);
  feeder.close();
});

test("a known loss is hatched where it was, while and after it is told", async () => {
  const { feeder, chart } = await live(times, Array.from(times, () => 0.5), {}, { theme: "light", colors: "#0000FF" });
  const hatched = () => {
    const { pixels, width, height } = chart.picture.raster;
    return Array.from({ length: width }, (_, x) => x).filter((x) => {
      let ink = 0;
      for (let y = 0; y < height; y++) {
        const [red, green, blue] = [0, 8, 16].map((bits) => (pixels[y * width + x] >> bits) & 255);
        ink += red > green + 15 && green > blue + 5;
      }
      return ink > height / 4;
    });
  };
  const loss = (at) => feeder.feed.handle({ type: "losses", channel: "c", spans: [[at, at + 1000, 9]] });
  loss(times[1000]);
  chart.isDirty = true;
  chart.draw(feeder.madeAt + 30);
  const before = hatched();
  equal(before.length > 30, true, "live");
  const past = await paused(chart);
  draw(feeder, chart);
  near(hatched()[0], before[0], 2);
  near(hatched().length, before.length, 2);
  past.view.pan(-0.2);
  draw(feeder, chart);
  near(hatched()[0], before[0] + 0.2 * chart.picture.area.width, 3, "it moves with the view");
  past.view.pan(0.2);
  loss(times[1500]);
  draw(feeder, chart);
  near(hatched().length, 2 * before.length, 4, "one that is told later");
  past.view.show(past.view.start, past.view.end + 2000n * MS);
  draw(feeder, chart);
  const wider = hatched();
  loss(past.pausedAt + 200);
  draw(feeder, chart);
  equal(hatched(), wider, "one that came after the pause");
  feeder.close();
});

test("CSV has the times of samples, counts them all, and says what they are", async () => {
  const odd = times.map((time) => time - 0.7);
  const ones = odd.filter((_, i) => i % 4 === 0);
  const samples = await live(ones, Array.from(ones, (_, i) => i));
  let lines = valuesText(samples.chart).split("\r\n");
  equal(/^# c\.a in V: \d+ samples as decimated$/.test(lines[1]), true, lines[1]);
  const [, time, value] = lines[10].split(",");
  equal(time, new Date(Math.floor(ones[value])).toISOString().replace("Z", "300Z"), "of the sample");
  samples.feeder.close();

  const full = await live(ones, Array.from(ones, (_, i) => i), {}, { rate: "full" });
  equal(/^# c\.a in V: \d+ records at full rate$/.test(valuesText(full.chart).split("\r\n")[1]), true);
  full.feeder.close();

  const { feeder, chart } = await live(odd, noise);
  const count = (text) => Number(/of (\d+) samples as decimated/.exec(text)[1]);
  lines = valuesText(chart).split("\r\n");
  const before = count(lines[1]);
  equal(before > 1900, true);
  equal(lines.slice(3).reduce((sum, line) => sum + Number(line.split(",")[6] ?? 0), 0), before);
  await paused(chart);
  draw(feeder, chart);
  lines = valuesText(chart).split("\r\n");
  equal([/^# c\.a in V: \d+ columns of 20 ms of \d+ samples as decimated$/.test(lines[1]), count(lines[1])], [true, before], lines[1]);
  feeder.close();
});

test("CSV of the archive has its records to the nanosecond", async () => {
  const { feeder, chart } = await live(times, noise);
  const past = await paused(chart);
  record(past, [times[0] - 50_000.25, times[0] - 50_000.125], [5, 6]);
  move(past, times[0] - 50_000.5, times[0] - 50_000);
  draw(feeder, chart);
  const lines = valuesText(chart).split("\r\n");
  equal(lines[1], "# c.a in V: 2 records of the archive");
  const told = [-50_000.25, -50_000.125].map((ms) => BigInt(Math.round((times[0] + ms) * 1e6)) % 1_000_000_000n);
  equal(lines.slice(3, 5).map((line) => line.split(".").at(-1)), told.map((ns, i) => `${String(ns).padStart(9, "0")}Z,${Array(4).fill(5 + i).join()},1`));
  feeder.close();
});

test("what the page holds is joined to the archive, but for a silence or a loss between them", async () => {
  const all = timesTillNow(60, 1000); // a record each second, none missing
  const join = async (known, loss = null) => {
    const { feeder, chart } = await live(all.slice(40), Array(20).fill(1));
    if (loss) feeder.feed.handle({ type: "losses", channel: "c", spans: [loss] });
    const past = await paused(chart);
    record(past, [...all.slice(0, known)], Array(known).fill(1));
    move(past, all[20], all[50]);
    draw(feeder, chart);
    const breaks = shown(chart).slice(1).filter(([, , , broken]) => broken).map(([at]) => Math.round((at - all[40]) / 1000));
    feeder.close();
    return breaks;
  };
  equal(await join(41), [], "all");
  equal(await join(39), [], "one missing");
  equal(await join(35), [0], "silence");
  equal(await join(40, [all[39], all[40], 3]), [0], "loss");
});

test("the past of a source whose clock is wrong is asked for and shown where its samples are", async () => {
  for (const skew of [-3_600_000, 3_600_000]) {
    const { feeder, chart } = await live(times, noise);
    feeder.feed.handle({ type: "status", channels: { c: { skew } } });
    const past = await paused(chart);
    const asked = record(past, [times[0] - 50_000 + skew], [5]);
    feeder.feed.handle({ type: "status", channels: { c: { skew: 0 } } }); // it is put right: what stands still stays where it is
    move(past, times[0] - 60_000, times[0] - 40_000);
    draw(feeder, chart);
    equal(asked.at(-1).slice(0, 2).map((time) => Math.round(Number(time) / 1e6) - skew), [times[0] - 60_000, times[0] - 40_000]);
    const [[at, , value], ...others] = shown(chart);
    equal([others.length, value], [0, 5]);
    near(at, times[0] - 50_000, 30);
    equal(Number(skewOf(chart, "c") / MS), skew, "for means");
    near(Date.parse(valuesText(chart).split("\r\n")[3].split(",")[1]), times[0] - 50_000, 1);
    feeder.close();
  }
});

test("what the history did not know is asked for again, at most every few seconds", async () => {
  const { fetch } = globalThis;
  const { now } = performance;
  let [count, later] = [0, 0];
  const told = [{ channel: "c", signal: "a", unit: null, type: "double", first_time: null, last_time: null, count: 0 }];
  globalThis.fetch = async () => (count++, new Response(JSON.stringify({ signals: told, cursor: null })));
  performance.now = () => now.call(performance) + later;
  try {
    const source = new PastSource();
    const ask = async (...paths) => (await source.signals("", "c", paths)).filter((one) => one.first !== null).map((one) => one.path);
    equal([await ask("a"), await ask("a"), count], [[], [], 1]);
    later += AGAIN_MS;
    told[0].first_time = "2026-01-01T00:00:00Z";
    equal([await ask("a"), count], [["a"], 2], "it has records by now");
    later += AGAIN_MS;
    equal([await ask("a"), count], [["a"], 2], "what is known is not asked for");
    told.push({ ...told[0], signal: "b" });
    equal([await ask("a", "b"), count], [["a", "b"], 3], "a signal that is new");
  } finally {
    globalThis.fetch = fetch;
    delete performance.now;
  }
});

test("a chart that was paused while the history was away has its past once it is there", async () => {
  const { setTimeout: wait } = globalThis;
  const { feeder, chart } = await live(times, noise);
  const source = { ...AWAY };
  let again = null;
  globalThis.setTimeout = (body, ms) => (ms === AGAIN_MS ? (again = body) && 0 : wait(body, ms));
  try {
    const past = await paused(chart, source);
    source.pivot = async () => "";
    source.signals = async () => [{ path: "a", first: BigInt(times[0] - 90_000) * MS, last: BigInt(times[0]) * MS, count: 100 }];
    equal(past.archive.loaders.size, 0);
    again();
    await new Promise((resolve) => wait(resolve, 5));
    equal([past.archive.loaders.size, past.view.first], [1, BigInt(times[0] - 90_000) * MS]);
    past.unmount();
  } finally {
    globalThis.setTimeout = wait;
    feeder.close();
  }
});
