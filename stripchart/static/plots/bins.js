// Counts of values in bins of equal width, with their mean and standard deviation. Pure.

export class Bins {
  constructor(n) {
    this.counts = new Uint32Array(n);
    this.clear(0, 1);
  }

  // Bins of equal width from `low` to `high`, empty.
  clear(low, high) {
    this.low = low;
    this.high = high;
    this.counts.fill(0);
    this.n = 0; // values counted, those outside as well
    this.below = 0; // of them outside the bins
    this.above = 0;
    this.mean = NaN;
    this.std = NaN; // of the sample: n - 1
  }

  // Count the values [first, stop); NaN is none. `high` itself belongs to the last bin.
  count(value, first, stop) {
    const { counts, low, high } = this;
    const perValue = counts.length / (high - low);
    let [n, sum] = [0, 0];
    for (let i = first; i < stop; i++) {
      const one = value[i];
      if (one !== one) continue; // NaN
      n++;
      sum += one;
      if (one < low) this.below++;
      else if (one > high) this.above++;
      else counts[Math.min(counts.length - 1, Math.floor((one - low) * perValue))]++;
    }
    this.n = n;
    this.mean = n ? sum / n : NaN;
    this.std = n > 1 ? Math.sqrt(this.squares(value, first, stop) / (n - 1)) : NaN;
  }

  // Sum of the squared distances from the mean: in a second pass, as the difference of two large sums would be all rounding.
  squares(value, first, stop) {
    const { mean } = this;
    let sum = 0;
    for (let i = first; i < stop; i++) {
      const off = value[i] - mean;
      if (off === off) sum += off * off;
    }
    return sum;
  }

  get largest() {
    let most = 0;
    for (const count of this.counts) if (count > most) most = count;
    return most;
  }
}
