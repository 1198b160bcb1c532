import { FLAG_GAP, FLAG_REDUCED } from "/static/stripchart/frame.js";
import { Feeder, timesTillNow } from "./feeder.js";
import { equal, near, random, test } from "./harness.js";

const wave = (times, hz, amplitude = 1) => [...times].map((time) => amplitude * Math.sin((2 * Math.PI * hz * (time % 1e6)) / 1000));

async function withFeeder(feeder, body) {
  try {
    await body(feeder);
  } finally {
    feeder.close();
  }
}

const isLike = (text, pattern) => {
  if (!pattern.test(text)) throw new Error(`expected text like ${pattern}, got ${JSON.stringify(text)}`);
};

test("a shot stands round the edge", () =>
  withFeeder(new Feeder({ "c.a": "V" }), async (feeder) => {
    const chart = await feeder.chart({ type: "trigger", signals: "c.a,c.b", window: "0.1", level: "0.5", pre: "0.25" });
    equal(feeder.asked[0], { type: "subscribe", feed: 0, window: 1.2, stream: "full", signals: ["c.a", "c.b"] });
    const times = timesTillNow(2000, 1);
    feeder.window(times, { "c.a": wave(times, 7), "c.b": wave(times, 3) });
    feeder.draw();
    const { at, start, end, isTriggered, columns } = chart.columns().drawn;
    equal([isTriggered, Math.round(end - start)], [true, 100]);
    near(at - start, 25, 1e-3);
    near(Math.sin((2 * Math.PI * 7 * (at % 1e6)) / 1000), 0.5, 1e-3, "the level is there");
    equal(Math.cos((2 * Math.PI * 7 * (at % 1e6)) / 1000) > 0, true, "rising");
    for (const [from, to, , min, max, , samples] of columns[0]) {
      if (samples !== 1) continue;
      const middle = wave([start + (from + to) / 2], 7)[0];
      if (Math.abs((min + max) / 2 - middle) > 0.05) throw new Error(`${middle} at ${from} is ${min}`);
    }
    equal(columns[1].length > 90, true);
    isLike(feeder.said().label, /^c.a, c.b at triggers: c.a rising 0.5000.V, \d+ so far, live$/);
    isLike(feeder.said().note, /^trigger at \d\d:\d\d:\d\d\.\d{3} UTC$/);
  }));

test("states are steps, and trigger where they begin", () =>
  withFeeder(new Feeder(), async (feeder) => {
    const chart = await feeder.chart({ type: "trigger", signals: "c.a", window: "0.1", level: "0.5" });
    chart.signals[0].type = "enum";
    const times = timesTillNow(1000, 1);
    const states = times.map((time) => Math.floor(time / 200) % 2);
    feeder.window(times, { "c.a": states });
    feeder.draw();
    const { at, start, columns } = chart.columns().drawn;
    equal(times.indexOf(at) > 0, true, "at a sample");
    equal([states[times.indexOf(at) - 1], states[times.indexOf(at)]], [0, 1]);
    for (const [from, , first, min, max, last] of columns[0]) {
      for (const value of [first, min, max, last]) equal([0, 1].includes(value), true, `${value} at ${from}`);
    }
    equal(columns[0].some(([from, to, , , max]) => max === 1 && start + to <= at), false, "not before it began");
  }));

test("without triggers what is newest is shown after a second, and said to be untriggered", () =>
  withFeeder(new Feeder(), async (feeder) => {
    const chart = await feeder.chart({ type: "trigger", signals: "c.a", window: "0.1", level: "0" });
    const times = timesTillNow(3000, 1);
    feeder.window(times.subarray(0, 1000), { "c.a": wave(times.subarray(0, 1000), 7) });
    feeder.draw();
    const { at } = chart.columns().drawn;
    const flat = (from, to) => feeder.send(times.subarray(from, to), { "c.a": new Float64Array(to - from).fill(5) });
    flat(1000, 1500);
    feeder.draw();
    const held = chart.columns().drawn;
    flat(1500, 2000);
    feeder.draw(500);
    equal([held.isTriggered, chart.columns().drawn.at, feeder.said().badge], [true, held.at, ""], "held");
    equal(held.at >= at, true);
    flat(2000, 2500);
    feeder.draw(1600);
    equal([chart.columns().drawn.isTriggered, feeder.said().badge], [false, "untriggered"]);
    near(chart.columns().drawn.end, times[2499], 1e-3);
    feeder.send(times.subarray(2500), { "c.a": wave(times.subarray(2500), 7) });
    feeder.draw(1700);
    equal([chart.columns().drawn.isTriggered, feeder.said().badge], [true, ""]);
  }));

