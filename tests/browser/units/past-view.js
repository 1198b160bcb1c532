import { firstShown, lookUp, missingText } from "/static/pages/history-choice.js";
import { readHash, writeHash } from "/static/pages/history-hash.js";
import { LADDER, tileAt, tileLength, tileStart, widthFor, widthForRecords, widthText } from "/static/stripchart/past/levels.js";
import { StillView } from "/static/stripchart/past/still.js";
import { parseTime } from "/static/stripchart/past/time.js";
import { View } from "/static/stripchart/past/view.js";
import { equal, near, random, test } from "./harness.js";

const S = 10n ** 9n;
const YEAR = 365n * 86400n * S;
const FIRST = parseTime("2020-01-01T00:00:00Z");

function viewOf(start = FIRST, end = FIRST + YEAR) {
  const view = new View();
  view.span(FIRST, FIRST + YEAR);
  view.show(start, end);
  return view;
}

test("zooming keeps the time under the pointer", () => {
  const next = random(7);
  const view = viewOf();
  for (let i = 0; i < 200; i++) {
    const place = next();
    const time = view.timeAt(place);
    const far = view.start > FIRST && view.end < FIRST + YEAR;
    view.zoom(0.5 + next(), place);
    if (far && view.start > FIRST && view.end < FIRST + YEAR) near(view.placeOf(time), place, 1e-3);
  }
});

test("from a year to a microsecond and back", () => {
  const view = viewOf();
  const peak = FIRST + 12345678901234567n;
  for (let i = 0; i < 60; i++) view.zoom(1 / 2, view.placeOf(peak));
  equal(view.length, 1000n);
  equal(view.start <= peak && peak <= view.end, true);
  for (let i = 0; i < 70; i++) view.zoom(2);
  near(Number(view.length) / Number(YEAR), 1.25, 1e-9);
});

test("some of the recording stays in sight", () => {
  const view = viewOf(FIRST, FIRST + 100n * S);
  for (let i = 0; i < 50; i++) view.pan(-0.5);
  equal(view.end - FIRST, 5n * S);
  view.goTo(true);
  equal(view.end, FIRST + YEAR + 1n);
  for (let i = 0; i < 50; i++) view.pan(0.5);
  equal(FIRST + YEAR + 1n - view.start, 5n * S);
  equal(view.follows, false);
});

test("at the end of a recording that goes on the view follows", () => {
  const view = new View();
  const now = BigInt(Date.now()) * 1_000_000n;
  view.span(now - 3600n * S, now - S);
  view.showLast(60n * S);
  equal([view.follows, view.length], [true, 60n * S]);
  view.pan(-0.2);
  equal(view.follows, false);
  view.pan(1);
  equal(view.follows, true);
  view.zoom(0.5, 0.95);
  equal([view.follows, view.length], [true, 30n * S]);
});

test("buckets are a pixel wide at most, and not too many", () => {
  const next = random(3);
  for (let i = 0; i < 500; i++) {
    const length = BigInt(Math.floor(10 ** (3 + next() * 14)));
    const pixels = 200 + Math.floor(next() * 3500);
    const width = widthFor(length, pixels);
    const count = Number(length) / Number(width);
    equal(count <= 4000 || width === LADDER.at(-1), true, `${length} ${pixels}`);
    equal(width === 1n || Number(width) <= Number(length) / pixels || count * 2.5 > 1600, true, `${length} ${pixels} ${width}`);
  }
});

test("tiles hold what they begin with", () => {
  for (const width of LADDER) {
    for (const time of [FIRST, FIRST + YEAR + 7n, -5n * YEAR, 0n]) {
      const index = tileAt(time, width);
      equal(tileStart(index, width) <= time && time < tileStart(index + 1n, width), true);
      equal(tileStart(index + 1n, width) - tileStart(index, width), tileLength(width));
    }
  }
  equal(new Date(Number(tileStart(3n, 7n * 86400n * S) / 1_000_000n)).getUTCDay(), 1, "weeks begin on Mondays");
  equal([widthText(20n), widthText(6n * 3600n * S), widthText(7n * 86400n * S)], ["20ns", "21600s", "7d"]);
  equal(widthForRecords(1e9, 1024), 2n * S);
  equal(widthForRecords(0.001, 1024), 0n);
});

