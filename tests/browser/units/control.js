import { ageText, lastsText, memoryText, sizeText } from "/static/pages/amounts.js";
import { decimationOf, fieldsOf } from "/static/pages/edit.js";
import { decimationText, durableText, factsOf } from "/static/pages/facts.js";
import { Rate, Throughput } from "/static/pages/rates.js";
import { draftOf } from "/static/pages/register.js";
import { schemaOf, signalText } from "/static/pages/schema-field.js";
import { Sparkline, linePath } from "/static/pages/sparkline.js";
import { channelsText, diskText, lostText, processesText } from "/static/pages/summary.js";
import { equal, test, throws } from "./harness.js";

const plain = (text) => text.replaceAll("\u202f", " ");

test("sizes", () => {
  equal([0, 512, 1500, 2.5e6, 74.4e9, 3e12].map((n) => plain(sizeText(n))), ["0 bytes", "512 bytes", "1.5 kB", "2.5 MB", "74.4 GB", "3.0 TB"]);
  equal([0, 4096, 212992, 67108864, 1.5 * 2 ** 30].map((n) => plain(memoryText(n))), ["0 B", "4 KiB", "208 KiB", "64 MiB", "1.5 GiB"]);
});

test("spans of time", () => {
  const spans = [5, 119, 121, 7199, 2 * 3600 + 600, 11 * 3600, 49 * 3600, 800 * 86400, 4e9];
  equal(spans.map((n) => plain(lastsText(n))), ["5 s", "119 s", "2 min", "119 min", "2 h 10 min", "11 h", "2 d", "2 years", "over 100 years"]);
  equal([-0.1, 0.84, 12.3].map((n) => plain(ageText(n))), ["0.0 s", "0.8 s", "12 s"]);
});

test("a rate goes by the clock of the counters, told twice or late", () => {
  const rate = new Rate();
  rate.add(1000, 0);
  equal([rate.add(1500, 50), rate.add(1500, 50), rate.add(500, 60), rate.add(1000, 160)], [100, 100, null, 200]);
});

test("what comes by UDP and by HTTP adds up, each by its own clock", () => {
  const throughput = new Throughput();
  const channel = (at, udp, http) => ({
    stats: { heartbeat: at * 1e9, records: udp, bytes: 10 * udp },
    ingested: { heartbeat: (at + 0.3) * 1e9, records: http, bytes: 5 * http },
  });
  equal(throughput.update(channel(100, 0, 0)), { records: null, bytes: null });
  equal(throughput.update(channel(101, 100, 10)), { records: 110, bytes: 1050 });
  equal(new Throughput().update({ stats: { heartbeat: null, records: 7 }, ingested: null }), { records: null, bytes: null });
});

test("a curve of the last minute", () => {
  equal(linePath([], 0), "");
  equal(linePath([[40000, 0], [70000, 5], [100000, 10]], 100000), "M0.0 19.0L30.0 10.0L60.0 1.0");
  equal(linePath([[0, 0], [1000, 0]], 1000), "M59.0 19.0L60.0 19.0");
  const curve = new Sparkline();
  for (const time of [0, 1000, 62000]) curve.add(time, 1);
  curve.add(63000, null);
  equal(curve.points, [[62000, 1]]);
  equal(curve.element.getAttribute("aria-hidden"), "true");
});

test("how far the disk is behind", () => {
  const at = Date.parse("2026-01-01T00:00:10Z");
  const stats = { records: 10, durable: 8, ring_full: 0, not_archived: { io: 0 }, heartbeat: at * 1e6, durable_until: "2026-01-01T00:00:08.5Z" };
  equal(plain(durableText(stats)), "1.5 s behind");
  equal(durableText({ ...stats, durable: 10 }), "all");
  equal(durableText({ ...stats, durable: 7, ring_full: 2, not_archived: { io: 1 } }), "all");
  equal(durableText({ ...stats, durable: 0, durable_until: null }), "nothing yet");
  equal([durableText(null), durableText({ ...stats, records: 0, durable: 0 })], ["–", "–"]);
});

test("decimation in words, and as fields and back", () => {
  const minmax = { enabled: true, algorithm: "minmax", factor: null, rate_hz: 50 };
  equal(decimationText(minmax), "minimum and maximum, 50 times a second");
  equal(decimationText({ ...minmax, algorithm: "rms", factor: 1000 }), "RMS of 1,000 records");
  equal(decimationText({ ...minmax, algorithm: "downsample", factor: 10 }), "every 10th record");
  equal(decimationText({ ...minmax, enabled: false }), "every record");
  equal(fieldsOf({ decimation: minmax }), { how: "", by: "rate_hz", number: "" });
  const channels = [{ enabled: true, algorithm: "average", factor: 5, rate_hz: null }, minmax, { ...minmax, enabled: false }];
  const given = channels.map((decimation) => decimationOf(fieldsOf({ config: { decimation: 1 }, decimation })));
  equal(given, [{ algorithm: "average", factor: 5 }, { algorithm: "minmax", rate_hz: 50 }, { enabled: false }]);
  equal(decimationOf({ how: "", by: "factor", number: "7" }), null);
  equal(decimationOf({ how: "downsample", by: "rate_hz", number: "7" }), { algorithm: "downsample", factor: 7 });
  throws(() => decimationOf({ how: "rms", by: "rate_hz", number: " " }), /A number is needed/);
});

