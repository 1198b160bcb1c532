// How long the way from the server to the screen takes.

const DELAYS_KEPT = 400;

// From the making of frames at the server until what is in them could be seen: the last of them, sorted when asked.
export class Delays {
  constructor() {
    this.values = new Float32Array(DELAYS_KEPT);
    this.count = 0;
    this.waiting = NaN; // when the oldest frame of the server was made that is not drawn yet
    this.drawing = NaN; // and the oldest that is drawn and not seen yet
  }

  came(serverMs) {
    if (Number.isNaN(this.waiting)) this.waiting = serverMs;
  }

  // A frame begins: what the one before has drawn is seen, and what has come since is drawn. `nowMs` is by the server's clock.
  frame(nowMs) {
    if (!Number.isNaN(this.drawing)) this.values[this.count++ % DELAYS_KEPT] = Math.max(0, nowMs - this.drawing);
    this.drawing = this.waiting;
    this.waiting = NaN;
  }

  // Quantiles in ms.
  of(...shares) {
    const sorted = this.values.slice(0, Math.min(this.count, DELAYS_KEPT)).sort();
    return shares.map((share) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN);
  }
}
