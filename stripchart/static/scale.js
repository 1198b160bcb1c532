// The value axis: fixed by attributes, or following the data without twitching.

const HEADROOM = 0.1; // of the data's span, on each side
const SHRINK_BELOW = 0.6; // shrink when the data uses less of the range than this
const SHRINK_AFTER_MS = 3000; // and has done so for that long

// The smallest of 1, 2, 5 times a power of ten that is not under `raw`.
export function niceStep(raw) {
  const power = 10 ** Math.floor(Math.log10(raw));
  const ratio = raw / power;
  if (ratio <= 1.0000001) return power;
  if (ratio <= 2.0000001) return 2 * power;
  return ratio <= 5.0000001 ? 5 * power : 10 * power;
}

// A range with headroom round the data, ending on whole steps; data that is nowhere negative gets no negative axis.
export function niceRange(min, max) {
  let span = max - min;
  if (!(span > Math.abs(max) * 1e-12)) span = Math.abs(max) * 0.2 || 1;
  const middle = (min + max) / 2;
  const half = Math.max(max - min, span) / 2 + span * HEADROOM;
  const step = niceStep((2 * half) / 8);
  let low = Math.floor((middle - half) / step) * step;
  let high = Math.ceil((middle + half) / step) * step;
  if (min >= 0 && max > 0 && low < 0) low = 0;
  if (max <= 0 && min < 0 && high > 0) high = 0;
  return [low, high];
}

export class Scale {
  constructor() {
    this.setAuto();
  }

  setFixed(min, max) {
    this.isFixed = true;
    this.min = min;
    this.max = max;
  }

  setAuto() {
    this.isFixed = false;
    this.isEmpty = true; // no data has been seen: the range means nothing yet
    this.min = 0;
    this.max = 1;
    this.roomySince = NaN;
  }

  // Take in the extremes of what is visible; true when the range changed.
  fit(min, max, nowMs) {
    if (this.isFixed || !(min <= max) || !Number.isFinite(max - min)) return false;
    if (this.isEmpty) return this.set(...niceRange(min, max));
    if (min < this.min || max > this.max) {
      const [low, high] = niceRange(min, max);
      return this.set(min < this.min ? low : this.min, max > this.max ? high : this.max);
    }
    if (max - min >= SHRINK_BELOW * (this.max - this.min)) {
      this.roomySince = NaN;
      return false;
    }
    if (Number.isNaN(this.roomySince)) this.roomySince = nowMs;
    if (nowMs - this.roomySince < SHRINK_AFTER_MS) return false;
    const [low, high] = niceRange(min, max);
    this.roomySince = NaN;
    return high - low < this.max - this.min && this.set(low, high);
  }

  set(min, max) {
    this.isEmpty = false;
    this.roomySince = NaN;
    this.min = min;
    this.max = max;
    return true;
  }

  // Pixel row of a value where `max` is at 0 and `min` is `height` below it.
  y(value, height) {
    return ((this.max - value) / (this.max - this.min)) * height;
  }

  // Step of the labels when about `count` of them fit.
  step(count) {
    return niceStep((this.max - this.min) / Math.max(2, count));
  }
}
