// Which signals are shown, and what they span.

import { HOUR, SECOND, max, min } from "/static/stripchart/past/time.js";

const FIRST_SHOWN = 4; // signals, where none were chosen
const QUIET = 60n * SECOND; // a channel that was silent for so long may still go on
const MISSED = 4; // usual intervals, too

// Those of the first channel, by name, of all that go on, or ended together with the last: the same ones each time.
export function firstShown(signals) {
  const recorded = signals.filter((signal) => signal.first !== null);
  if (!recorded.length) return [];
  const [, newest] = spanOf(recorded);
  const names = recorded.filter((signal) => newest - signal.last <= patience(signal)).map((signal) => signal.channel);
  const first = names.reduce((least, name) => (name < least ? name : least));
  return recorded.filter((signal) => signal.channel === first).slice(0, FIRST_SHOWN);
}

// How much older the newest record of a signal may be than that of others.
function patience({ first, last, count }) {
  const usual = count > 1 ? (last - first) / BigInt(count - 1) : 0n;
  return min(max(QUIET, BigInt(MISSED) * usual), HOUR);
}

// [first, last] of all records of signals; null when there are none.
export function spanOf(signals) {
  const recorded = signals.filter((signal) => signal.first !== null);
  if (!recorded.length) return null;
  return [recorded.map((signal) => signal.first).reduce(min), recorded.map((signal) => signal.last).reduce(max)];
}

// Signals by name, and the names of which there is none: {known, missing}.
export function lookUp(signals, names) {
  const byName = new Map(signals.map((signal) => [signal.name, signal]));
  return {
    known: names.map((name) => byName.get(name)).filter(Boolean),
    missing: [...new Set(names.filter((name) => !byName.has(name)))],
  };
}

// What is said of names that stand for nothing; "" when there are none.
export function missingText(names) {
  if (!names.length) return "";
  return `No ${names.length > 1 ? "signals that can be drawn are" : "signal that can be drawn is"} called ${names.join(", ")}.`;
}
