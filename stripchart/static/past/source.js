// Where charts on a page get the past from: the history service, found once, and what it has of a channel.

import { reachable, base, services } from "../address.js";
import { askSignals } from "./query.js";

export const AGAIN_MS = 4000; // between two questions for what was not there

export class PastSource {
  constructor() {
    this.address = null; // a promise
    this.known = new Map(); // by channel: {asked (a promise of its signals), askedAt, told}
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

  // The signals of a channel: [{path, first, last, count, ...}]. What was not known, or had no records, may have come since: if one of
  // `paths` is such, it is asked again, now and then.
  signals(address, channel, paths = []) {
    const known = this.known.get(channel);
    const isNew = (path) => (known.told?.find((one) => one.path === path)?.first ?? null) === null;
    if (known && !(known.told && paths.some(isNew) && performance.now() - known.askedAt >= AGAIN_MS)) return known.asked;
    const asked = askSignals(address, channel);
    const asking = { asked, askedAt: performance.now(), told: null };
    this.known.set(channel, asking);
    asked.then(
      (told) => (asking.told = told),
      () => this.known.get(channel) === asking && this.known.delete(channel),
    );
    return asked;
  }
}