test("in mode normal the last shot stays, and there is none before the first", () =>
  withFeeder(new Feeder(), async (feeder) => {
    const chart = await feeder.chart({ type: "trigger", signals: "c.a", window: "0.1", level: "9", mode: "normal" });
    const times = timesTillNow(2000, 1);
    feeder.window(times.subarray(0, 1000), { "c.a": wave(times.subarray(0, 1000), 7) });
    feeder.draw(1500);
    equal([chart.columns().drawn.at, feeder.said().words], [null, "Waiting for a trigger"].map((one) => one ?? NaN));
    feeder.send(times.subarray(1000), { "c.a": wave(times.subarray(1000), 7, 10) });
    feeder.draw();
    const { at } = chart.columns().drawn;
    feeder.draw(2000);
    equal([chart.columns().drawn.isTriggered, chart.columns().drawn.at, feeder.said().words], [true, at, ""]);
  }));

test("points are the records of the window", () =>
  withFeeder(new Feeder({ "c.x": "A", "c.y": "V" }), async (feeder) => {
    const chart = await feeder.chart({ type: "xy", signals: "c.x,c.y", window: "1" });
    const times = timesTillNow(300, 10);
    const [x, y] = [wave(times, 1), wave(times, 2, 3)];
    feeder.window(times, { "c.x": x, "c.y": y });
    feeder.draw();
    const { drawn, scales } = chart.columns();
    equal(drawn.points[0], x.map((value, i) => [value, y[i]]).slice(-101));
    equal([drawn.x[0] <= -1, drawn.x[1] >= 1, scales[0][0] <= -3, scales[0][1] >= 3], [true, true, true, true]);
    isLike(feeder.said().label, /^c.y over c.x: newest .*.V at .*.A, live$/);
    const { raster, area } = chart.picture;
    const at = (value, [min, max], size) => Math.round(((value - min) / (max - min)) * (size - 1));
    const [px, py] = [at(x.at(-1), drawn.x, area.width), area.height - 1 - at(y.at(-1), scales[0], area.height)];
    equal(raster.pixels[py * raster.width + px] !== raster.pixels[0], true, "the newest is marked");
  }));

test("the peak of a spectrum is told with the unit", () =>
  withFeeder(new Feeder({ "c.a": "V" }), async (feeder) => {
    const chart = await feeder.chart({ type: "spectrum", signals: "c.a", samples: "1024" });
    const times = timesTillNow(2048, 1);
    feeder.window(times.subarray(0, 500), { "c.a": wave(times.subarray(0, 500), 62.5, 0.71) });
    feeder.draw();
    equal(feeder.said().words, "500 of 1024 samples");
    feeder.send(times.subarray(500), { "c.a": wave(times.subarray(500), 62.5, 0.71) });
    feeder.draw(10_000);
    const [{ amplitude, peak, rate }] = chart.columns().drawn.signals;
    near(rate, 1000, 1e-6);
    near((peak * rate) / 1024, 62.5, 1e-6);
    near(amplitude[peak], 0.71, 1e-6);
    equal(feeder.said().readings, ["peak 62.50\u202fHz, 0.7100\u202fV"]);
    equal(feeder.said().note, "1024 samples at 1.000\u202fkS/s, 0.9766\u202fHz a bin");
    isLike(feeder.said().label, /^spectrum of c.a: peak 62.50.Hz, 0.7100.V, live$/);
    chart.canvas.dataset.scale = "db";
    await chart.configure();
    feeder.draw(20_000);
    await Promise.resolve();
    feeder.window(times, { "c.a": wave(times, 62.5, 0.71) });
    feeder.draw(30_000);
    const [low, high] = chart.columns().scales[0];
    equal([low < -100, high >= 20 * Math.log10(0.71), high < 20], [true, true, true]);
  }));

test("a spectrum of samples that are not even, or of a gap, says so", () =>
  withFeeder(new Feeder(), async (feeder) => {
    await feeder.chart({ type: "spectrum", signals: "c.a", samples: "256" });
    const times = timesTillNow(300, 1).map((time, i) => time + (i % 3) * 0.2);
    feeder.window(times, { "c.a": wave(times, 50) });
    feeder.draw();
    isLike(feeder.said().note, /uneven intervals \(by 40 %\): the frequencies are inexact/);
    const gap = timesTillNow(300, 1).map((time, i) => time - (i < 200 ? 50 : 0));
    feeder.window(gap, { "c.a": wave(gap, 50) });
    feeder.draw(10_000);
    isLike(feeder.said().note, /a gap in the samples of 0.05100.s: the frequencies are wrong/);
    const even = timesTillNow(300, 1);
    feeder.window(even.subarray(0, 200), { "c.a": wave(even.subarray(0, 200), 50) });
    feeder.send(even.subarray(200), { "c.a": wave(even.subarray(200), 50) }, FLAG_GAP);
    feeder.draw(20_000);
    isLike(feeder.said().note, /a gap in the samples: the frequencies are wrong/);
  }));

