// What a chart may say of itself: pure decisions from what is known.

import { spanText } from "./format.js";

// The state of a chart, the words that stand in its place where it has no trace to show, and the few that stand in its
// corner where it has one. Both are "" when the traces speak for themselves. `isInSight` tells whether a value of a signal is.
//   error        an attribute cannot be used
//   closed       this page cannot read what the server sends
//   connecting, reconnecting   there is no connection: nothing drawn is live
//   unknown      no declared signal exists
//   waiting      nothing has come yet
//   empty        records come, but without values
//   stale        no declared signal comes any more
//   live
export function chartState(socket, signals, feed, nowMs, localMs, isInSight = (signal) => signal.isSeen) {
  const age = newestAge(signals, feed, nowMs);
  if (socket.state === "closed") return ["closed", socket.reason, socket.reason];
  if (socket.state === "connecting") return ["connecting", "Connecting…", "connecting"];
  if (socket.state === "reconnecting") return ["reconnecting", reconnecting(socket, localMs), aged("no connection", age)];
  const known = signals.filter((signal) => !signal.error);
  if (!known.length) return ["unknown", ...missing(signals)];
  const isSeen = (signal) => signal.isSeen || (signal.isFilled && !Number.isNaN(feed.age(signal, nowMs)));
  const seen = known.filter(isSeen);
  if (!seen.length) return ["waiting", "Waiting for data", ""];
  const isEmpty = (signal) => signal.isNumber && Number.isNaN(signal.value) && !isInSight(signal);
  if (seen.every(isEmpty)) return ["empty", "No values: all are null", "no values"];
  if (seen.every((signal) => feed.isStale(signal, nowMs))) {
    return ["stale", `stale: no data for ${spanText(age / 1000)}`, aged("stale", age)];
  }
  const isDrawn = (signal) => signal.isNumber || signal.way?.arrays;
  const other = known.find((signal) => !isDrawn(signal));
  const isBare = other && !known.some(isDrawn);
  return ["live", "", isBare ? `No numbers to draw: ${other.name} is of type ${other.type}` : ""];
}

// What else there is to know of the data shown.
export function dataNotes(signals, feed, localMs) {
  const notes = [];
  for (const name of new Set(signals.map((signal) => signal.channel))) {
    const { skew = 0, loses_peaks: algorithm } = feed.channels.get(name) ?? {};
    const isDecimated = signals.some((signal) => signal.channel === name && signal.way?.stream !== "full");
    if (algorithm && isDecimated) notes.push(`${name}: decimated by ${algorithm}, peaks may be missing`);
    if (skew) notes.push(`${name}: its clock is ${spanText(Math.abs(skew) / 1000)} ${skew > 0 ? "ahead" : "behind"}`);
  }
  if (localMs < feed.slow.until) notes.push(slowText(feed.slow.lateMs));
  return notes;
}

function slowText(lateMs) {
  const late = lateMs >= 1000 ? `, ${spanText(lateMs / 1000)} late` : "";
  return `slow connection${late}: fewer samples, no peak lost`;
}

// Age of the newest data that a chart has; NaN when it never had any.
function newestAge(signals, feed, nowMs) {
  const ages = signals.map((signal) => feed.age(signal, nowMs)).filter((age) => !Number.isNaN(age));
  return ages.length ? Math.min(...ages) : NaN;
}

const aged = (word, ageMs) => (Number.isNaN(ageMs) ? word : `${word} ${spanText(ageMs / 1000)}`);

function missing(signals) {
  return [signals.map((signal) => capital(signal.error)).join("\n"), signals.map((signal) => signal.error).join(", ")];
}

function reconnecting(socket, localMs) {
  const left = Math.max(0, Math.ceil((socket.retryAt - localMs) / 1000));
  const why = socket.reason ? ` (${socket.reason})` : "";
  return `No connection to the live server${why}\nreconnecting ${left ? `in ${left} s` : "now"}, try ${socket.attempt}`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
