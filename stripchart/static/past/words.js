// Words of the history page: how many there are of something, and whose clock tells the times.

import { offsetMs, zoneText } from "../zone.js";

import { DAY, MS, min } from "./time.js";

const MONTH = 30n * DAY;
const YEAR = 13n * MONTH; // and more: a clock that is put on and back has done so within

// "1 signal", "2,000 signals".
export const countText = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// The zone by its name, and how far its clock is from UTC: "UTC", "Europe/Berlin (UTC+2)".
export function zoneName(start, end, zone) {
  const name = zone === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
  const offsets = offsetsText(start, end, zone);
  return zone === "utc" || name === offsets ? "UTC" : `${name} (${offsets})`;
}

// The same without the name, short enough for the side of a chart: "UTC+2", "+1/+2".
export function offsetLabel(start, end, zone) {
  const text = offsetsText(start, end, zone);
  return text.includes("/") ? text.slice(3).replace(/^\//, "+0/") : text;
}

// "UTC+2", or both where the clock is put on or back in the range: "UTC+1/+2".
function offsetsText(start, end, zone) {
  if (zone === "utc") return "UTC";
  const times = [];
  for (let time = start; time < min(end, start + YEAR); time += MONTH) times.push(time);
  const [first, ...others] = new Set([...times, end].map((time) => zoneText(offsetMs(Number(time / MS), zone))));
  return [first, ...others.map((text) => text.slice(3) || "+0")].join("/");
}
