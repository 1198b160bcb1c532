import { Bins } from "/static/stripchart/plots/bins.js";
import { colorAt, colorPixels } from "/static/stripchart/plots/colormap.js";
import { Fft } from "/static/stripchart/plots/fft.js";
import { Points, usualInterval } from "/static/stripchart/plots/join.js";
import { LowerAxis } from "/static/stripchart/plots/lower-axis.js";
import { Spectrum, rhythmOf } from "/static/stripchart/plots/spectrum.js";
import { Rows } from "/static/stripchart/plots/rows.js";
import { Samples } from "/static/stripchart/plots/samples.js";
import { Trigger } from "/static/stripchart/plots/trigger.js";
import { equal, near, random, test } from "./harness.js";

const START = 1.8e12;

function noise(n, seed) {
  const next = random(seed);
  return Float64Array.from({ length: n }, () => next() * 2 - 1);
}

test("the fast transform is the direct one", () => {
  for (const n of [2, 16, 128]) {
    const [re, im] = [noise(n, 1), noise(n, 2)];
    const [fastRe, fastIm] = [re.slice(), im.slice()];
    new Fft(n).transform(fastRe, fastIm);
    for (let k = 0; k < n; k++) {
      let [sumRe, sumIm] = [0, 0];
      for (let j = 0; j < n; j++) {
        const angle = (-2 * Math.PI * j * k) / n;
        sumRe += re[j] * Math.cos(angle) - im[j] * Math.sin(angle);
        sumIm += re[j] * Math.sin(angle) + im[j] * Math.cos(angle);
      }
      near(fastRe[k], sumRe, 1e-12 * n, `re ${n} ${k}`);
      near(fastIm[k], sumIm, 1e-12 * n, `im ${n} ${k}`);
    }
  }
});

test("the transform keeps the energy (Parseval)", () => {
  const n = 4096;
  const re = noise(n, 3);
  const im = new Float64Array(n);
  const energy = re.reduce((sum, value) => sum + value * value, 0);
  new Fft(n).transform(re, im);
  near(re.reduce((sum, value, k) => sum + value * value + im[k] * im[k], 0) / n, energy, energy * 1e-12);
});

const sine = (n, bin, amplitude, offset = 0) => Float64Array.from({ length: n }, (_, j) => offset + amplitude * Math.sin((2 * Math.PI * bin * j) / n + 1));

test("a sine shows its amplitude at its bin, whatever the offset", () => {
  const spectrum = new Spectrum(1024);
  for (const [bin, amplitude] of [[3, 2], [100, 0.5], [511, 1e-6]]) {
    spectrum.take(sine(1024, bin, amplitude, 7), 0);
    equal(spectrum.peak(), bin);
    near(spectrum.amplitude[bin], amplitude, amplitude * 1e-9);
  }
  equal(spectrum.amplitude[0] < 1e-9, true, "the mean is taken off");
});

test("between two bins a sine shows 0.849 of its amplitude in both", () => {
  const spectrum = new Spectrum(4096);
  spectrum.take(sine(4096, 100.5, 1), 0);
  near(spectrum.amplitude[100], 8 / (3 * Math.PI), 1e-3);
  near(spectrum.amplitude[101], 8 / (3 * Math.PI), 1e-3);
});

test("samples are taken from where they are told", () => {
  const spectrum = new Spectrum(64);
  spectrum.take(Float64Array.of(...noise(10, 4), ...sine(64, 5, 3)), 10);
  near(spectrum.amplitude[5], 3, 1e-9);
});

test("the rhythm of samples is told", () => {
  const times = Float64Array.from({ length: 100 }, (_, i) => START + i * 0.5);
  equal(rhythmOf(times, 0, 100), { rate: 2000, spread: 0, isEven: true, gapMs: 0 });
  const jittered = times.map((time, i) => time + (i % 2 ? 0.1 : 0));
  equal([rhythmOf(jittered, 0, 100).isEven, rhythmOf(jittered, 0, 100).gapMs], [false, 0]);
  near(rhythmOf(jittered, 0, 99).spread, 0.2, 0.01);
  const gap = times.map((time, i) => time + (i > 50 ? 20 : 0));
  near(rhythmOf(gap, 0, 100).gapMs, 20.5, 1e-3);
  equal(rhythmOf(gap, 0, 50).isEven, true);
});

