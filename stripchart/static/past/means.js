// Means of what a chart shows: of all records, which the history service has; a live chart has but some of them.

import { skewOf } from "../shown.js";
import { askMeans } from "./query.js";

const nanos = (ms) => BigInt(Math.round(ms * 1e6));

// The mean of each number over [start, end) ms, by the signal's name; NaN where it cannot be had.
export async function meansOf(chart, source, start, end) {
  const numbers = chart.signals.filter((signal) => signal.isNumber && !signal.symbols);
  const means = new Map(numbers.map(({ name }) => [name, NaN]));
  for (const [channel, own] of Map.groupBy(numbers, (signal) => signal.channel)) {
    if (!channel) continue; // it is not known yet
    const [from, to] = [start, end].map((time) => nanos(time) + skewOf(chart, channel));
    try {
      const found = await askMeans(await source.pivot(), channel, own.map((signal) => signal.path), from, to);
      own.forEach(({ name }, index) => means.set(name, found[index]));
    } catch {
      // The history service is away, or has none of them.
    }
  }
  return means;
}