test("an address says what is shown", () => {
  const view = viewOf(FIRST + 1n, FIRST + 5n * S);
  const hash = writeHash({ signals: ["a.b", "c d.e,f"], view });
  equal(hash, "#signals=a.b,c%20d.e%2Cf&start=2020-01-01T00:00:00.000000001Z&end=2020-01-01T00:00:05Z");
  const read = readHash(hash);
  equal(read.signals, ["a.b", "c d.e,f"]);
  equal([read.start, read.end, read.last].map(String), [String(view.start), String(view.end), "null"]);
  equal(String(readHash("#signals=a.b&last=PT1H").last), String(3600n * S));
});

test("what an address says wrong is not believed", () => {
  for (const hash of ["", "#", "#start=x&end=y", "#start=2026-01-02&end=2026-01-01", "#last=soon", "#%%%=%"]) {
    const { start, end, last } = readHash(hash);
    equal([start, end, last], [null, null, null], hash);
  }
  equal(readHash("#signals=%E0%A4%A").signals, ["%E0%A4%A"]);
  equal([readHash("").signals, readHash("#signals=").signals], [null, []]);
});

test("all of a recording that goes on is followed from its beginning, whenever it is looked at", () => {
  const view = new View();
  for (let i = 0; i < 300; i++) {
    const now = BigInt(Date.now()) * 1_000_000n;
    view.span(now - 4n * S, now - S);
    view.showAll();
    equal([view.follows, view.isWhole, view.start], [true, true, now - 4n * S]);
    for (let work = 0; work < 2000; work++) Math.sqrt(work);
  }
  const { start, end } = view;
  while (BigInt(Date.now()) * 1_000_000n <= end) Math.sqrt(2);
  view.advance();
  equal([view.start === start, view.end > end, view.follows], [true, true, true]);
  equal(writeHash({ signals: ["a.b"], view }), "#signals=a.b&last=all");
  view.show(start, end - S);
  equal([view.follows, view.isWhole], [false, false]);
  view.goTo(true);
  equal([view.follows, view.isWhole], [true, false]);
});

test("what is chosen at first depends on no second's chance", () => {
  const signal = (channel, last, more = {}) => ({ name: `${channel}.v`, channel, first: FIRST, last: FIRST + last, count: 1000, ...more });
  const names = (signals) => firstShown(signals).map((one) => one.name);
  const day = 86400n * S;
  equal(names([signal("host", day), signal("example", day - 4n * S)]), ["example.v"]);
  equal(names([signal("host", day - 9n * S), signal("example", day)]), ["example.v"]);
  equal(names([signal("host", day), signal("ended", day / 2n)]), ["host.v"]);
  equal(names([signal("host", day), signal("empty", 0n, { first: null, last: null, count: 0 })]), ["host.v"]);
  equal(names([signal("quick", day), signal("minutely", day - 200n * S, { count: 1441 })]), ["minutely.v"]);
  equal(names([signal("quick", day), signal("ended", day - 7200n * S, { count: 2 })]), ["quick.v"]);
  equal(names([signal("empty", 0n, { first: null })]), []);
});

test("names of nothing are told", () => {
  const { known, missing } = lookUp([{ name: "a.b" }], ["x.y", "a.b", "x.y"]);
  equal([known.map((one) => one.name), missing], [["a.b"], ["x.y"]]);
  equal(missingText(missing), "No signal that can be drawn is called x.y.");
  equal(missingText([]), "");
});

test("the beginning of a recording is gone to as it becomes known, until the view is moved", () => {
  const view = new StillView();
  view.span(90n * S, 100n * S);
  view.put(90n * S, 100n * S);
  view.goToFirst();
  view.span(20n * S, 100n * S);
  equal([view.start, view.end], [20n * S, 30n * S]);
  view.pan(0.5);
  view.span(5n * S, 100n * S);
  equal([view.start, view.end], [25n * S, 35n * S]);
});
