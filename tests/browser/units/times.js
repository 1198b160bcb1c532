import { Times } from "/static/stripchart/times.js";
import { isZone, offsetMs, zoneText } from "/static/stripchart/zone.js";
import { equal, test } from "./harness.js";

const NOON = Date.UTC(2026, 5, 1, 12);

// Labels of a window of 60 s that ends at a time, on a plot of 600 pixels.
function labels(times, endMs) {
  const ms = 100;
  const right = Math.floor(endMs / ms);
  return times.at(right - 600, ms, 600, 1).map(([x, text]) => [x, text]);
}

test("labels stand at whole steps of the clock, and move by the pixel", () => {
  const times = new Times("abs", "UTC");
  equal(labels(times, NOON + 5000).map(([, text]) => text), ["11:59:10", "11:59:20", "11:59:30", "11:59:40", "11:59:50", "12:00:00"]);
  equal(times.label, "UTC");
  const at = labels(times, NOON + 5000).at(-1)[0];
  equal([labels(times, NOON + 5100).at(-1)[0], labels(times, NOON + 6000).at(-1)[0]], [at - 1, at - 10]);
});

test("a zone has its own clock, in summer another", () => {
  const oslo = new Times("abs", "Europe/Oslo");
  equal([labels(oslo, NOON).at(-1)[1], oslo.label], ["14:00:00", "UTC+2"]);
  equal([labels(oslo, Date.UTC(2026, 0, 1, 12)).at(-1)[1], oslo.label], ["13:00:00", "UTC+1"]);
  const kathmandu = new Times("abs", "Asia/Kathmandu");
  equal([labels(kathmandu, NOON).at(-1)[1], kathmandu.label], ["17:45:00", "UTC+5:45"]);
});

test("the hour is put on and back where the zone does so", () => {
  const [winter, summer] = [Date.UTC(2026, 2, 29, 0, 59), Date.UTC(2026, 2, 29, 1)];
  equal([winter, summer].map((time) => offsetMs(time, "Europe/Oslo") / 3600e3), [1, 2]);
  equal([Date.UTC(2026, 9, 25, 0, 59), Date.UTC(2026, 9, 25, 1)].map((time) => offsetMs(time, "Europe/Oslo") / 3600e3), [2, 1]);
  equal(offsetMs(NOON + 0.7, "America/St_Johns") / 60e3, -150);
});

test("relative labels tell how long ago, sweeps how far in", () => {
  equal(labels(new Times("rel", "UTC"), NOON).slice(0, 3).map(([x, text]) => [x, text]), [[599, "now"], [499, "−10 s"], [399, "−20 s"]]);
  equal(labels(new Times("sweep", "UTC"), NOON).slice(0, 2), [[0, "0 s"], [100, "10 s"]]);
});

test("what is no zone is none", () => {
  equal(["UTC", "local", "Europe/Oslo", "Mars/Olympus", ""].map(isZone), [true, true, true, false, false]);
  equal([0, 3600e3, -12600e3].map(zoneText), ["UTC", "UTC+1", "UTC−3:30"]);
});