test("thinned samples make no spectrum, and the chart says that they come too fast", () =>
  withFeeder(new Feeder(), async (feeder) => {
    const chart = await feeder.chart({ type: "spectrum", signals: "c.a", samples: "256" });
    const times = timesTillNow(1200, 1);
    feeder.send(times.subarray(0, 1000), { "c.a": wave(times.subarray(0, 1000), 50) }, FLAG_REDUCED);
    feeder.draw();
    isLike(feeder.said().note, /too fast for this chart/);
    equal(chart.columns().drawn.signals[0].held, 0);
    feeder.send(times.subarray(1000), { "c.a": wave(times.subarray(1000), 50) });
    feeder.draw(10_000);
    equal(chart.columns().drawn.signals[0].held, 200);
  }));

test("a histogram counts each sample of the window", () =>
  withFeeder(new Feeder({ "c.a": "V" }), async (feeder) => {
    const chart = await feeder.chart({ type: "histogram", signals: "c.a", window: "2", bins: "20", ymin: "-1", ymax: "1" });
    const next = random(3);
    const times = timesTillNow(5000, 1);
    const values = [...times].map(() => next() * 2.2 - 1.1);
    feeder.window(times, { "c.a": values });
    feeder.draw();
    const [{ counts, n, mean, std, below, above }] = chart.columns().drawn.signals;
    const inside = values.slice(-2001);
    const wanted = new Array(20).fill(0);
    for (const value of inside) if (Math.abs(value) <= 1) wanted[Math.min(19, Math.floor((value + 1) * 10))]++;
    equal(counts, wanted);
    equal([n, below, above], [2001, inside.filter((value) => value < -1).length, inside.filter((value) => value > 1).length]);
    near(mean, inside.reduce((sum, value) => sum + value) / n, 1e-12);
    near(std, Math.sqrt(inside.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)), 1e-12);
    isLike(feeder.said().readings[0], /^mean .*V, std 0\.6\d*.V$/);
    isLike(feeder.said().note, /^\d+ outside the axis$/);
    isLike(feeder.said().label, /^histogram of c.a: 2001 samples, mean/);
  }));

const pixelsOf = (chart) => chart.picture.raster.pixels.slice();
const isSame = (a, b) => a.length === b.length && a.every((pixel, i) => pixel === b[i]);

test("arrays are rows of colours that move down", () =>
  withFeeder(new Feeder({ "c.w": "dB" }, ["c.w"]), async (feeder) => {
    const chart = await feeder.chart({ type: "waterfall", signals: "c.w", window: "10", ymin: "0", ymax: "9" }, [400, 146]);
    equal(feeder.asked[0], { type: "subscribe", feed: 0, window: 10, stream: "full", arrays: true, signals: ["c.w"] });
    const times = timesTillNow(120, 100).map((time) => time + 50); // in the middle of a pixel's row
    const rows = [...times].map((_, row) => Array.from({ length: 10 }, (_, item) => (row + item) % 10));
    feeder.window(times.subarray(0, 100), { "c.w": rows.slice(0, 100) });
    feeder.draw();
    const { painter } = chart;
    const drawAt = (now) => ((chart.now = now), painter.draw(now, performance.now()), (chart.isDirty = false));
    drawAt(times[99] + 150); // three ticks behind: the newest row is on top
    const { raster } = chart.picture;
    const colorsAt = (y) => Array.from({ length: 10 }, (_, item) => raster.pixels[y * raster.width + Math.round(((item + 0.5) * painter.width) / 10)]);
    equal(new Set(colorsAt(0)).size, 10);
    const map = colorsAt(0).map((_, value) => colorsAt(0)[(value + 10 - (99 % 10)) % 10]);
    for (const y of [0, 1, 42, 98]) equal(colorsAt(y), rows[99 - y].map((value) => map[value]), `row ${y}`);
    feeder.send(times.subarray(100), { "c.w": rows.slice(100) });
    drawAt(times[119] + 150);
    const moved = pixelsOf(chart);
    equal(colorsAt(20), rows[99].map((value) => map[value]), "moved");
    chart.isDirty = true;
    drawAt(times[119] + 150);
    equal(isSame(pixelsOf(chart), moved), true, "as if drawn at once");
    chart.refresh(performance.now());
    equal(feeder.said().readings, ["largest 9.000\u202fdB at 0"]);
    isLike(feeder.said().label, /^waterfall of c.w: last 10 s, largest 9.000.dB at 0, /);
  }));

