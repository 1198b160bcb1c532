import { readAttributes } from "/static/stripchart/attributes.js";
import { PALETTES } from "/static/stripchart/theme.js";
import { equal, test, throws } from "./harness.js";

const read = (attributes) => readAttributes({ signals: "a.b", ...attributes });

test("defaults are those of old", () => {
  const { signals, window, height, range, colors, theme, type, mode, limits, axes, zone } = read({});
  equal({ signals, window, height, range, colors, theme }, { signals: ["a.b"], window: 30, height: 300, range: null, colors: [], theme: "auto" });
  equal({ type, mode, limits, axes, zone }, { type: "strip", mode: "scroll", limits: null, axes: null, zone: "UTC" });
});

test("everything that is declared counts", () => {
  const given = { signals: " a.b, c.d ,a.b", window: "60", height: "400", ymin: "-1.5", ymax: "1.5", theme: "dark" };
  const { signals, window, height, range, colors, theme } = read({ ...given, colors: "#FF0000, #00FF00" });
  equal({ signals, window, height, range, colors, theme }, {
    signals: ["a.b", "c.d"], window: 60, height: 400, range: [-1.5, 1.5], colors: ["#FF0000", "#00FF00"], theme: "dark",
  });
  const { axes, limits, time, zone, sync, title, isStep } = read({
    ...given, axes: "1,2", limits: "warn:-.8:.8,alarm::1", time: "rel", tz: "Europe/Oslo", sync: "left", title: "Stand", step: "",
  });
  equal({ axes, limits, time, zone, sync, title, isStep }, {
    axes: [1, 2], limits: { warn: [-0.8, 0.8], alarm: [null, 1] }, time: "rel", zone: "Europe/Oslo", sync: "left", title: "Stand", isStep: true,
  });
});

test("one bound alone does not fix the axis", () => {
  equal(read({ ymin: "0" }).range, null);
});

test("what cannot be used is named", () => {
  throws(() => readAttributes({}), /^data-signals: wanted channel.signal/);
  throws(() => read({ window: "soon" }), /^data-window: wanted seconds from 0.001 to 600, got "soon"/);
  throws(() => read({ window: "1e-5" }), /data-window/);
  throws(() => read({ signals: `a.${"x".repeat(600)}` }), /data-signals: wanted names of at most 512 characters, got "a.x+… of 602"/);
  throws(() => read({ height: "9999" }), /data-height/);
  throws(() => read({ ymin: "2", ymax: "1" }), /data-ymin: wanted less than data-ymax \(1\), got 2/);
  throws(() => read({ ymin: "1", ymax: "1.0000000000000002" }), /data-ymax: wanted at least 1\.0\d*e-12 more than data-ymin \(1\)/);
  throws(() => read({ theme: "blue" }), /data-theme: wanted auto, dark or light, got "blue"/);
  throws(() => read({ colors: "#FF0000,nocolour" }), /data-colors: "nocolour" is no colour/);
  throws(() => read({ mode: "roll" }), /data-mode: wanted scroll or sweep, got "roll"/);
  throws(() => read({ axes: "1,2" }), /data-axes: wanted a number from 1 to 4 for each of 1 signals, got "1,2"/);
  throws(() => read({ tz: "Mars/Olympus" }), /data-tz: wanted UTC, local or a name/);
  throws(() => read({ limits: "warn:2:1" }), /data-limits: wanted such as warn/);
  throws(() => read({ limits: "warn:a:1" }), /data-limits/);
  throws(() => read({ rate: "fast" }), /data-rate: wanted live or full/);
  throws(() => read({ windowSize: "3" }), /^data-window-size: no such attribute/);
});

function luminance(color) {
  const parts = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255);
  const [r, g, b] = parts.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const contrast = (a, b) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};

test("traces have a contrast of 3, words of 4.5", () => {
  for (const { background, text, faint, alert, traces, warn, alarm } of Object.values(PALETTES)) {
    for (const color of [...traces, warn, alarm]) equal(contrast(color, background) >= 3, true, color);
    for (const color of [text, faint, alert]) equal(contrast(color, background) >= 4.5, true, color);
  }
});

test("palettes are those of old but for the light orange", () => {
  equal(PALETTES.dark.traces, ["#FFFF00", "#00FFFF", "#FF00FF", "#00FF00", "#FFA500", "#FF6B6B"]);
  equal(PALETTES.light.traces.filter((color) => color !== "#D96C00"), ["#0000FF", "#FF0000", "#00AA00", "#8000FF", "#008080"]);
});
