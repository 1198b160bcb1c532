// What a canvas declares by its data- attributes, with the defaults, and what is wrong with it.

import { isZone } from "./zone.js";

const WINDOW_MIN_S = 0.001;
const WINDOW_MAX_S = 600; // what the server keeps
const LONGEST_GROUP = 64;
const NAME_MAX = 512;
const RANGE_LEAST = 1e-12; // of the larger end: nearer numbers have no lines between them

const list = (text) => (text ?? "").split(",").map((part) => part.trim()).filter(Boolean);

export function fail(name, wanted, got) {
  throw new Error(`data-${name}: wanted ${wanted}, got ${JSON.stringify(got)}`);
}

export function number(data, name, fallback, wanted, isRight = () => true) {
  if (data[name] === undefined || data[name].trim() === "") return fallback;
  const value = Number(data[name]);
  if (!Number.isFinite(value) || !isRight(value)) fail(name, wanted, data[name]);
  return value;
}

export function oneOf(data, name, values) {
  const value = data[name] || values[0];
  if (!values.includes(value)) fail(name, `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`, value);
  return value;
}

function colors(data) {
  const values = list(data.colors);
  const wrong = values.find((color) => !CSS.supports("color", color));
  if (wrong) throw new Error(`data-colors: ${JSON.stringify(wrong)} is no colour`);
  return values;
}

// Numbers of value axes, one per signal, from 1 (left).
function axes(data, signals) {
  const values = list(data.axes).map(Number);
  if (!values.length) return null;
  const isRight = values.length === signals.length && values.every((value) => [1, 2, 3, 4].includes(value));
  if (!isRight) fail("axes", `a number from 1 to 4 for each of ${signals.length} signals`, data.axes);
  return values;
}

// "warn:-.8:.8,alarm:-1:1"; a side left empty has no limit.
function limits(data) {
  const made = {};
  for (const part of list(data.limits)) {
    const [level, low, high, ...more] = part.split(":");
    const sides = [low, high].map((side) => (side?.trim() ? Number(side) : null));
    const isRight = ["warn", "alarm"].includes(level) && !more.length && !sides.some(Number.isNaN) && sides.some((side) => side !== null);
    if (!isRight || (sides[0] !== null && sides[1] !== null && sides[0] >= sides[1])) fail("limits", "such as warn:-0.8:0.8,alarm:-1:1", part);
    made[level] = sides;
  }
  return Object.keys(made).length ? made : null;
}

function zone(data) {
  const value = data.tz || document.documentElement.dataset.tz || "UTC";
  if (!isZone(value)) fail("tz", "UTC, local or a name such as Europe/Oslo", value);
  return value;
}

function range(data) {
  const ymin = number(data, "ymin", NaN, "a number");
  const ymax = number(data, "ymax", NaN, "a number");
  if (ymin >= ymax) throw new Error(`data-ymin: wanted less than data-ymax (${ymax}), got ${ymin}`);
  const least = RANGE_LEAST * Math.max(Math.abs(ymin), Math.abs(ymax));
  if (ymax - ymin < least) throw new Error(`data-ymax: wanted at least ${least} more than data-ymin (${ymin}), got ${ymax}`);
  return Number.isNaN(ymin) || Number.isNaN(ymax) ? null : [ymin, ymax];
}

export const TYPES = ["strip", "trigger", "xy", "spectrum", "histogram", "waterfall"];

// Attributes of chart types beyond the plain one, read by their modules.
const OF_TYPES = {
  level: "trigger",
  edge: "trigger",
  pre: "trigger",
  hysteresis: "trigger",
  samples: "spectrum",
  scale: "spectrum",
  frequency: "spectrum",
  bins: "histogram",
};
const MODES = { strip: ["scroll", "sweep"], trigger: ["auto", "normal"], xy: ["line", "dots"] };
const WINDOWS_S = { trigger: 1 };

export const NAMES = ["signals", "window", "height", "ymin", "ymax", "colors", "theme", "type", "mode", "rate", "axes", "time", "tz", "sync"]
  .concat(["limits", "title", "legend", "step", "states"], Object.keys(OF_TYPES));

const KNOWN = new Set([...NAMES, "state"]); // the state is told by the chart itself

function mode(data, type) {
  if (MODES[type]) return oneOf(data, "mode", MODES[type]);
  if (data.mode) throw new Error(`data-mode: a chart of data-type="${type}" has none, got ${JSON.stringify(data.mode)}`);
  return null;
}

// Give the settings that the attributes declare. Throws an Error that names the attribute.
export function readAttributes(data) {
  const unknown = Object.keys(data).find((name) => !KNOWN.has(name));
  if (unknown) throw new Error(`data-${unknown.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: no such attribute`);
  const type = oneOf(data, "type", TYPES);
  const alien = Object.keys(OF_TYPES).find((name) => data[name] !== undefined && OF_TYPES[name] !== type);
  if (alien) throw new Error(`data-${alien}: only for data-type="${OF_TYPES[alien]}", this chart's is "${type}"`);
  const signals = [...new Set(list(data.signals))];
  if (!signals.length) throw new Error("data-signals: wanted channel.signal, got nothing");
  const long = signals.find((name) => name.length > NAME_MAX);
  if (long) fail("signals", `names of at most ${NAME_MAX} characters`, `${long.slice(0, 40)}… of ${long.length}`);
  const isWindow = (value) => value >= WINDOW_MIN_S && value <= WINDOW_MAX_S;
  return {
    signals,
    type,
    window: number(data, "window", WINDOWS_S[type] ?? 30, `seconds from ${WINDOW_MIN_S} to ${WINDOW_MAX_S}`, isWindow),
    height: number(data, "height", 300, "pixels from 40 to 4000", (value) => value >= 40 && value <= 4000),
    range: range(data),
    colors: colors(data),
    theme: oneOf(data, "theme", ["auto", "dark", "light"]),
    mode: mode(data, type),
    rate: data.rate ? oneOf(data, "rate", ["live", "full"]) : null,
    axes: axes(data, signals),
    time: oneOf(data, "time", ["abs", "rel"]),
    zone: zone(data),
    sync: (data.sync ?? "page").slice(0, LONGEST_GROUP),
    limits: limits(data),
    title: data.title ?? "",
    legend: oneOf(data, "legend", ["values", "stats", "none"]),
    areStrips: oneOf(data, "states", ["auto", "strip"]) === "strip",
    isStep: data.step !== undefined && data.step !== "false",
  };
}