test("the waterfall tells what is at the pointer", () =>
  withFeeder(new Feeder({}, ["c.w"]), async (feeder) => {
    const chart = await feeder.chart({ type: "waterfall", signals: "c.w", window: "10", ymin: "0", ymax: "9" }, [400, 146]);
    const times = timesTillNow(100, 100).map((time) => time + 50);
    feeder.window(times, { "c.w": [...times].map((_, row) => [row, -row]) });
    feeder.draw();
    chart.now = times[99] + 150;
    chart.painter.draw(chart.now, performance.now());
    const { left, top } = chart.picture.clip.getBoundingClientRect();
    const point = (x, y) => chart.picture.box.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y }));
    point(chart.painter.width * 0.75, 30.5);
    equal(chart.painter.reading(), "\u221269.00 at 1, 3.0 s ago");
    point(5, 0.5);
    equal(chart.painter.reading(), "99.00 at 0, 0.1 s ago");
  }));

test("long arrays lose no peak", () =>
  withFeeder(new Feeder({}, ["c.w"]), async (feeder) => {
    const chart = await feeder.chart({ type: "waterfall", signals: "c.w", window: "1" }, [300, 100]);
    const times = timesTillNow(2, 10);
    const row = new Array(5000).fill(0);
    row[4321] = 7;
    feeder.window(times, { "c.w": [row, row] });
    feeder.draw();
    chart.painter.draw(times[1] + 150, performance.now());
    const { value, item } = chart.columns().drawn.told;
    equal([value, item <= 4321 && item > 4321 - 3], [7, true]);
  }));

test("attributes that cannot be used are named in the chart's place", () =>
  withFeeder(new Feeder(), async (feeder) => {
    const cases = [
      [{ type: "trigger", signals: "c.a", level: "high" }, 'data-level: wanted a number, got "high"'],
      [{ type: "trigger", signals: "c.a", edge: "up" }, 'data-edge: wanted rising, falling or both, got "up"'],
      [{ type: "trigger", signals: "c.a", pre: "1.5" }, 'data-pre: wanted a share of the window from 0 to 1, got "1.5"'],
      [{ type: "trigger", signals: "c.a", hysteresis: "-1" }, 'data-hysteresis: wanted a number from 0, got "-1"'],
      [{ type: "trigger", signals: "c.a", mode: "sweep" }, 'data-mode: wanted auto or normal, got "sweep"'],
      [{ type: "spectrum", signals: "c.a", mode: "scroll" }, 'data-mode: a chart of data-type="spectrum" has none, got "scroll"'],
      [{ type: "spectrum", signals: "c.a", samples: "1000" }, 'data-samples: wanted a power of two from 16 to 65536, got "1000"'],
      [{ type: "spectrum", signals: "c.a", scale: "dB" }, 'data-scale: wanted linear, log or db, got "dB"'],
      [{ type: "spectrum", signals: "c.a", frequency: "dB" }, 'data-frequency: wanted linear or log, got "dB"'],
      [{ type: "histogram", signals: "c.a", bins: "1.5" }, 'data-bins: wanted a whole number from 2 to 1000, got "1.5"'],
      [{ type: "xy", signals: "c.a" }, 'data-signals: wanted x and one or more y, got "c.a" alone'],
      [{ type: "waterfall", signals: "c.a,c.b" }, "data-signals: wanted one array signal, got 2 signals"],
      [{ signals: "c.a", level: "1" }, 'data-level: only for data-type="trigger", this chart\'s is "strip"'],
      [{ signals: "c.a", type: "pie" }, 'data-type: wanted strip, trigger, xy, spectrum, histogram or waterfall, got "pie"'],
    ];
    for (const [attributes, wanted] of cases) {
      const chart = await feeder.chart(attributes);
      feeder.draw();
      equal([chart.state, feeder.said().words], ["error", wanted]);
    }
  }));

