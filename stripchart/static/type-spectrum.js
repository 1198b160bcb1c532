// What frequencies a signal has: the amplitude spectrum of its newest samples.

import { number, oneOf } from "./attributes.js";
import { Columns } from "./columns.js";
import { valueText } from "./format.js";
import { Sampled } from "./plots/sampled.js";
import { Spectrum, rhythmOf } from "./plots/spectrum.js";
import { arrangeAxes } from "./traces.js";

const LEAST = 16;
const MOST = 65536;
const REST_MS = 50; // between two transforms at least
const DEEPEST = 8; // decades below the largest amplitude are drawn on axes of powers
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export default class FrequencyChart extends Sampled {
  constructor(chart) {
    super(chart);
    this.spectra = []; // by signal: {spectrum, rhythm, peak, columns, held}
    this.traces = [];
    this.restMs = REST_MS;
    this.arrange = (signals, wanted, fixed, before) => this.label(arrangeAxes(signals, wanted, fixed, before));
  }

  configure(settings, data) {
    const wanted = `a power of two from ${LEAST} to ${MOST}`;
    this.n = number(data, "samples", 4096, wanted, (value) => value >= LEAST && value <= MOST && Number.isInteger(Math.log2(value)));
    this.form = oneOf(data, "scale", ["linear", "log", "db"]);
    this.lower.isLog = oneOf(data, "frequency", ["linear", "log"]) === "log";
    this.lower.unit = "Hz";
    this.least = this.n;
    super.configure(settings);
    this.spectra = [];
  }

  // Amplitudes are drawn as they are, as powers of ten or as decibels: what stands at the axes tells.
  label(arranged) {
    for (const axis of arranged.axes) {
      if (axis.form !== this.form && !axis.scale.isFixed) axis.scale.setAuto();
      axis.form = this.form;
      axis.words = null;
      axis.least = this.form === "log" ? 1 : 0;
      axis.textOf = this.form === "log" ? powerText : null;
      axis.label = this.form === "db" ? `dB re 1 ${axis.unit}`.trim() : null;
    }
    return arranged;
  }

  renew() {
    this.spectra = this.stores.map(() => ({ spectrum: new Spectrum(this.n), rhythm: {}, peak: 0, columns: null, held: 0 }));
  }

  drawAll(localMs) {
    const { chart } = this;
    if (!this.isHeld) this.spectra.forEach((one, index) => this.transform(one, this.stores[index]));
    this.fitFrequencies();
    this.fill();
    for (const axis of chart.axes) this.fitAxis(axis, localMs);
    this.drawGround(null, this.traces, 0, 1 / (chart.picture.area.width - 1));
  }

  // Of the newest samples that stand for themselves, breaks left out.
  transform(one, store) {
    const { n } = this;
    const stop = store.after(this.end);
    const from = Math.max(store.start, store.after(store.reducedTime));
    let first = stop;
    let breaks = 0;
    one.held = 0;
    while (first > from && one.held < n) {
      first--;
      if (store.value[first] === store.value[first]) one.held++;
      else breaks++;
    }
    if (one.held < n) return;
    if (breaks) this.transformJoined(one, store, first);
    else this.transformRun(one, store.time, store.value, first);
    one.breaks = breaks;
  }

  transformRun(one, time, value, first) {
    rhythmOf(time, first, this.n, one.rhythm);
    one.spectrum.take(value, first);
    one.peak = one.spectrum.peak();
  }

  transformJoined(one, { time, value }, first) {
    one.times ??= new Float64Array(this.n);
    one.values ??= new Float64Array(this.n);
    for (let i = first, at = 0; at < this.n; i++) {
      if (value[i] !== value[i]) continue;
      one.times[at] = time[i];
      one.values[at++] = value[i];
    }
    this.transformRun(one, one.times, one.values, 0);
  }

  // The axis reaches to half of the highest rate; it stays while the rate is the same but for what its clock wavers.
  fitFrequencies() {
    const { scale, isLog } = this.lower;
    const rates = this.spectra.filter(({ peak, rhythm }) => peak && Number.isFinite(rhythm.rate)).map(({ rhythm }) => rhythm.rate);
    if (!rates.length) return;
    const high = Math.max(...rates) / 2;
    const low = isLog ? Math.min(...rates) / this.n : 0;
    if (Math.abs(scale.max / high - 1) > 1e-3 || (isLog ? Math.abs(scale.min / low - 1) > 1e-3 : scale.min !== 0)) {
      scale.setFixed(low, high);
    }
  }

  // Amplitudes as columns along the axis, which is 1 long.
  fill() {
    const { chart, lower, spectra, traces } = this;
    const { width } = chart.picture.area;
    traces.length = 0;
    for (let index = spectra.length - 1; index >= 0; index--) {
      const one = spectra[index];
      if (one.columns?.capacity !== width + 2) one.columns = new Columns(1 / (width - 1), width + 2);
      one.columns.clear();
      if (!one.peak || !this.isShown(index)) continue;
      const { amplitude } = one.spectrum;
      const binHz = one.rhythm.rate / this.n;
      const floor = amplitude[one.peak] * 10 ** -DEEPEST || Number.MIN_VALUE;
      for (let k = lower.isLog ? 1 : 0; k <= this.n / 2; k++) {
        const at = lower.share(k * binHz);
        if (at >= -1e-9) one.columns.push(Math.max(0, at), this.formed(Math.max(amplitude[k], floor)));
      }
      traces.push({ columns: one.columns, scale: chart.axisOf[index].scale, style: this.penOf(index) });
    }
  }

  formed(amplitude) {
    if (this.form === "linear") return amplitude;
    return this.form === "db" ? 20 * Math.log10(amplitude) : Math.log10(amplitude);
  }

  fitAxis(axis, localMs) {
    const { chart, extent, spectra } = this;
    extent[0] = this.form === "linear" ? 0 : Infinity;
    extent[1] = -Infinity;
    spectra.forEach(({ columns }, index) => {
      if (chart.axisOf[index] === axis) columns.extremes(0, 1.1, extent);
    });
    this.fit(axis, localMs);
  }

  get isSeen() {
    return this.spectra.some(({ peak }) => peak);
  }

  get badge() {
    const held = Math.max(0, ...this.spectra.map((one) => one.held));
    return this.isSeen || !held ? super.badge : `${held} of ${this.n} samples`;
  }

  peakText(index) {
    const { peak, rhythm, spectrum } = this.spectra[index];
    return `${valueText((peak * rhythm.rate) / this.n, "Hz")}, ${valueText(spectrum.amplitude[peak], this.chart.signals[index].unit)}`;
  }

  // In the legend.
  reading(index) {
    return this.spectra[index]?.peak ? `peak ${this.peakText(index)}` : "–";
  }

  // What it was made of, and where it cannot be trusted.
  get notes() {
    const notes = new Set();
    this.spectra.forEach(({ peak, rhythm, breaks }, index) => {
      if (this.stores[index].reducedTime > this.stores[index].newest - 1000) notes.add("too fast for this chart: it has minima and maxima of the samples");
      if (!peak) return;
      notes.add(`${this.n} samples at ${valueText(rhythm.rate, "S/s")}, ${valueText(rhythm.rate / this.n, "Hz")} a bin`);
      if (breaks || rhythm.gapMs) notes.add(`a gap in the samples${rhythm.gapMs ? ` of ${valueText(rhythm.gapMs / 1000, "s")}` : ""}: the frequencies are wrong`);
      else if (!rhythm.isEven) notes.add(`uneven intervals (by ${Math.round(rhythm.spread * 100)} %): the frequencies are inexact`);
    });
    return [...notes];
  }

  describe() {
    const told = this.chart.signals.map((signal, index) => `${signal.name}: ${this.reading(index)}`);
    return told.length ? `spectrum of ${told.join("; ")}` : "";
  }

  // For tests: per signal the bins and what is told of them.
  get drawn() {
    const { scale } = this.lower;
    const signals = this.spectra.map(({ spectrum, rhythm, peak, held }) => ({ amplitude: [...spectrum.amplitude], ...rhythm, peak, held }));
    return { x: [scale.min, scale.max], signals };
  }
}

function powerText(exponent) {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[digit] ?? digit).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}
