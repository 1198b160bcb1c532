import { chartState, dataNotes } from "/static/stripchart/state.js";
import { equal, test } from "./harness.js";

const signal = (more) => ({ error: "", text: null, isNumber: true, isSeen: true, isFilled: true, value: 1, age: 0, ...more });
const feed = { age: (s) => s.age, isStale: (s) => s.age > 2000 };
const OPEN = { state: "open" };

function state(signals, socket = OPEN, localMs = 0) {
  return chartState(socket, signals, feed, 0, localMs);
}

test("without a connection nothing is live", () => {
  equal(state([signal()], { state: "connecting" })[0], "connecting");
  const lost = { state: "reconnecting", retryAt: 4200, attempt: 3, reason: "" };
  equal(state([signal({ age: 7000 }), signal({ age: NaN })], lost, 1000), [
    "reconnecting",
    "No connection to the live server\nreconnecting in 4 s, try 3",
    "no connection 7 s",
  ]);
  equal(state([signal({ age: NaN })], lost)[2], "no connection");
  equal(state([signal()], { ...lost, reason: "gone" }, 9000)[1], "No connection to the live server (gone)\nreconnecting now, try 3");
  equal(state([signal()], { state: "closed", reason: "frame of version 2" }), ["closed", "frame of version 2", "frame of version 2"]);
});

test("signals that there are not are named", () => {
  const missing = (name) => signal({ error: `no such signal: ${name}`, isSeen: false, isFilled: false });
  equal(state([missing("a.b"), missing("a.c")]), [
    "unknown",
    "No such signal: a.b\nNo such signal: a.c",
    "no such signal: a.b, no such signal: a.c",
  ]);
  equal(state([missing("a.b"), signal()])[0], "live");
});

test("what has not come is waited for, what stopped is stale", () => {
  equal(state([signal({ isSeen: false, age: NaN })]), ["waiting", "Waiting for data", ""]);
  equal(state([signal({ age: 12900 }), signal({ age: 15000 })]), ["stale", "stale: no data for 12 s", "stale 12 s"]);
  equal(state([signal({ age: 12900 }), signal()]), ["live", "", ""]);
  equal(state([signal({ isSeen: false, value: NaN })])[0], "empty");
});

test("where all has been null for so long that no value is in sight, that is said", () => {
  const isInSight = ({ name }) => name === "seen";
  const said = (...signals) => chartState(OPEN, signals, feed, 0, 0, isInSight)[0];
  const none = signal({ value: NaN });
  equal([said(none, none), said(none, { ...none, name: "seen" }), said(none, signal())], ["empty", "live", "live"]);
  equal(said({ ...none, isNumber: false }), "live", "a text has no trace");
});

test("what may lack peaks, and a source whose clock is wrong, are told", () => {
  const channels = new Map([["a", { skew: -3_600_000, loses_peaks: "average" }]]);
  const of = (stream) => dataNotes([signal({ channel: "a", way: { stream } })], { channels, slow: { until: 0 } }, 100);
  equal(of("full"), ["a: its clock is 60 min behind"]);
  equal(of("live"), ["a: decimated by average, peaks may be missing", "a: its clock is 60 min behind"]);
});

test("signals that are no numbers are told where nothing else is to be drawn", () => {
  const words = signal({ name: "a.b", isNumber: false, type: "string" });
  equal(state([words]), ["live", "", "No numbers to draw: a.b is of type string"]);
  equal(state([words, signal()])[2], "");
  equal(state([signal({ name: "a.c", isNumber: false, type: "array", way: { arrays: true } })])[2], "", "a waterfall's");
});

test("a slow connection is told, with how late it is", () => {
  const slow = (lateMs, until) => ({ ...feed, channels: new Map(), slow: { lateMs, until } });
  equal(dataNotes([signal()], slow(0, 0), 100), []);
  equal(dataNotes([signal()], slow(400, 200), 100), ["slow connection: fewer samples, no peak lost"]);
  equal(dataNotes([signal()], slow(2400, 200), 100), ["slow connection, 2 s late: fewer samples, no peak lost"]);
});
