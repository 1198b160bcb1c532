// Where charts on a page get the past from: the history service, found once, and what it has of a channel.

import { reachable, base, services } from "../address.js";
import { askSignals } from "./query.js";

export class PastSource {
  constructor() {
    this.address = null; // a promise
    this.known = new Map(); // by channel: promises of its signals
  }

  pivot() {
    this.address ??= this.find().catch((error) => {
      this.address = null; // it may run by the next time
      throw error;
    });
    return this.address;
  }

  async find() {
    const { pivot } = await services();
    if (!pivot) throw new Error("The history service does not run.");
    return reachable(pivot, base.startsWith("https") ? "https" : "http");
  }

  // The signals of a channel: [{path, first, last, count, ...}].
  signals(address, channel) {
    if (!this.known.has(channel)) {
      const asked = askSignals(address, channel);
      asked.catch(() => this.known.delete(channel));
      this.known.set(channel, asked);
    }
    return this.known.get(channel);
  }
}
