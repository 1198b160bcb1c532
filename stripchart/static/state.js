// What a chart may say of itself: pure decisions from what is known.

import { spanText } from "./format.js";

// The state of a chart and the words that stand in its place, or "" when the traces speak for themselves.
//   error        an attribute cannot be used
//   closed       this page cannot read what the server sends
//   connecting, reconnecting   there is no connection: nothing drawn is live
//   unknown      no declared signal exists
//   waiting      nothing has come yet
//   empty        records come, but without values
//   stale        no declared signal comes any more
//   live
export function chartState(socket, signals, feed, nowMs, localMs) {
  if (socket.state === "closed") return ["closed", socket.reason];
  if (socket.state === "connecting") return ["connecting", "Connecting…"];
  if (socket.state === "reconnecting") return ["reconnecting", reconnecting(socket, localMs)];
  const known = signals.filter((signal) => !signal.error);
  if (!known.length) return ["unknown", signals.map((signal) => capital(signal.error)).join("\n")];
  const seen = known.filter((signal) => signal.ring.length || signal.text !== null);
  if (!seen.length) return ["waiting", "Waiting for data"];
  if (seen.every((signal) => signal.isNumber && Number.isNaN(signal.ring.last))) return ["empty", "No values: all are null"];
  if (seen.every((signal) => feed.isStale(signal, nowMs))) return ["stale", stale(seen, feed, nowMs)];
  return ["live", ""];
}

function stale(signals, feed, nowMs) {
  const age = Math.min(...signals.map((signal) => feed.age(signal, nowMs)));
  return `stale: no data for ${spanText(age / 1000)}`;
}

function reconnecting(socket, localMs) {
  const left = Math.max(0, Math.ceil((socket.retryAt - localMs) / 1000));
  const why = socket.reason ? ` (${socket.reason})` : "";
  return `No connection to the live server${why}\nreconnecting ${left ? `in ${left} s` : "now"}, try ${socket.attempt}`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
