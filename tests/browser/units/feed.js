import { Feed } from "/static/stripchart/feed.js";
import { FLAG_GAP, FLAG_RESET, KIND_AXIS, KIND_COLUMNS64, KIND_FLOAT64, KIND_TIMES } from "/static/stripchart/frame.js";
import { frame } from "./feeder.js";
import { equal, test } from "./harness.js";

const clock = { known: true, observe() {}, restart() {} };
const told = { feed: 0, name: "a.s", id: 2, channel: "a", type: "double", unit: "V", number: true, width: 10, raw: true };
const watcher = () => ({ touched: [], touch(time) { this.touched.push(time); }, reset() {}, wake() {} });
const WAY = { window: 10, columns: 100, stream: "live" };

function samples(feed, signal, times, values, flags = 0) {
  feed.add(signal, { kind: KIND_TIMES, data: times }, { kind: KIND_FLOAT64, flags, n: values.length, data: values });
}

// A feed whose signal a.s has a sample of the time 1000.
function started() {
  const sent = [];
  const feed = new Feed({ state: "open", send: (message) => sent.push(message) }, clock);
  const signal = feed.watch("a.s", WAY, watcher());
  feed.handleChannels({ channels: [{ name: "a", id: 1, signals: [] }] });
  feed.handleSubscribed(told);
  feed.handleStatus({ channels: { a: { last: 1000, limit: 2000 } } });
  samples(feed, signal, [1000], [5], FLAG_RESET);
  signal.text = "word";
  return { feed, signal, sent };
}

test("what is much is asked for in parts, as the server takes but so much at once", async () => {
  const { feed, sent } = started();
  await Promise.resolve();
  sent.length = 0;
  const signals = Array.from({ length: 65 }, (_, i) => feed.watch(`a.${i}`, WAY, watcher()));
  await Promise.resolve();
  equal(sent.map(({ type, signals }) => [type, signals.length]), [["subscribe", 30], ["subscribe", 30], ["subscribe", 5]]);
  equal(sent.flatMap(({ signals }) => signals), signals.map(({ name }) => name));
});

test("what is watched in the same way is asked for together, in another way apart", async () => {
  const { feed, sent } = started();
  feed.watch("a.t", WAY, watcher());
  feed.watch("a.t", { ...WAY, columns: 5 }, watcher());
  await Promise.resolve();
  equal(sent, [
    { type: "subscribe", feed: 0, ...WAY, signals: ["a.s", "a.t"] },
    { type: "subscribe", feed: 1, ...WAY, columns: 5, signals: ["a.t"] },
  ]);
});

test("what nobody watches any more is told in one message for each way of watching", async () => {
  const { feed, signal, sent } = started();
  const [first] = signal.watchers;
  const others = ["a.t", "a.u"].map((name) => feed.watch(name, WAY, first));
  const apart = feed.watch("a.t", { ...WAY, columns: 5 }, first);
  await Promise.resolve();
  sent.length = 0;
  for (const one of [signal, ...others, apart]) feed.unwatch(one, first);
  feed.watch("a.u", WAY, first);
  await Promise.resolve();
  equal(sent.filter(({ type }) => type === "unsubscribe"), [{ type: "unsubscribe", feed: 0, signals: ["a.s", "a.t"] }, { type: "unsubscribe", feed: 1, signals: ["a.t"] }]);
  equal([[...feed.signals.values()].map(({ name }) => name), feed.ids.size], [["a.u"], 0]);
});

test("a longer window is asked for anew, a shorter one is not", async () => {
  const { feed, signal, sent } = started();
  await Promise.resolve();
  sent.length = 0;
  equal(feed.watch("a.s", { ...WAY, window: 5 }, watcher()), signal);
  await Promise.resolve();
  equal(sent, []);
  feed.watch("a.s", { ...WAY, window: 60 }, watcher());
  await Promise.resolve();
  equal(sent.map(({ window }) => window), [60]);
});

test("a server that knows nothing yet takes nothing away, and what is kept is not live", () => {
  const { feed, signal } = started();
  feed.handleChannels({ channels: [] });
  feed.handleChannels({ channels: [{ name: "a", id: 7, signals: [] }] });
  feed.handleSubscribed({ ...told, id: 8 });
  feed.handleStatus({ channels: { a: { last: null, limit: 2000 } } });
  samples(feed, signal, [], [], FLAG_RESET);
  equal([signal.value, signal.text, signal.columns.value], [5, "word", 5]);
  equal([feed.age(signal, 9000), feed.isStale(signal, 9000)], [8000, true]);
  samples(feed, signal, [1020], [6]);
  equal(signal.columns.list(0, 2000).map((column) => column[7]), [1, 1], "a break");
});

test("a window replaces what was held", () => {
  const { feed, signal } = started();
  samples(feed, signal, [2000, 2010], [7, NaN], FLAG_RESET);
  equal(signal.columns.list(0, 5000).map((column) => column[5]), [7]);
});

