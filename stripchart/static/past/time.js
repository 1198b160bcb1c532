// Times as whole nanoseconds since 1970 in a BigInt: read, written, and taken apart by a clock.

import { offsetMs } from "../zone.js";

export const MS = 1_000_000n;
export const SECOND = 1_000_000_000n;
export const HOUR = 3600n * SECOND;
export const DAY = 24n * HOUR;

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d\d:?\d\d)?$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const UNITS = [
  [365.25 * 86400e9, "y"],
  [86400e9, "d"],
  [3600e9, "h"],
  [60e9, "min"],
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
];
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?$/;

const CLOCK_MS = 2000;

const pad = (number, width = 2) => String(number).padStart(width, "0");

export function floorDiv(number, divisor) {
  const quotient = number / divisor;
  return number % divisor < 0n ? quotient - 1n : quotient;
}

export const max = (a, b) => (a > b ? a : b);
export const min = (a, b) => (a < b ? a : b);

let clockOffset = 0; // ms that the server's clock is ahead of this browser's

// Now, by the server's clock as far as it is known.
export const now = () => BigInt(Date.now() + clockOffset) * MS;

// The server told its time, to the second; smaller differences may be the way's.
export function setClock(serverMs) {
  const offset = serverMs + 500 - Date.now();
  clockOffset = Math.abs(offset) > CLOCK_MS ? offset : 0;
}

// Read ISO 8601 text, to the nanosecond; without an offset it is of `zone` ("utc" or "local"). null for other text.
export function parseTime(text, zone = "utc") {
  const match = ISO.exec(text.trim());
  if (!match) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", offset] = match;
  const fields = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)];
  const check = new Date(Date.UTC(...fields));
  if (check.getUTCMonth() !== fields[1] || check.getUTCDate() !== fields[2] || fields[4] > 59 || fields[5] > 59) return null;
  let ms = check.getTime();
  if (offset && offset !== "Z") {
    const [hours, minutes] = [offset.slice(1, 3), offset.slice(-2)].map(Number);
    ms -= (offset[0] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60000;
  } else if (!offset && zone === "local") ms = new Date(...fields).getTime();
  return BigInt(ms) * MS + BigInt(fraction.padEnd(9, "0"));
}

// ISO 8601 in UTC, with as many digits as it needs.
export function isoText(time) {
  const seconds = floorDiv(time, SECOND);
  const nanos = pad(time - seconds * SECOND, 9).replace(/0+$/, "");
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${nanos && `.${nanos}`}Z`;
}

const shiftMs = (ms, zone) => (zone === "utc" ? 0 : offsetMs(ms, zone));

// Year, month (0 to 11), day, hour, minute, second and nanosecond (Number each) by the clock of a zone: "utc", "local", or by
// its name.
export function clockOf(time, zone) {
  const seconds = floorDiv(time, SECOND);
  const ms = Number(seconds) * 1000;
  const date = new Date(ms + shiftMs(ms, zone));
  return {
    year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(),
    hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds(), nano: Number(time - seconds * SECOND),
  };
}

// The time at which a clock of a zone shows this; what is too large for a field is carried.
export function timeOf(zone, year, month = 0, day = 1, hour = 0) {
  const date = zone === "local" ? new Date(2000, 0) : new Date(Date.UTC(2000, 0));
  if (zone === "local") {
    date.setFullYear(year, month, day);
    date.setHours(hour);
    return BigInt(date.getTime()) * MS;
  }
  date.setUTCFullYear(year, month, day);
  date.setUTCHours(hour);
  const wall = date.getTime();
  const near = wall - shiftMs(wall, zone);
  return BigInt(wall - shiftMs(near, zone)) * MS;
}

// Digits behind the second that times `step` ns apart need.
export function digitsFor(step) {
  if (step >= 1e9) return 0;
  return Math.min(9, Math.ceil(9 - Math.log10(Math.max(1, step)) - 1e-9));
}

export const dayText = ({ day, month }) => `${day} ${MONTHS[month]}`;
export const monthText = ({ month }) => MONTHS[month];

// Clock only, as fine as times `step` ns apart need: "12:03", "12:03:04.125".
export function clockText(clock, step) {
  const minutes = `${pad(clock.hour)}:${pad(clock.minute)}`;
  if (step >= 60e9) return minutes;
  const digits = digitsFor(step);
  return `${minutes}:${pad(clock.second)}${digits ? `.${pad(clock.nano, 9).slice(0, digits)}` : ""}`;
}

// Date and clock, as fine as times `step` ns apart need: "12 Mar 2026 12:03:04.125".
export function stampText(time, step, zone) {
  const clock = clockOf(time, zone);
  const date = `${dayText(clock)} ${clock.year}`;
  return step >= 86400e9 ? date : `${date} ${clockText(clock, step)}`;
}

// What a field for a time holds: "2026-03-12 09:08", with seconds and thousandths where it has some.
export function fieldText(time, zone) {
  const clock = clockOf(time, zone);
  const millis = pad(Math.floor(clock.nano / 1e6), 3);
  const fraction = millis === "000" ? "" : `.${millis}`;
  const seconds = clock.second || fraction ? `:${pad(clock.second)}${fraction}` : "";
  return `${pad(clock.year, 4)}-${pad(clock.month + 1)}-${pad(clock.day)} ${pad(clock.hour)}:${pad(clock.minute)}${seconds}`;
}

// A length of time: "365 d", "1.5 h", "20 ms".
export function lengthText(length) {
  const ns = Number(length);
  const [size, unit] = UNITS.find(([size]) => ns >= size * (size > 1e17 ? 3 : 0.9999999)) ?? [1, "ns"];
  return `${Number((ns / size).toPrecision(3))} ${unit}`;
}

// ISO 8601 durations of days, hours, minutes and seconds: to nanoseconds (null for other text) and back.
export function parseDuration(text) {
  const match = DURATION.exec(text);
  if (!match) return null;
  const [days, hours, minutes, seconds] = match.slice(1, 5).map((part) => BigInt(part ?? 0));
  return days * DAY + hours * HOUR + minutes * 60n * SECOND + seconds * SECOND + BigInt((match[5] ?? "").padEnd(9, "0"));
}

export function durationText(length) {
  const seconds = length / SECOND;
  const nanos = pad(length % SECOND, 9).replace(/0+$/, "");
  if (!nanos && length % DAY === 0n && length) return `P${length / DAY}D`;
  if (!nanos && length % HOUR === 0n && length) return `PT${length / HOUR}H`;
  return `PT${seconds}${nanos && `.${nanos}`}S`;
}

// The clock's name at a time: "UTC", or as far as the reader's clock is from it.
export function zoneMinutes(time, zone) {
  return shiftMs(Number(time / MS), zone) / 60000;
}
