import { explain } from "/static/stripchart/past/http.js";
import { arrange } from "/static/pages/dom.js";
import { groups, stem } from "/static/pages/grouping.js";
import { Arrivals, Rate, losses, rateText } from "/static/pages/rates.js";
import { channelOf } from "/static/pages/register.js";
import { channelState } from "/static/pages/facts.js";
import { equal, near, test, throws } from "./harness.js";

const signal = (path, unit = null, type = "double", more = {}) => {
  return { name: `host.${path}`, channel: "host", unit, type, number: true, role: null, ...more };
};
const paths = (signals) => groups(signals).map((group) => group.map(({ name }) => name.slice(5)));

test("stems of names", () => {
  equal(["cpu_3", "cpu.3", "cpu_core[12]", "network_in", "ramp", "_odd"].map(stem), ["cpu", "cpu", "cpu", "network", "ramp", "_odd"]);
});

test("signals of one unit share a chart, counters and flags stand apart", () => {
  const given = [
    signal("time", null, "long", { role: "time" }),
    signal("n", null, "long", { role: "sequence" }),
    signal("word", null, "string", { number: false }),
    signal("sine"),
    signal("count", null, "int"),
    signal("volts", "V"),
    signal("ramp"),
    signal("is_on", null, "boolean"),
    signal("more", "V", "int"),
  ];
  equal(paths(given), [["sine", "ramp"], ["count"], ["volts", "more"], ["is_on"]]);
});

test("many of one unit part by stem, six to a chart", () => {
  const cores = Array.from({ length: 8 }, (_, i) => signal(`cpu_${i}`, "%"));
  const made = paths([...cores, signal("memory", "%"), signal("disk", "%")]);
  equal(made.map((group) => group.length), [4, 4, 2]);
  equal(made[2], ["memory", "disk"]);
});

test("rates", () => {
  const rate = new Rate();
  equal(rate.add(0, 100), null);
  near(rate.add(1000, 200), 100);
  for (let s = 2; s < 10; s++) rate.add(s * 1000, 200 + (s - 1) * 50);
  near(rate.add(10000, 650), 50);
  equal(rate.add(11000, 3), null);
  equal([null, 0, 1, 20, 99.6, 1234.4, 51234, 2.5e6].map((n) => rateText(n, "B")), [
    "–", "0\u202fB/s", "1.0\u202fB/s", "20\u202fB/s", "99.6\u202fB/s", "1234\u202fB/s", "51.2\u202fkB/s", "2.5\u202fMB/s",
  ]);
});

test("when records came last is told by their count", () => {
  const arrivals = new Arrivals();
  const read = (at, records, more = {}, ingested = null) => {
    arrivals.update({ stats: { heartbeat: at * 1e9, records, ...more }, ingested });
    return arrivals.age;
  };
  equal(read(100, 50), null, "not known: they were counted once");
  equal([read(101, 60), read(102, 60), read(105, 60), read(106, 61)], [0, 1000, 4000, 0]);
  equal([read(107, 3), read(108, 4)], [1000, 0], "counting began anew");
  equal(read(110, 4, {}, { heartbeat: 110e9, records: 9 }), 2000);
  equal(read(111, 4, {}, { heartbeat: 110.5e9, records: 10 }), 500, "by HTTP");
  arrivals.update({ stats: null });
  equal(arrivals.age, 500);
  const safe = new Arrivals();
  safe.update({ stats: { heartbeat: 100e9, records: 7, durable_until: "1970-01-01T00:01:30Z" } });
  equal(safe.age, 10_000, "until then there is what is safe on the disk");
});

test("losses name every reason", () => {
  const stats = { kernel_drops: 2, ring_full: 0, rejected: { short: 3, empty: 0 }, not_archived: { disk: 1 } };
  equal(losses(stats), [["kernel drops", 2], ["short", 3], ["disk", 1]]);
  equal(losses({}), []);
});

test("states of a channel", () => {
  equal(channelState({ state: "active" }, 10, 2000), ["live", "good"]);
  equal(channelState({ state: "active" }, NaN, 0), ["no data yet", "quiet"]);
  equal(channelState({ state: "active" }, null, 0), ["not known", "bad"]);
  equal(channelState({ state: "active" }, 12000, 2000), ["no data for 12\u202fs", "bad"]);
  equal(channelState({ state: "backoff", reason: "port in use" }, 10, 2000), ["backoff: port in use", "bad"]);
  equal(channelState({ state: "idle", reason: "no packet has come" }, NaN, 0), ["no data yet", "quiet"]);
  equal(channelState({ state: "idle", reason: "no packet since then" }, 12000, 2000), ["no data for 12\u202fs", "bad"]);
  equal(channelState({ state: "starting" }, NaN, 0), ["starting", "quiet"]);
  equal(channelState({ state: "ingest" }, 10, 2000), ["live", "good"]);
  equal(channelState({ state: "ingest" }, NaN, 0), ["by HTTP", "quiet"]);
});

test("what the form says becomes a channel or a hint", () => {
  const fields = { name: " a ", port: "26000", path: "", schema: "", decimation: "" };
  throws(() => channelOf(fields), /A schema is needed/);
  throws(() => channelOf({ ...fields, path: "x", schema: "{}" }), /not both/);
  throws(() => channelOf({ ...fields, schema: "{" }), /not JSON/);
  equal(channelOf({ ...fields, path: "x.avsc" }), { name: "a", schema: "x.avsc", port: 26000 });
  equal(channelOf({ ...fields, path: "x.avsc", port: "" }), { name: "a", schema: "x.avsc" });
  equal(channelOf({ ...fields, schema: '{"a":1}', decimation: "5" }), {
    name: "a",
    schema: { a: 1 },
    port: 26000,
    config: { decimation: 5 },
  });
});

test("errors of the API are told with their details", () => {
  equal(explain({ error: "Port already in use", port: 26000, used_by: "example" }, 409), "Port already in use (port: 26000, used by: example)");
  equal(explain({ error: "Channel not found" }, 404), "Channel not found");
  equal(explain({ error: "Internal error", field: null, details: "Internal error" }, 500), "Internal error");
  equal(
    explain({ error: "Port already in use", field: "port", details: "1 belongs to engine, wanted one that is free", port: 1 }, 409),
    "Port already in use: 1 belongs to engine, wanted one that is free",
  );
  equal(
    explain({ error: "Port out of range", field: "port", value: 99999, wanted: "an integer", details: "port: wanted an integer" }, 400),
    "Port out of range: port is 99999, wanted an integer",
  );
  equal(explain(null, 502), "the server answered 502");
});

test("elements are put in order, and those that stand right are not touched", () => {
  const parent = document.createElement("div");
  const [a, b, c] = ["a", "b", "c"].map((name) => Object.assign(document.createElement("p"), { textContent: name }));
  const moved = new MutationObserver(() => {});
  moved.observe(parent, { childList: true });
  arrange(parent, [b]);
  arrange(parent, [a, b, c]);
  equal(parent.textContent, "abc");
  equal(moved.takeRecords().length, 3);
  arrange(parent, [a, b, c]);
  equal(moved.takeRecords().length, 0);
  arrange(parent, [c, a, b]);
  equal(parent.textContent, "cab");
});