test("each type can follow each, and an error is forgotten", () =>
  withFeeder(new Feeder({}, ["c.w"]), async (feeder) => {
    const chart = await feeder.chart({ signals: "c.a,c.b", window: "3" });
    const times = timesTillNow(5000, 1);
    for (const type of ["trigger", "xy", "histogram", "pie", "spectrum", "strip", "xy", "strip"]) {
      chart.canvas.dataset.type = type;
      await chart.configure();
      feeder.draw();
      await Promise.resolve();
      feeder.window(times, { "c.a": wave(times, 5), "c.b": wave(times, 7) });
      feeder.draw();
      equal(chart.state, type === "pie" ? "error" : "live", type);
      const { raster } = chart.picture;
      if (type !== "pie") equal(new Set(raster.pixels).size > 3, true, `${type} is drawn`);
    }
  }));

test("each type is drawn in both themes, at any number of device pixels, dimmed when it is stale", () =>
  withFeeder(new Feeder({}, ["c.w"]), async (feeder) => {
    const times = timesTillNow(5000, 1);
    const seen = new Set();
    for (const type of ["trigger", "xy", "spectrum", "histogram"]) {
      for (const dpr of [1, 1.25, 2]) {
        const theme = dpr === 1 ? "dark" : "light";
        const chart = await feeder.chart({ type, signals: "c.a,c.b", window: "1", theme }, [500 * dpr, 200 * dpr], dpr);
        feeder.window(times, { "c.a": wave(times, 5), "c.b": wave(times, 7) });
        feeder.draw();
        const live = new Set(chart.picture.raster.pixels);
        feeder.feed.socket.state = "reconnecting";
        feeder.draw();
        const dim = new Set(chart.picture.raster.pixels);
        feeder.feed.socket.state = "open";
        const color = (one) => JSON.stringify([...one].sort());
        equal([live.size > 3, color(live) !== color(dim), chart.picture.area.dpr], [true, true, dpr], `${type} at ${dpr}`);
        seen.add(chart.picture.raster.pixels[0]);
        feeder.charts.pop().unmount();
      }
    }
    equal(seen.size >= 2, true);
  }));

test("a chart that is held stays as it is, whatever comes, and goes on", () =>
  withFeeder(new Feeder({}, ["c.w"]), async (feeder) => {
    const times = timesTillNow(6000, 1);
    const part = (from, to, size) => {
      const chosen = times.subarray(from, to);
      return [chosen, { "c.a": wave(chosen, 5, size), "c.b": wave(chosen, 7, size) }];
    };
    for (const type of ["trigger", "xy", "spectrum", "histogram"]) {
      const chart = await feeder.chart({ type, signals: "c.a,c.b", window: "0.5", ...(type === "spectrum" && { samples: "512" }) });
      feeder.window(...part(0, 3000, 1));
      feeder.draw();
      const before = pixelsOf(chart);
      chart.painter.hold(true);
      feeder.window(...part(5000, 6000, 3)); // as if nothing else were kept
      chart.resize(600, 300);
      feeder.draw(20_000);
      equal([isSame(pixelsOf(chart), before), feeder.said(chart).badge], [true, "paused"], type);
      chart.painter.hold(false);
      feeder.draw(40_000);
      equal([isSame(pixelsOf(chart), before), feeder.said(chart).badge], [false, ""], type);
      feeder.charts.pop().unmount();
    }
  }));

test("a waterfall that is held stays, and goes on where time is", () =>
  withFeeder(new Feeder({}, ["c.w"]), async (feeder) => {
    const chart = await feeder.chart({ type: "waterfall", signals: "c.w", window: "10" }, [400, 146]);
    const times = timesTillNow(300, 100);
    const rows = [...times].map((_, row) => [row, -row]);
    feeder.window(times.subarray(0, 100), { "c.w": rows.slice(0, 100) });
    feeder.draw();
    const drawAt = (now) => ((chart.now = now), (chart.isDirty = true), chart.painter.draw(now, 0));
    drawAt(times[99] + 150);
    const before = pixelsOf(chart);
    chart.painter.hold(true);
    feeder.send(times.subarray(100), { "c.w": rows.slice(100) });
    drawAt(times[299]);
    equal(isSame(pixelsOf(chart), before), true, "held");
    chart.painter.hold(false);
    drawAt(times[299] + 150);
    equal(chart.columns().drawn.told.value, 299);
  }));

test("two charts of one signal share its samples, also one that comes later", () =>
  withFeeder(new Feeder(), async (feeder) => {
    const times = timesTillNow(2000, 1);
    await feeder.chart({ type: "histogram", signals: "c.a", window: "2" });
    feeder.window(times, { "c.a": wave(times, 5) });
    const later = await feeder.chart({ type: "histogram", signals: "c.a", window: "1" });
    feeder.draw();
    equal(feeder.asked.length, 1);
    equal(later.columns().drawn.signals[0].n, 1001);
  }));
