// Rates and losses from counters that are polled. Each set of counters brings its own clock: when it was read.

const SPAN_MS = 3000;

export class Rate {
  constructor() {
    this.seen = []; // [time, count], oldest first
    this.last = null; // as it was told last
  }

  // Take in a count; give the rate per second over the last three seconds, or null when it cannot be told.
  add(timeMs, count) {
    const newest = this.seen.at(-1);
    if (newest && timeMs === newest[0]) return this.last; // read once, told twice
    if (newest && (count < newest[1] || timeMs < newest[0])) this.seen = []; // counting began anew, or the clock was put back
    this.seen.push([timeMs, count]);
    while (this.seen.length > 2 && timeMs - this.seen[1][0] >= SPAN_MS) this.seen.shift();
    const [from, first] = this.seen[0];
    this.last = timeMs > from ? ((count - first) * 1000) / (timeMs - from) : null;
    return this.last;
  }
}

// What comes to a channel, by UDP and by HTTP, which are counted apart.
export class Throughput {
  constructor() {
    this.rates = new Map(); // by where counters come from, and what they count
  }

  // {records, bytes} a second; null where nothing is known yet.
  update({ stats, ingested }) {
    const found = { records: null, bytes: null };
    for (const [from, counters] of [["udp", stats], ["http", ingested]]) {
      if (!counters?.heartbeat) continue; // nobody counts
      for (const unit of ["records", "bytes"]) {
        const rate = this.rate(`${from} ${unit}`).add(counters.heartbeat / 1e6, counters[unit] ?? 0);
        if (rate !== null) found[unit] = (found[unit] ?? 0) + rate;
      }
    }
    return found;
  }

  rate(key) {
    if (!this.rates.has(key)) this.rates.set(key, new Rate());
    return this.rates.get(key);
  }
}

// When records of a channel came last, as the registry's counters tell, which are read about once a second.
export class Arrivals {
  constructor() {
    this.counts = new Map(); // of records, by where counters come from
    this.last = NaN; // by the clock that counters are read by, ms
    this.readAt = NaN;
  }

  update({ stats, ingested }) {
    if (Number.isNaN(this.last) && stats?.durable_until) this.last = Date.parse(stats.durable_until);
    for (const [from, counters] of [["udp", stats], ["http", ingested]]) {
      if (!counters?.heartbeat) continue; // nobody counts
      const [at, count] = [counters.heartbeat / 1e6, counters.records ?? 0];
      if (count > (this.counts.get(from) ?? Infinity)) this.last = Math.max(this.last || 0, at);
      this.counts.set(from, count);
      this.readAt = Math.max(this.readAt || 0, at);
    }
  }

  // How long ago that was when the counters were read, ms; NaN where it is not known.
  get age() {
    return Math.max(0, this.readAt - this.last);
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
    if (count && reason !== "ring_full") reasons.push([reason.replaceAll("_", " "), count]);
  }
  return reasons;
}