test("what follows a known gap is not joined", () => {
  const { feed, signal } = started();
  samples(feed, signal, [1010], [6], FLAG_GAP);
  equal(signal.columns.list(0, 5000).map((column) => column[7]), [1, 1]);
});

test("columns go to those that are watched in their width", () => {
  const { feed, signal } = started();
  const wide = feed.watch("a.s", { ...WAY, columns: 5 }, watcher());
  feed.handleSubscribed({ ...told, feed: wide.feed, width: 200, raw: false });
  const axis = { kind: KIND_AXIS, width: 200, first: 5, data: [0, 1] };
  const block = { kind: KIND_COLUMNS64, flags: 0, n: 2, counts: [3, 1], marks: [0, 0], data: [1, 5, 0, 5, 9, 5, 2, 5] };
  feed.add(wide, axis, block);
  equal(wide.columns.list(0, 9000).map((column) => column.slice(0, 7)), [[1000, 1200, 1, 0, 9, 2, 3], [1200, 1400, 5, 5, 5, 5, 1]]);
  equal([wide.value, signal.value, [...wide.watchers][0].touched], [5, 5, [1000]]);
  equal(feed.ids.get(2), [signal, wide]);
});

test("columns that the server made wider go to those that are watched in the width they are made of", async () => {
  const { feed, signal } = started();
  const told = await (await fetch("/golden/good_wide.json")).json();
  const wide = feed.watch("w.s", { ...WAY, columns: 20 }, watcher());
  const twice = feed.watch("w.s", { ...WAY, columns: 10 }, watcher());
  for (const [one, width] of [[wide, 20], [twice, 40]]) {
    feed.handleSubscribed({ feed: one.feed, name: "w.s", id: 2, channel: "a", type: "double", number: true, width, raw: false });
  }
  feed.take(await (await fetch("/golden/good_wide.bin")).arrayBuffer());
  const [first, min, max, last] = told.blocks[1].data;
  const list = wide.columns.list(0, Infinity);
  equal([list[0][0], list[0][2], list.at(-1)[1], list.at(-1)[5]], [told.blocks[0].data[0], first[0], told.blocks[0].data.at(-1) + 60, last.at(-1)]);
  equal([Math.min(...list.map((one) => one[3])), Math.max(...list.map((one) => one[4]))], [Math.min(...min), Math.max(...max)]);
  equal(list.reduce((sum, one) => sum + one[6], 0), told.blocks[1].counts.reduce((a, b) => a + b));
  equal([twice.columns.newest, signal.columns.list(0, Infinity).length], [-1, 1], "others are not meant");
});

test("a signal that means another thing begins anew", () => {
  const { feed, signal } = started();
  feed.handleSubscribed({ feed: 0, name: "a.s", error: "no such signal: a.s" });
  equal([signal.value, signal.error], [5, "no such signal: a.s"]);
  feed.handleSubscribed(told);
  equal([signal.value, signal.error], [5, ""]);
  feed.handleSubscribed({ ...told, unit: "mV" });
  equal([signal.value, signal.text, signal.columns.newest], [null, null, -1]);
});

test("a value that has been null for longer than its channel may be silent is no value of now", () => {
  const { feed, signal } = started();
  samples(feed, signal, [2900], [NaN]);
  equal(signal.value, 5, "not for long yet");
  samples(feed, signal, [3001, 3100], [NaN, NaN]);
  equal([signal.value, signal.isSeen], [null, true]);
  samples(feed, signal, [], [], FLAG_RESET);
  equal(signal.value, null, "nor when the server knows nothing");
  samples(feed, signal, [90_000, 90_000], [NaN, 6]);
  equal(signal.value, 6, "a break after a silence is none");
  const wide = feed.watch("a.s", { ...WAY, columns: 5 }, watcher());
  feed.handleSubscribed({ ...told, feed: wide.feed, width: 200, raw: false });
  const columns = (first, value, counts) => {
    feed.add(wide, { kind: KIND_AXIS, width: 200, first, data: [0] }, { kind: KIND_COLUMNS64, flags: 0, n: 1, counts, marks: [0], data: Array(4).fill(value) });
    return wide.value;
  };
  equal([columns(5, 7, [3]), columns(15, NaN, [0]), columns(16, NaN, [0])], [7, 7, null], "in columns alike");
});

test("losses are kept by channel", () => {
  const { feed } = started();
  feed.handleLosses({ channel: "a", spans: [[1, 2, 3]] });
  feed.handleLosses({ channel: "a", spans: [[4, 5, null]] });
  feed.handleLosses({ channel: "gone", spans: [[4, 5, null]] });
  equal(feed.channels.get("a").losses, [[1, 2, 3], [4, 5, null]]);
});

