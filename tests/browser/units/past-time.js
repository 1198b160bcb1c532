import { clockOf, durationText, fieldText, isoText, lengthText, parseDuration, parseTime, stampText, timeOf } from "/static/stripchart/past/time.js";
import { ticks } from "/static/stripchart/past/ticks.js";
import { countText, offsetLabel, zoneName } from "/static/stripchart/past/words.js";
import { equal, test } from "./harness.js";

const time = (text) => parseTime(text);
const texts = (made) => made.map(({ text }) => text);

test("times are exact to the nanosecond", () => {
  for (const text of ["2026-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59.999999999Z", "1677-09-21T00:12:43.145224192Z", "2262-04-11T23:47:16.854775807Z", "1970-01-01T00:00:00Z"]) {
    equal(isoText(parseTime(text)), text);
  }
  equal(String(parseTime("2262-04-11T23:47:16.854775807Z")), String(2n ** 63n - 1n));
  equal(String(parseTime("1677-09-21T00:12:43.145224192Z")), String(-(2n ** 63n)));
});

test("times with offsets, of a day, and what is none", () => {
  equal(isoText(time("2026-01-01T02:30:00+02:30")), "2026-01-01T00:00:00Z");
  equal(isoText(time("2026-01-01T00:00:00.5-0330")), "2026-01-01T03:30:00.5Z");
  equal(isoText(time("2026-01-01")), "2026-01-01T00:00:00Z");
  equal(isoText(time(" 2026-01-01 10:20 ")), "2026-01-01T10:20:00Z");
  for (const wrong of ["", "now", "2026-02-30", "2026-13-01", "2026-01-01T25:00", "2026-01-01T10:61", "2026-01-01T10:00:00.0000000001Z"]) equal(time(wrong), null, wrong);
});

test("fields show milliseconds and are read back", () => {
  for (const zone of ["utc", "local"]) {
    const stamp = time("2026-03-29T01:02:03.125Z");
    equal(parseTime(fieldText(stamp, zone), zone), stamp, zone);
  }
  equal(fieldText(time("2026-01-01T00:00:00Z"), "utc"), "2026-01-01 00:00");
  equal(fieldText(time("2026-01-01T00:00:07.000000001Z"), "utc"), "2026-01-01 00:00:07");
  equal(fieldText(time("2026-01-01T00:00:00.0209Z"), "utc"), "2026-01-01 00:00:00.020");
});

test("stamps are as fine as they need to be", () => {
  const stamp = time("2026-03-12T09:08:07.123456789Z");
  equal([86400e9, 60e9, 1e9, 1e6, 1e3, 1].map((step) => stampText(stamp, step, "utc")), [
    "12 Mar 2026",
    "12 Mar 2026 09:08",
    "12 Mar 2026 09:08:07",
    "12 Mar 2026 09:08:07.123",
    "12 Mar 2026 09:08:07.123456",
    "12 Mar 2026 09:08:07.123456789",
  ]);
});

test("lengths and durations", () => {
  equal([1n, 1500n, 1_000_000n, 250_000_000n, 90_000_000_000n, 86400n * 10n ** 9n, 365n * 86400n * 10n ** 9n].map(lengthText), [
    "1 ns", "1.5 µs", "1 ms", "250 ms", "1.5 min", "1 d", "365 d",
  ]);
  for (const text of ["PT1H", "P7D", "P365D", "PT90S", "PT0.001S", "PT0.000000001S"]) equal(durationText(parseDuration(text)), text);
  equal(parseDuration("PT1H30M"), parseDuration("PT5400S"));
  equal([parseDuration("P1M"), parseDuration("x")], [null, null]);
});

test("clocks carry what is too large for a field", () => {
  equal(isoText(timeOf("utc", 2026, 13, 1)), "2027-02-01T00:00:00Z");
  equal(isoText(timeOf("utc", 2026, 0, 32, 25)), "2026-02-02T01:00:00Z");
  equal(clockOf(timeOf("local", 2026, 6, 5, 4), "local").hour, 4);
});

test("labels from decades to nanoseconds", () => {
  const start = time("2024-02-28T22:00:00Z");
  equal(texts(ticks(start, time("2064-01-01"), 5, "utc")), ["2030", "2040", "2050", "2060"]);
  equal(texts(ticks(start, time("2025-06-01"), 6, "utc")), ["Apr", "Jul", "Oct", "2025", "Apr"]);
  equal(texts(ticks(start, time("2024-04-02"), 5, "utc")), ["4 Mar", "11 Mar", "18 Mar", "25 Mar", "1 Apr"]);
  equal(texts(ticks(start, time("2024-03-02"), 3, "utc")), ["29 Feb", "1 Mar", "2 Mar"]);
  equal(texts(ticks(start, time("2024-02-29T04:00:00Z"), 3, "utc")), ["22:00", "29 Feb", "02:00", "04:00"]);
  equal(texts(ticks(start, start + 90n * 10n ** 9n, 3, "utc")), ["22:00:00", "22:00:30", "22:01:00", "22:01:30"]);
  equal(texts(ticks(start, start + 1_000_000n, 2, "utc")), ["00.0000", "00.0005", "00.0010"]);
  equal(texts(ticks(start, start + 20n, 2, "utc")), ["00.00000000", "00.00000001", "00.00000002"]);
});

test("labels of the reader's zone stand at whole hours of its clock", () => {
  const start = time("2026-03-28T20:00:00Z");
  for (const { time: at, text } of ticks(start, start + 12n * 3600n * 10n ** 9n, 6, "local")) {
    equal(clockOf(at, "local").minute, 0, text);
  }
});

test("one is not many", () => {
  equal([0, 1, 2000].map((count) => countText(count, "signal")), ["0 signals", "1 signal", "2,000 signals"]);
});

test("the zone's offsets are those that its clock has in a range", () => {
  const years = [time("2020-01-01"), time("2026-01-01")];
  equal([zoneName(...years, "utc"), offsetLabel(...years, "utc")], ["UTC", "UTC"]);
  const [winter, summer] = ["2026-01-15", "2026-07-15"].map((day) => offsetLabel(time(day), time(day) + 1n, "local"));
  const both = offsetLabel(time("2026-01-15"), time("2027-01-15"), "local");
  equal(both, winter === summer ? winter : [winter, summer].map((text) => text.slice(3) || "+0").join("/"));
});