test("what float64 cannot tell of a time is no unevenness", () => {
  const times = Float64Array.from({ length: 1000 }, (_, i) => START + i * 0.001); // a million a second
  equal(rhythmOf(times, 0, 1000).isEven, true);
});

function triggers(values, { level = 0, edge = "rising", hysteresis = 0 } = {}) {
  const trigger = new Trigger(level, edge);
  trigger.hysteresis = hysteresis;
  return values.map((value, i) => trigger.push(i, value)).filter((at) => !Number.isNaN(at));
}

test("triggers are where the line between two samples passes the level", () => {
  const values = [-1, 1, 1, -3, 1, 1];
  equal(triggers(values), [0.5, 3.75]);
  equal(triggers(values, { edge: "falling" }), [2.25]);
  equal(triggers(values, { edge: "both" }), [0.5, 2.25, 3.75]);
});

test("a value that holds passes the level where it begins", () => {
  const trigger = new Trigger(0, "both");
  trigger.holds = true;
  equal([-1, 1, 1, -3, 1].map((value, i) => trigger.push(10 * i, value)), [NaN, 10, NaN, 30, 40]);
});

test("a level that is only reached counts, and what begins beyond it does not", () => {
  equal(triggers([-1, 0, 0, 1]), [1]);
  equal(triggers([0, 1, 2]), []);
  equal(triggers([5, 6, 7]), []);
  equal(triggers([0, 0, 0]), []);
});

test("a break is no edge", () => {
  equal(triggers([-1, NaN, 1, -1, 1]), [3.5]);
});

test("noise at the level triggers once per edge", () => {
  const next = random(9);
  const values = Array.from({ length: 4000 }, (_, i) => Math.sin((2 * Math.PI * (i + 50)) / 400 + Math.PI) + (next() - 0.5) * 0.1);
  equal(triggers(values).length > 10, true, "without hysteresis there are more");
  const found = triggers(values, { hysteresis: 0.1 });
  equal(found.length, 10);
  found.forEach((at, i) => near(at, 150 + i * 400, 5, "edge"));
  equal(triggers(values, { hysteresis: 0.1, edge: "both" }).length, 20);
});

test("bins count each value once", () => {
  const values = Float64Array.of(-1, 0, 0.5, 1, 9.99, 10, 11, NaN, 5);
  const bins = new Bins(10);
  bins.clear(0, 10);
  bins.count(values, 0, values.length);
  equal([...bins.counts], [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]);
  equal([bins.n, bins.below, bins.above, bins.largest], [8, 1, 1, 2]);
});

test("mean and standard deviation hold beside a large offset", () => {
  const values = noise(10000, 5).map((value) => value + 1e9);
  const bins = new Bins(20);
  bins.clear(1e9 - 1, 1e9 + 1);
  bins.count(values, 0, values.length);
  equal(bins.counts.reduce((sum, count) => sum + count), 10000);
  near(bins.mean - 1e9, 0, 0.02);
  near(bins.std, 1 / Math.sqrt(3), 0.01);
});

function samples(pairs) {
  const store = new Samples(1e9);
  for (const [time, value] of pairs) store.push(time, value);
  return store;
}

const joined = (points) => Array.from({ length: points.n }, (_, i) => [points.x[i], points.y[i]]);

test("records of one channel are points", () => {
  const points = new Points();
  points.join(samples([[1, 10], [2, 20], [3, NaN], [4, 40]]), samples([[2, -2], [3, -3], [4, -4], [5, -5]]), 0, 9, true);
  equal(joined(points), [[20, -2], [null, -3], [40, -4]]);
});

