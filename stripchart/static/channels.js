// What the live server tells of channels: since when each is silent, what it lost, how far its clock is off; by name.

const LOSSES_KEPT = 500;
const LIMIT_MS = 3000; // until the server tells when a channel is stale

export class Channels extends Map {
  constructor() {
    super(); // by name: {name, id, signals, last, limit, skew, losses, full: {id, last, limit} where its full rate is watched, ...}
    this.ids = new Map(); // what has {last, limit}, channels and their full streams, by the server's number
    this.pasts = new Map(); // channels by name as they were last known: one that comes again is as old as it was
  }

  // All channels that there are now.
  tell(channels) {
    for (const [name, channel] of this) this.pasts.set(name, channel);
    this.clear();
    this.ids.clear();
    for (const told of channels) {
      const channel = { last: null, limit: LIMIT_MS, skew: 0, losses: [], ...this.pasts.get(told.name), ...told };
      this.set(told.name, channel);
      this.ids.set(told.id, channel);
    }
  }

  // How they do.
  tellStatus(channels) {
    for (const [name, told] of Object.entries(channels)) {
      const channel = this.get(name);
      if (!channel) continue;
      const full = told.full ? { ...told.full, last: newest(told.full, channel.full) } : null;
      if (channel.full) this.ids.delete(channel.full.id);
      if (full) this.ids.set(full.id, full);
      Object.assign(channel, told, { last: newest(told, channel), full });
    }
  }

  // Spans that were lost of one; whether there is one of that name.
  lose(name, spans) {
    const channel = this.get(name);
    if (channel) channel.losses = [...channel.losses, ...spans].slice(-LOSSES_KEPT);
    return Boolean(channel);
  }

  // They are told anew at each connection.
  forgetLosses() {
    for (const channel of [...this.values(), ...this.pasts.values()]) channel.losses = [];
  }

  arrived(id, serverMs) {
    const channel = this.ids.get(id);
    if (channel) channel.last = serverMs;
  }

  // The stream that a signal comes with, as {last, limit}.
  streamOf({ channel, way }) {
    const known = this.get(channel);
    return (way.stream === "full" && known?.full) || known;
  }

  // Milliseconds since the stream of a signal was last heard of, by the server's clock; NaN when it never was.
  age(signal, nowMs) {
    // The server tells once a second; until it has, there is the newest sample.
    const newest = signal.columns?.newestTime ?? -Infinity;
    const last = this.streamOf(signal)?.last ?? (newest > 0 ? newest : 0);
    return last ? Math.max(0, nowMs - last) : NaN;
  }

  limit(signal) {
    return this.streamOf(signal)?.limit ?? LIMIT_MS;
  }
}

// When something came last, by one of two that know it; null: never.
const newest = (told, known) => Math.max(told.last ?? 0, known?.last ?? 0) || null;
