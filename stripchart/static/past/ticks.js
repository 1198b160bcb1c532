// Where a view has its time labels: at whole steps of a zone's clock and calendar, from nanoseconds to decades.

import { DAY, HOUR, SECOND, clockOf, clockText, dayText, digitsFor, floorDiv, monthText, timeOf, zoneMinutes } from "./time.js";
import { offsetLabel } from "./words.js";

const LABEL_GAP_PX = 90;
const MINUTE = 60n * SECOND;
const EVEN = [
  ...Array.from({ length: 9 }, (_, power) => [1n, 2n, 5n].map((step) => step * 10n ** BigInt(power))).flat(),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((step) => step * SECOND),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((step) => step * MINUTE),
];
const HOURS = [1, 2, 3, 6, 12];
const DAYS = [1, 2, 7, 14];
const MONTHS = [1, 2, 3, 4, 6];
const YEARS = [1, 2, 5, 10, 20, 50, 100, 200];
const MONTH_DAYS = 30.44;

// Give [{time, text}] of a range, about `count` of them.
export function ticks(start, end, count, zone) {
  const wanted = Number(end - start) / Math.max(1, count);
  const even = EVEN.find((step) => Number(step) >= wanted);
  if (even) return evenTicks(start, end, even, zone);
  const hours = HOURS.find((step) => step * Number(HOUR) >= wanted);
  if (hours) return dayTicks(start, end, hours, zone);
  const days = DAYS.find((step) => step * Number(DAY) >= wanted);
  if (days) return days < 7 ? calendarDays(start, end, days, zone) : weeks(start, end, days, zone);
  const months = MONTHS.find((step) => step * MONTH_DAYS * Number(DAY) >= wanted);
  if (months) return monthTicks(start, end, months, zone);
  const years = YEARS.find((step) => step * 12 * MONTH_DAYS * Number(DAY) >= wanted) ?? YEARS.at(-1);
  return monthTicks(start, end, 12 * years, zone);
}

// Steps that any zone's hour is whole in, or nearly: counted from the clock as it stands at the start.
function evenTicks(start, end, step, zone) {
  const offset = BigInt(zoneMinutes(start, zone)) * MINUTE;
  const made = [];
  for (let time = (floorDiv(start + offset - 1n, step) + 1n) * step - offset; time <= end; time += step) {
    made.push({ time, text: evenText(clockOf(time, zone), Number(step)) });
  }
  return made;
}

function evenText(clock, step) {
  if (step >= 60e9 && clock.hour === 0 && clock.minute === 0) return dayText(clock);
  const text = clockText(clock, step);
  return digitsFor(step) > 3 ? text.slice(6) : text; // the hour and minute stand over the chart
}

function dayTicks(start, end, hours, zone) {
  const { year, month, day } = clockOf(start, zone);
  const made = [];
  for (let hour = 0; ; hour += hours) {
    const time = timeOf(zone, year, month, day, hour);
    if (time > end) return made;
    if (time < start) continue;
    const clock = clockOf(time, zone);
    if (clock.hour % hours === 0) made.push({ time, text: clock.hour === 0 ? dayText(clock) : clockText(clock, 3600e9) });
  }
}

function calendarDays(start, end, days, zone) {
  const { year, month } = clockOf(start, zone);
  const made = [];
  for (let later = 0; ; later++) {
    const first = clockOf(timeOf(zone, year, month + later), zone);
    for (let day = 1; day <= 31 - (days - 1); day += days) {
      const time = timeOf(zone, first.year, first.month, day);
      if (time > end) return made;
      const clock = clockOf(time, zone);
      if (time >= start && clock.month === first.month) made.push({ time, text: dayText(clock) });
    }
  }
}

// From Mondays.
function weeks(start, end, days, zone) {
  const { year, month, day } = clockOf(start, zone);
  const back = (new Date(Date.UTC(year, month, day)).getUTCDay() + 6) % 7;
  const made = [];
  for (let ahead = -back; ; ahead += days) {
    const time = timeOf(zone, year, month, day + ahead);
    if (time > end) return made;
    if (time >= start) made.push({ time, text: dayText(clockOf(time, zone)) });
  }
}

function monthTicks(start, end, months, zone) {
  const { year, month } = clockOf(start, zone);
  const first = Math.floor((year * 12 + month) / months) * months;
  const made = [];
  for (let number = first; ; number += months) {
    const time = timeOf(zone, Math.floor(number / 12), number % 12);
    if (time > end) return made;
    const clock = clockOf(time, zone);
    if (time >= start) made.push({ time, text: clock.month === 0 ? String(clock.year) : monthText(clock) });
  }
}

// The time labels of a view, for an axis.
export class ViewTimes {
  constructor() {
    this.key = "";
    this.made = [];
    this.label = "UTC";
  }

  // Give [x, text] of each label over a plot.
  at(start, end, zone, plot) {
    this.label = offsetLabel(start, end, zone);
    const count = Math.max(2, Math.floor(plot.width / (LABEL_GAP_PX * plot.dpr)));
    const key = `${start} ${end} ${count} ${zone} ${plot.width}`;
    if (key === this.key) return this.made;
    this.key = key;
    const zoom = plot.width / Number(end - start);
    this.made = ticks(start, end, count, zone).map(({ time, text }) => [Math.floor(Number(time - start) * zoom), text]);
    return this.made;
  }
}
