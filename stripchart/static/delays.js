// How long the way from the server to the screen takes.

const DELAYS_KEPT = 400;

// From the making of frames at the server until what is in them could be seen: the last of them, sorted when asked.
export class Delays {
  constructor() {
    this.values = new Float32Array(DELAYS_KEPT);
    this.count = 0;
    this.waiting = NaN; // when the oldest frame was made that has not been drawn yet
  }

  came(serverMs) {
    if (Number.isNaN(this.waiting)) this.waiting = serverMs;
  }

  // All that came was drawn; `nowMs` is by the server's clock.
  drawn(nowMs) {
    if (Number.isNaN(this.waiting)) return;
    this.values[this.count++ % DELAYS_KEPT] = nowMs - this.waiting;
    this.waiting = NaN;
  }

  // Quantiles in ms.
  of(...shares) {
    const sorted = this.values.slice(0, Math.min(this.count, DELAYS_KEPT)).sort();
    return shares.map((share) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN);
  }
}
