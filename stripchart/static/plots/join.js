// Points (x, y) of two signals, joined by time. Pure.

const LOOKED_AT = 65; // newest intervals that the usual one is told by
const HOLD = 2; // usual intervals that a value of x stands for those after it

const intervals = new Float64Array(LOOKED_AT);

// The median of the newest intervals before `stop`, in ms; NaN when there are none.
export function usualInterval({ time, start }, stop) {
  let n = 0;
  for (let i = stop - 1; i > start && n < LOOKED_AT; i--) {
    if (time[i] > time[i - 1]) intervals[n++] = time[i] - time[i - 1]; // breaks have the time of what follows
  }
  if (!n) return NaN;
  const found = intervals.subarray(0, n).sort();
  return found[n >> 1];
}

export class Points {
  constructor() {
    this.x = new Float64Array(1024);
    this.y = new Float64Array(1024);
    this.n = 0;
  }

  push(x, y) {
    if (this.n === this.x.length) {
      for (const name of ["x", "y"]) {
        const larger = new Float64Array(2 * this.n);
        larger.set(this[name]);
        this[name] = larger;
      }
    }
    this.x[this.n] = x;
    this.y[this.n++] = y;
  }

  // Join samples of times [from, to] of two stores: signals of one channel (`isSame`) by their records, others by the nearest
  // value of x that is not later. NaN parts what is not to be joined by a line.
  join(x, y, from, to, isSame) {
    this.n = 0;
    const stop = y.after(to);
    if (isSame) this.pair(x, y, x.since(from), y.since(from), stop);
    else this.hold(x, y, y.since(from), stop);
  }

  pair(x, y, i, j, stop) {
    while (i < x.stop && j < stop) {
      if (x.time[i] < y.time[j]) i++;
      else if (x.time[i] > y.time[j]) j++;
      else this.push(x.value[i++], y.value[j++]);
    }
  }

  hold(x, y, first, stop) {
    const longest = HOLD * usualInterval(x, x.stop);
    let i = first < stop ? x.since(y.time[first]) : x.start;
    for (let j = first; j < stop; j++) {
      const time = y.time[j];
      while (i < x.stop && x.time[i] <= time) i++;
      const isKnown = i > x.start && time - x.time[i - 1] <= longest;
      this.push(isKnown ? x.value[i - 1] : NaN, y.value[j]);
    }
  }
}
