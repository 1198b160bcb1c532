// What a canvas declares by its data- attributes, with the defaults, and what is wrong with it.

export const NAMES = [
  "data-signals",
  "data-window",
  "data-height",
  "data-ymin",
  "data-ymax",
  "data-colors",
  "data-theme",
];
const WINDOW_S = 30;
const WINDOW_MAX_S = 600; // what the server keeps
const HEIGHT_PX = 300;

const list = (text) => (text ?? "").split(",").map((part) => part.trim()).filter(Boolean);

function number(data, name, fallback, wanted, isRight) {
  if (data[name] === undefined || data[name].trim() === "") return fallback;
  const value = Number(data[name]);
  if (!Number.isFinite(value) || !isRight(value)) {
    throw new Error(`data-${name}: wanted ${wanted}, got ${JSON.stringify(data[name])}`);
  }
  return value;
}

function theme(data) {
  const value = data.theme || "auto";
  if (!["auto", "dark", "light"].includes(value)) {
    throw new Error(`data-theme: wanted auto, dark or light, got ${JSON.stringify(value)}`);
  }
  return value;
}

function colors(data) {
  const values = list(data.colors);
  const wrong = values.find((color) => !CSS.supports("color", color));
  if (wrong) throw new Error(`data-colors: ${JSON.stringify(wrong)} is no colour`);
  return values;
}

// Give {signals, window, height, ymin, ymax, colors, theme}; ymin and ymax are NaN unless both are given. Throws an
// Error that names the attribute.
export function readAttributes(data) {
  const signals = list(data.signals);
  if (!signals.length) throw new Error("data-signals: wanted channel.signal, got nothing");
  const ymin = number(data, "ymin", NaN, "a number", () => true);
  const ymax = number(data, "ymax", NaN, "a number", () => true);
  if (ymin >= ymax) throw new Error(`data-ymin: wanted less than data-ymax (${ymax}), got ${ymin}`);
  const isFixed = !Number.isNaN(ymin) && !Number.isNaN(ymax);
  const window = `seconds over 0 and up to ${WINDOW_MAX_S}`;
  return {
    signals,
    window: number(data, "window", WINDOW_S, window, (value) => value > 0 && value <= WINDOW_MAX_S),
    height: number(data, "height", HEIGHT_PX, "pixels from 40 to 4000", (value) => value >= 40 && value <= 4000),
    ymin: isFixed ? ymin : NaN,
    ymax: isFixed ? ymax : NaN,
    colors: colors(data),
    theme: theme(data),
  };
}
