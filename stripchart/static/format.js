// Numbers and times as people read them.

const PREFIXES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];
// Units that take a prefix; others (%, °C, kPa, 1/min ...) stand as they are.
const PREFIXED = new Set(["B", "B/s", "bit/s", "b/s", "Hz", "V", "A", "W", "Wh", "VA", "Pa", "N", "J", "m", "g", "Ω", "Ohm", "S/s"]);
const TIME_STEPS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// A value with its unit: "0.5000 V", "15.80 GB", "1234".
export function valueText(value, unit = "", isWhole = false) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const suffix = unit ? `\u202f${unit}` : "";
  if (value === 0) return `0${suffix}`;
  const size = Math.abs(value);
  if (PREFIXED.has(unit)) {
    const prefix = PREFIXES.find(([factor]) => size >= factor);
    if (prefix) return `${sign(value)}${(size / prefix[0]).toPrecision(4)}\u202f${prefix[1]}${unit}`;
  }
  if (isWhole && size < 1e15) return `${sign(value)}${size}${suffix}`;
  if (size < 1e-4 || size >= 1e9) return `${sign(value)}${size.toExponential(3)}${suffix}`;
  return `${sign(value)}${size >= 1e4 ? size.toFixed(1) : size.toPrecision(4)}${suffix}`;
}

// A value of a signal as text: of a state its word.
export const textOf = ({ symbols, unit, isWhole }, value) => (symbols ? (symbols[value] ?? "–") : valueText(value, unit, isWhole));

const sign = (value) => (value < 0 ? "−" : "");

// A label of an axis whose labels are `step` apart and reach to `largest`.
export function tickText(value, step, largest) {
  if (Math.abs(value) < step * 1e-6) return "0";
  const size = Math.abs(value);
  if (largest < 1e-3 || largest >= 1e15) return `${sign(value)}${size.toExponential(1)}`;
  const [factor, letter] = largest >= 1e4 ? PREFIXES.find(([f]) => largest >= f) : [1, ""];
  const decimals = Math.max(0, Math.ceil(-Math.log10(step / factor) - 1e-9));
  return `${sign(value)}${(size / factor).toFixed(Math.min(decimals, 9))}${letter}`;
}

// Seconds between time labels when about `count` of them fit in a window.
export function timeStep(windowS, count) {
  return TIME_STEPS_S.find((step) => windowS / step <= count) ?? Math.ceil(windowS / count / 3600) * 3600;
}

// A clock's time, given as ms since 1970 of that clock, as fine as the step between labels needs.
export function clockText(clockMs, stepS) {
  const text = new Date(clockMs).toISOString();
  return text.slice(11, stepS >= 60 ? 16 : stepS >= 1 ? 19 : stepS >= 0.1 ? 21 : stepS >= 0.01 ? 22 : 23);
}

// When something began, as short as it can be told: "12:03", or "22 Nov 12:03" on another day.
export function sinceText(date, now) {
  const clock = clockText(date.getTime() - date.getTimezoneOffset() * 60000, 60);
  if (date.toDateString() === now.toDateString()) return clock;
  const year = date.getFullYear() === now.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${MONTHS[date.getMonth()]}${year} ${clock}`;
}

// A span of time: "3 s", "2 min", "5 h".
export function spanText(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