test("facts of a channel name what is wrong", () => {
  const stats = {
    records: 9, archived: 5, archived_bytes: 1e6, durable: 5, disk_error: "No space left on device", ring: { queued: 9, blocks: 10 },
    rejected: { short: 2 }, sequence: { gaps: 3, reordered: 1, duplicates: 0 }, receive_buffer: { granted: 4096, wanted: 8192 },
    forward_failed: 7, forward_error: null, decimate_failed: 2, decimate_error: "Network is down",
  };
  const facts = new Map(factsOf({ stats, port: 1, pid: null, schema: "ab", schemas: 2, framing: "single_object" }));
  equal([...facts.keys()], ["Archive", "Lost", "Relay", "Live stream", "Schema"]);
  const bad = [...facts.values()].flat().filter(([, , tone]) => tone === "bad");
  equal(bad.map(([label, text]) => `${label}: ${plain(text)}`), [
    "Waiting for the disk: 9 of 10 blocks", "Disk: No space left on device", "short: 2", "Missing on the way: 2 numbers",
    "Process: none", "Receive buffer: 4 KiB of 8 KiB wanted",
    "Packets not sent: 9", "Decimated, not sent: Network is down",
  ]);
  const ingested = { records: 1, batches: 1, lost: 0 };
  equal(factsOf({ port: null, ingested }).map(([title]) => title), ["By HTTP", "Live stream", "Schema"]);
  const [[, byHttp]] = factsOf({ port: null, ingested: { ...ingested, live_error: "not sent live, decimated: Network is down" } });
  equal(byHttp.at(-1), ["Live", "not sent live, decimated: Network is down", "bad"]);
});

test("tiles", () => {
  const rows = [["a", "good", "live"], ["b", "bad", "no data for 3 s"], ["c", "quiet", "no data yet"]].map(([name, tone, words]) => ({ name, tone, words }));
  equal(channelsText(rows), ["1 of 3 live", "b: no data for 3 s", "bad"]);
  equal(channelsText([rows[0], rows[2]]), ["1 of 2 live", "1 silent", ""]);
  equal(channelsText([]), ["none", "", ""]);
  const stats = (kernel_drops, short) => ({ stats: { kernel_drops, rejected: { short } } });
  equal(lostText([stats(1, 20), stats(1000, 0), { stats: null }]), ["1,021", "1,001 kernel drops, 20 short"]);
  equal(lostText([]), ["0", "since counting began"]);
  const archive = { free_bytes: 5e9, growth_bytes_per_s: 1e6, full_in_s: 5000, deletes_in_s: null, trouble: null };
  equal(diskText(archive).map(plain), ["5.0 GB free", "full in 83 min at 1.0 MB/s", "bad"]);
  equal(plain(diskText({ ...archive, deletes_in_s: 3000 })[1]), "full in 83 min at 1.0 MB/s; oldest data deleted in 50 min");
  equal(diskText({ ...archive, growth_bytes_per_s: 0, full_in_s: null })[1], "not filling");
  equal(diskText({ ...archive, growth_bytes_per_s: null, full_in_s: null })[1], "time until full: not known yet");
  equal(diskText({ ...archive, trouble: "nothing may be deleted" }).slice(1), ["nothing may be deleted", "bad"]);
  const services = [{ name: "pivot", state: "backoff" }, { name: "stripchart", state: "active" }];
  equal(processesText({ keeper: { state: "active" }, services }), ["1 not running", "pivot: backoff", "bad"]);
  equal(processesText({ keeper: { state: "active" }, services: services.slice(1) }), ["all run", "2 beside the relays", ""]);
  const deaf = { name: "stripchart", state: "degraded", reason: "cannot hear 239.255.0.1:10000" };
  equal(processesText({ keeper: { state: "active" }, services: [deaf] }), ["1 in trouble", `stripchart: ${deaf.reason}`, "bad"]);
});

test("what the form has so far, for the server to look at", () => {
  const fields = { name: " a ", port: "", path: "", schema: "", decimation: "" };
  equal(draftOf(fields), { name: "a", port: 0 });
  equal(draftOf({ ...fields, port: "26000", path: " x.avsc ", decimation: "5" }), { name: "a", port: 26000, schema: "x.avsc", config: { decimation: 5 } });
  equal(draftOf({ ...fields, schema: '{"a":1}' }).schema, { a: 1 });
  throws(() => schemaOf("{"), /not JSON/);
  equal(signalText({ type: "double", unit: "V", role: null, nullable: true }, "ns"), "double or null in V");
  equal(signalText({ type: "long", unit: null, role: "time", nullable: false }, "ns"), "long (time in ns)");
});