test("losses are told anew at each connection, and are not doubled", () => {
  const { feed } = started();
  for (let connection = 0; connection < 3; connection++) {
    feed.open();
    feed.handleChannels({ channels: [{ name: "a", id: 1 + connection, signals: [] }] });
    equal(feed.channels.get("a").losses, [], "a server that does not know of it");
    feed.handleLosses({ channel: "a", spans: [[1, 2, 40]] });
    equal(feed.channels.get("a").losses, [[1, 2, 40]]);
  }
});

test("until the server has told how a channel does, its newest sample tells its age", () => {
  const { feed, signal } = started();
  feed.channels.delete("a");
  equal([feed.age(signal, 9000), feed.isStale(signal, 9000)], [8000, true]);
  signal.forget();
  equal([feed.age(signal, 9000), feed.isStale(signal, 9000)], [null, false]);
});

test("a signal at full rate is as old as the full stream, however the decimated one does", () => {
  const { feed, signal } = started();
  const full = feed.watch("a.s", { ...WAY, stream: "full" }, watcher());
  feed.handleSubscribed({ ...told, feed: full.feed, id: 5 });
  const status = (more) => feed.handleStatus({ channels: { a: { last: 9000, limit: 2000, ...more } } });
  const ages = () => [feed.age(signal, 9500), feed.age(full, 9500), feed.isStale(signal, 9500), feed.isStale(full, 9500)];
  status({});
  equal(ages(), [500, 500, false, false], "not told of: as the channel");
  status({ full: { id: 4, last: null, limit: 3000 } });
  equal(ages(), [500, null, false, false], "told to have sent nothing");
  status({ full: { id: 4, last: 1000, limit: 3000 } });
  equal(ages(), [500, 8500, false, true]);
  feed.take(frame(9400, [[KIND_TIMES, 0, 1, 1, new Float64Array([9390])], [KIND_FLOAT64, 0, 2, 1, new Float64Array([1])]]));
  equal(ages(), [100, 8500, false, true], "the decimated stream came");
  feed.take(frame(9400, [[KIND_TIMES, 0, 4, 1, new Float64Array([9390])], [KIND_FLOAT64, 0, 5, 1, new Float64Array([1])]]));
  equal(ages(), [100, 100, false, false], "the full stream came");
  status({ full: { id: 4, last: 9300, limit: 3000 } });
  equal(ages(), [100, 100, false, false], "an older word of it changes nothing");
  status({ full: { id: 14, last: 9300, limit: 300 } });
  feed.take(frame(9450, [[KIND_TIMES, 0, 4, 0, new Float64Array(0)]]));
  feed.take(frame(9480, [[KIND_TIMES, 0, 14, 0, new Float64Array(0)]]));
  equal(ages(), [100, 20, false, false], "its id is another one");
  feed.handleChannels({ channels: [{ name: "a", id: 21, signals: [] }] });
  equal(ages(), [100, 20, false, false], "what was known is known");
});

test("a signal that is watched in another way is drawn from what is known until its own has come", () => {
  const { feed, signal } = started();
  const other = feed.watch("a.s", { ...WAY, columns: 50 }, watcher());
  other.follow(signal);
  equal([other.unit, other.shown === signal.columns], ["V", true]);
  feed.handleSubscribed({ ...told, feed: other.feed, width: 20 });
  equal(other.shown === signal.columns, true);
  samples(feed, other, [1000], [5], FLAG_RESET);
  equal(other.shown === other.columns, true);
});

test("out of sight is told, and what was thinned meanwhile is asked for anew", async () => {
  const { feed, signal, sent } = started();
  const columns = feed.watch("a.t", { ...WAY, columns: 5 }, watcher());
  feed.handleSubscribed({ ...told, feed: columns.feed, name: "a.t", id: 3, width: 200, raw: false });
  await Promise.resolve();
  sent.length = 0;
  feed.look(true, 1000);
  feed.look(false, 60_000);
  await Promise.resolve();
  equal(sent.map(({ type, hidden, signals }) => [type, hidden ?? signals]), [["report", true], ["report", false], ["subscribe", ["a.s"]]]);
  equal(signal.columns.value, 5, "what is known stays until the window comes");
});

test("a page that is opened out of sight says so from the first", async () => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
  let made;
  try {
    made = started();
  } finally {
    delete document.visibilityState;
  }
  const { feed, sent } = made;
  await Promise.resolve();
  sent.length = 0;
  feed.report(1000);
  feed.look(false, performance.now() + 60_000);
  await Promise.resolve();
  equal(sent.map(({ type, hidden, signals }) => [type, hidden ?? signals]), [["report", true], ["report", false], ["subscribe", ["a.s"]]]);
});

test("the way from the server to the screen is measured by the oldest of what was drawn", () => {
  const { feed } = started();
  for (const [made, seen] of [[1000, 1040], [2000, 2100], [3000, 3020]]) {
    feed.delays.came(made);
    feed.delays.came(made + 10);
    feed.delays.frame(made + 12);
    feed.delays.frame(seen);
    feed.delays.frame(seen + 999);
  }
  equal(feed.delays.of(0, 0.5, 1), [20, 40, 100]);
});
