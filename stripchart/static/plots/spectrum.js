// The one-sided amplitude spectrum of samples in a Hann window, and whether the samples are such that it means something.
// Window and scaling are those of G. Heinzel, A. Ruediger, R. Schilling, "Spectrum and spectral density estimation by the Discrete
// Fourier transform (DFT), including a comprehensive list of window functions and some new flat-top windows" (2002).

import { Fft } from "./fft.js";

const UNEVEN = 0.1; // intervals that differ from the mean by more than this share of it are said to vary
const GAP = 3; // one that is so many times the mean is a gap
const CLOCK_MS = 1 / 2048; // times are ms since 1970 as float64: two of them are exact to that

export class Spectrum {
  constructor(n) {
    this.n = n;
    this.fft = new Fft(n);
    this.re = new Float64Array(n);
    this.im = new Float64Array(n);
    this.window = Float64Array.from({ length: n }, (_, j) => 0.5 - 0.5 * Math.cos((2 * Math.PI * j) / n));
    this.amplitude = new Float64Array(n / 2 + 1); // by bin
  }

  // Take the n samples from `first`. Their mean is taken off: else the window would spread it over the first bins.
  // A sine of amplitude A in the middle of a bin gives A there (the factor 2 / sum of the window); midway between two bins
  // it gives 0.85 A in both, which is the Hann window's scalloping.
  take(value, first) {
    const { n, re, im, window, amplitude } = this;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += value[first + j];
    const mean = sum / n;
    for (let j = 0; j < n; j++) re[j] = (value[first + j] - mean) * window[j];
    im.fill(0);
    this.fft.transform(re, im);
    const scale = 4 / n; // the window's sum is n / 2
    for (let k = 0; k <= n / 2; k++) amplitude[k] = Math.sqrt(re[k] * re[k] + im[k] * im[k]) * scale;
    amplitude[0] /= 2; // these two have no mirror image
    amplitude[n / 2] /= 2;
  }

  // Bin of the largest amplitude, the mean's aside.
  peak() {
    let best = 1;
    for (let k = 2; k <= this.n / 2; k++) if (this.amplitude[k] > this.amplitude[best]) best = k;
    return best;
  }
}

// How the times [first, first + n) run: `rate` in samples a second, `spread` as a share of the mean interval, the longest
// interval where it is a gap, else 0.
export function rhythmOf(time, first, n, out = {}) {
  const mean = (time[first + n - 1] - time[first]) / (n - 1);
  let [least, most] = [Infinity, 0];
  for (let i = first + 1; i < first + n; i++) {
    const interval = time[i] - time[i - 1];
    if (interval < least) least = interval;
    if (interval > most) most = interval;
  }
  const off = Math.max(most - mean, mean - least);
  out.rate = 1000 / mean;
  out.spread = off > CLOCK_MS ? off / mean : 0;
  out.isEven = out.spread <= UNEVEN;
  out.gapMs = !out.isEven && most > GAP * mean ? most : 0;
  return out;
}
