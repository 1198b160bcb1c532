// Sizes, counts and spans of time as people read them.

const SIZES = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];
const SPANS = [[365 * 86400, "years"], [86400, "d"], [3600, "h"], [60, "min"]];
const LONGEST_S = 100 * 365 * 86400;

export const whole = new Intl.NumberFormat("en", { useGrouping: true });

// "1.2 MB", "512 bytes".
export function sizeText(bytes) {
  const [size, unit] = SIZES.find(([least]) => bytes >= least) ?? [1, "bytes"];
  return `${(bytes / size).toFixed(size === 1 ? 0 : 1)}\u202f${unit}`;
}

// "64 MiB": for sizes that programs are given as powers of two.
export function memoryText(bytes) {
  const [size, unit] = [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]].find(([least]) => bytes >= least) ?? [1, "B"];
  const number = bytes / size;
  return `${number.toFixed(size === 1 || number >= 100 || Number.isInteger(number) ? 0 : 1)}\u202f${unit}`;
}

// How long something is to come or has gone on: "45 s", "20 min", "3 h 10 min", "12 d", "3 years".
export function lastsText(seconds) {
  if (seconds >= LONGEST_S) return "over 100 years";
  const found = SPANS.findIndex(([least]) => seconds >= 2 * least);
  if (found < 0) return `${Math.floor(seconds)}\u202fs`;
  const [size, unit] = SPANS[found];
  const count = Math.floor(seconds / size);
  const [smaller, rest] = SPANS[found + 1] ?? [1, ""];
  const left = Math.floor((seconds - count * size) / smaller);
  const more = unit === "h" && count < 10 && left ? ` ${left}\u202f${rest}` : "";
  return `${count}\u202f${unit}${more}`;
}

// An age that grows each second: "0.8 s", "12 s", "5 min".
export function ageText(seconds) {
  return seconds < 10 ? `${Math.max(0, seconds).toFixed(1)}\u202fs` : lastsText(seconds);
}