test("of another channel the value before counts for two intervals", () => {
  const x = samples([[0, 1], [10, 2], [20, 3], [50, 6]]);
  const points = new Points();
  points.join(x, samples([[-1, 0], [1, 1], [10, 2], [39, 3], [41, 4], [55, 5], [80, 6]]), -5, 60, false);
  equal(usualInterval(x, x.stop), 10);
  equal(joined(points), [[null, 0], [1, 1], [2, 2], [3, 3], [null, 4], [6, 5]]);
});

test("samples are kept in the order of their times", () => {
  const store = samples([[1, 1], [5, 5], [3, 3], [5, 6], [4, 4]]);
  equal([...store.time.subarray(store.start, store.stop)], [1, 3, 4, 5, 5]);
  equal([...store.value.subarray(store.start, store.stop)], [1, 3, 4, 5, 6]);
  equal([store.since(0), store.since(3), store.since(3.5), store.since(9), store.newest, store.pairedTime], [0, 1, 2, 5, 5, 5]);
});

test("what is kept is bounded, and what is missing is known", () => {
  const store = new Samples(1000, 0, 5000);
  for (let i = 0; i < 50000; i++) store.push(i, i);
  equal([store.time.length <= 10000, store.stop - store.start >= 1000, store.droppedTime], [true, true, -Infinity]);
  equal(store.value[store.since(49000)], 49000);
  const short = new Samples(1e6, 0, 5000);
  for (let i = 0; i < 50000; i++) short.push(i, i);
  equal([short.time.length, short.stop - short.start >= 5000, short.droppedTime > 0], [10000, true, true]);
  const least = new Samples(1, 3000);
  for (let i = 0; i < 50000; i++) least.push(i, i);
  equal(least.stop - least.start >= 3000, true);
});

test("a clock that goes back a long way begins anew", () => {
  const store = new Samples(1e9);
  for (let i = 0; i < 6000; i++) store.push(START + i, i);
  store.push(START - 1000, 7);
  equal([store.stop - store.start, store.newest], [1, START - 1000]);
});

test("an axis has labels at whole steps, of logarithms at 1, 2, 5", () => {
  const axis = new LowerAxis();
  axis.scale.setFixed(0, 1000);
  equal(axis.place(500, 1), [[0, "0"], [100, "200"], [200, "400"], [299, "600"], [399, "800"], [499, "1000"]]);
  axis.isLog = true;
  axis.scale.setFixed(1, 100);
  equal(axis.place(501, 1).map(([, text]) => text), ["1", "2", "5", "10", "20", "50", "100"]);
  near(axis.x(10, 501), 250, 1e-9);
  axis.scale.setFixed(0.5, 5e6);
  equal(axis.place(401, 1).map(([, text]) => text), ["1", "100", "10k", "1M"]);
});

const luminance = (rgb) => {
  const [r, g, b] = rgb.map((part) => (part <= 10.31 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

test("colours go from dark to light in steps that the eye sees as equal", () => {
  const lightness = Array.from({ length: 11 }, (_, i) => 116 * Math.cbrt(luminance(colorAt(i / 10))) - 16);
  const steps = lightness.slice(1).map((value, i) => value - lightness[i]);
  for (const step of steps) if (step < 5 || step > 11) throw new Error(`steps of ${steps}`);
  const [dark, light] = [colorPixels(true), colorPixels(false)];
  equal([dark[0], dark[255]], [light[255], light[0]]);
});

test("extremes leave infinities out", () => {
  const store = new Samples(1e9);
  [3, Infinity, -2, -Infinity, NaN].forEach((value, i) => store.push(i, value));
  const rows = new Rows(1000);
  rows.take([1], [3, Infinity, -2, -Infinity], 0);
  const extent = () => [Infinity, -Infinity];
  const [a, b] = [extent(), extent()];
  store.extremes(store.start, store.stop, a);
  rows.extremes(0, b);
  equal([a, b], [[-2, 3], [-2, 3]]);
});
