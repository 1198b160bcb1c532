import { Feed } from "/static/stripchart/feed.js";
import { FLAG_RESET } from "/static/stripchart/frame.js";
import { equal, test } from "./harness.js";

const clock = { known: true, observe() {}, restart() {} };
const told = { name: "a.s", id: 2, channel: "a", type: "double", unit: "V", number: true };

// A feed whose signal a.s has a sample of the time 1000, drawn by a watcher that notes what it is given.
function started() {
  const feed = new Feed({ state: "open", send() {} }, clock);
  const drawn = [];
  const columns = { push: (_, value) => drawn.push(value), clear: () => drawn.push("clear") };
  const signal = feed.watch("a.s", 10, { columns: () => columns, touch() {}, wake() {} });
  feed.handleChannels({ channels: [{ name: "a", id: 1, signals: [] }] });
  feed.handleSubscribed(told);
  feed.handleStatus({ channels: { a: { last: 1000, limit: 2000 } } });
  feed.add(signal, [1000], [5], FLAG_RESET);
  signal.text = "word";
  drawn.length = 0;
  return { feed, signal, drawn };
}

test("a server that knows nothing yet takes nothing away, and what is kept is not live", () => {
  const { feed, signal, drawn } = started();
  feed.handleChannels({ channels: [] });
  feed.handleChannels({ channels: [{ name: "a", id: 7, signals: [] }] });
  feed.handleSubscribed({ ...told, id: 8 });
  feed.handleStatus({ channels: { a: { last: null, limit: 2000 } } });
  feed.add(signal, [], [], FLAG_RESET);
  equal([signal.value, signal.text, signal.ring.last], [5, "word", 5]);
  equal([feed.age(signal, 9000), feed.isStale(signal, 9000)], [8000, true]);
  equal(drawn, [null], "a break");
});

test("a window replaces what was held, its nulls too", () => {
  const { feed, signal, drawn } = started();
  feed.add(signal, [2000], [NaN], FLAG_RESET);
  equal([signal.value, signal.ring.length, drawn.length], [null, 1, 2]);
});

test("a signal that means another thing begins anew", () => {
  const { feed, signal, drawn } = started();
  feed.handleSubscribed({ ...told, error: "no such signal: a.s" });
  equal([signal.value, signal.error], [5, "no such signal: a.s"]);
  feed.handleSubscribed(told);
  equal([signal.value, signal.error], [5, ""]);
  feed.handleSubscribed({ ...told, unit: "mV" });
  equal([signal.value, signal.text, signal.ring.length, drawn], [null, null, 0, ["clear"]]);
});

test("until the server has told how a channel does, its newest sample tells its age", () => {
  const { feed, signal } = started();
  feed.channels.delete("a");
  equal([feed.age(signal, 9000), feed.isStale(signal, 9000)], [8000, true]);
  signal.clear();
  equal([feed.age(signal, 9000), feed.isStale(signal, 9000)], [null, false]);
});
