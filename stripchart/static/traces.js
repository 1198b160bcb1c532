// How the signals of a chart look: colours and dashes, and which value axis each is on.

import { ValueAxis } from "./axis.js";
import { pixelOf } from "./raster.js";
import { Scale } from "./scale.js";

const STALE_SHARE = "35%"; // of its colour, in that of a trace that is dimmed; the rest is the background's
const THICKNESS_PX = 1.5;
const DASH_PX = [6, 3];
const WORDS_MAX = 12; // at an axis; more states are drawn as strips

// How each of `count` traces looks: its colour, the same dimmed, and whether it is dashed, as colours repeat from there.
export function traceStyles(palette, colors, count) {
  return Array.from({ length: count }, (_, index) => {
    const color = colors[index % colors.length];
    const dimmed = `color-mix(in srgb, ${color} ${STALE_SHARE}, ${palette.background})`;
    return { color, dimmed, isDashed: index >= colors.length };
  });
}

// The pen of a trace.
export function pen({ color, dimmed, isDashed }, isDim, holds, dpr) {
  const dash = isDashed ? DASH_PX.map((pixels) => Math.round(pixels * dpr)) : null;
  return { pixel: pixelOf(isDim ? dimmed : color), half: (THICKNESS_PX * dpr) / 2, dash, isStep: holds };
}

// A value holds until the next one.
export const isStep = ({ settings }, { type }) => settings.isStep || type === "boolean" || type === "enum";

// What a picture draws of each signal of a chart, the first of them on top.
export function tracesOf(chart) {
  const { signals, axisOf, styles, states, picture } = chart;
  const traceOf = (signal, index) => ({
    signal,
    columns: chart.columnsOf(signal),
    scale: axisOf[index].scale,
    style: pen(styles[index], chart.isDim(signal), isStep(chart, signal), picture.area.dpr),
    losses: chart.lossesOf(signal),
    states: axisOf[index].lanes && states,
  });
  return signals.map(traceOf).reverse();
}

// The value axes of signals: those that `wanted` tells, else one per unit, and one for states after them. What is known of an axis of the
// same place and unit stays.
export function arrangeAxes(signals, wanted, fixed, before) {
  const units = [...new Set(signals.filter((signal) => !wordsOf(signal)).map(({ unit }) => unit))];
  const placeOf = (signal) => Math.min(3, wordsOf(signal) ? units.length : units.indexOf(signal.unit));
  const places = signals.map((signal, index) => (wanted ? wanted[index] - 1 : placeOf(signal)));
  const used = [...new Set(places)].sort();
  const axes = used.map((place, order) => {
    const own = signals.filter((_, index) => places[index] === place);
    const unit = [...new Set(own.map((signal) => signal.unit))].length === 1 ? own[0].unit : "";
    const known = before.find((axis) => axis.place === order && axis.unit === unit);
    const axis = known ?? new ValueAxis(new Scale(), order);
    axis.unit = unit;
    if (fixed && order === 0) axis.scale.setFixed(...fixed);
    else if (axis.scale.isFixed && !axis.scale.isLocked) axis.scale.setAuto();
    const words = own.map(wordsOf);
    axis.words = words.every((one) => one && one.join() === words[0].join()) ? words[0] : null;
    axis.lanes = null;
    if (axis.words && (order || !fixed)) axis.scale.setFixed(-0.5, Math.max(1, axis.words.length - 1) + 0.5);
    return axis;
  });
  return { axes, axisOf: places.map((place) => axes[used.indexOf(place)]) };
}

// Have states drawn as strips where they are wanted so, are of several kinds on one axis, or too many for its words. True where there are such.
export function arrangeStates(signals, axes, axisOf, areWanted) {
  const ofAxis = (axis) => signals.filter((_, index) => axisOf[index] === axis);
  const isOfStrips = (axis) => (areWanted || !axis.words || axis.words.length > WORDS_MAX) && ofAxis(axis).every(wordsOf);
  const chosen = axes.filter(isOfStrips);
  const names = chosen.flatMap(ofAxis).map(({ name }) => name);
  const isUnder = chosen.length < axes.length;
  const short = (name) => name.split(".").at(-1);
  const labelOf = (name) => (names.some((other) => other !== name && short(other) === short(name)) ? name : short(name));
  for (const axis of chosen) axis.lanes = ofAxis(axis).map(({ name }) => ({ name, label: labelOf(name), place: names.indexOf(name), of: names.length, isUnder }));
  return names.length > 0;
}

// What the states of a signal are called; null where it has none.
export function wordsOf({ type, symbols }) {
  return type === "boolean" ? ["false", "true"] : symbols;
}
