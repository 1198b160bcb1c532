// The fast Fourier transform of J. W. Cooley and J. W. Tukey, "An algorithm for the machine calculation of complex Fourier
// series", Math. Comp. 19 (1965): radix 2, in place. Pure: no drawing, no signals.

export class Fft {
  // `n` must be a power of two.
  constructor(n) {
    this.n = n;
    this.cos = new Float64Array(n / 2);
    this.sin = new Float64Array(n / 2);
    for (let i = 0; i < n / 2; i++) {
      this.cos[i] = Math.cos((2 * Math.PI * i) / n);
      this.sin[i] = Math.sin((2 * Math.PI * i) / n);
    }
    this.reversed = new Uint32Array(n); // index with its bits in reverse order
    for (let i = 1; i < n; i++) this.reversed[i] = (this.reversed[i >> 1] >> 1) | (i & 1 ? n >> 1 : 0);
  }

  // X[k] = sum over j of x[j] exp(-2 pi i j k / n); `re` and `im` hold x before and X after.
  transform(re, im) {
    const { n, cos, sin } = this;
    this.reorder(re, im);
    for (let half = 1; half < n; half *= 2) {
      const stride = n / (2 * half);
      for (let begin = 0; begin < n; begin += 2 * half) {
        for (let i = begin, angle = 0; i < begin + half; i++, angle += stride) {
          const j = i + half;
          const oddRe = re[j] * cos[angle] + im[j] * sin[angle];
          const oddIm = im[j] * cos[angle] - re[j] * sin[angle];
          re[j] = re[i] - oddRe;
          im[j] = im[i] - oddIm;
          re[i] += oddRe;
          im[i] += oddIm;
        }
      }
    }
  }

  reorder(re, im) {
    const { n, reversed } = this;
    for (let i = 0; i < n; i++) {
      const j = reversed[i];
      if (j <= i) continue;
      let kept = re[i];
      re[i] = re[j];
      re[j] = kept;
      kept = im[i];
      im[i] = im[j];
      im[j] = kept;
    }
  }
}
