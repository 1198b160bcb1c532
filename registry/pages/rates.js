// Rates from counters that are polled.

const SPAN_MS = 3000;

export class Rate {
  constructor() {
    this.seen = []; // [time, count], oldest first
  }

  // Take in a count; give the rate per second over the last three seconds, or null when it cannot be told.
  add(timeMs, count) {
    const newest = this.seen.at(-1);
    if (newest && count < newest[1]) this.seen = []; // counting began anew
    this.seen.push([timeMs, count]);
    while (this.seen.length > 2 && timeMs - this.seen[1][0] >= SPAN_MS) this.seen.shift();
    const [from, first] = this.seen[0];
    return timeMs > from ? ((count - first) * 1000) / (timeMs - from) : null;
  }
}

export function rateText(perSecond, unit = "") {
  if (perSecond === null) return "–";
  const [size, letter] = perSecond >= 1e6 ? [perSecond / 1e6, "M"] : perSecond >= 1e4 ? [perSecond / 1e3, "k"] : [perSecond, ""];
  const digits = size >= 100 || size === 0 || (!letter && size >= 10 && Math.abs(size - Math.round(size)) < 0.05) ? 0 : 1;
  return `${size.toFixed(digits)}\u202f${letter}${unit}/s`;
}

// Everything that came and is not in the archive, with the reasons.
export function losses(stats) {
  const reasons = [];
  if (stats.kernel_drops) reasons.push(["kernel drops", stats.kernel_drops]);
  if (stats.ring_full) reasons.push(["ring full", stats.ring_full]);
  for (const [reason, count] of Object.entries({ ...stats.rejected, ...stats.not_archived })) {
    if (count && reason !== "ring_full") reasons.push([reason, count]);
  }
  return reasons;
}
