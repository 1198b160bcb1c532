import { readAttributes } from "/static/stripchart/attributes.js";
import { PALETTES } from "/static/stripchart/theme.js";
import { equal, test, throws } from "./harness.js";

const read = (attributes) => readAttributes({ signals: "a.b", ...attributes });

test("defaults are those of old", () => {
  const { ymin, ymax, ...rest } = read({});
  equal([Number.isNaN(ymin), Number.isNaN(ymax)], [true, true]);
  equal(rest, { signals: ["a.b"], window: 30, height: 300, colors: [], theme: "auto" });
});

test("everything that is declared counts", () => {
  const given = { signals: " a.b, c.d ,", window: "60", height: "400", ymin: "-1.5", ymax: "1.5", theme: "dark" };
  equal(read({ ...given, colors: "#FF0000, #00FF00" }), {
    signals: ["a.b", "c.d"],
    window: 60,
    height: 400,
    ymin: -1.5,
    ymax: 1.5,
    colors: ["#FF0000", "#00FF00"],
    theme: "dark",
  });
});

test("one bound alone does not fix the axis", () => {
  equal(Number.isNaN(read({ ymin: "0" }).ymin), true);
});

test("what cannot be used is named", () => {
  throws(() => readAttributes({}), /^data-signals: wanted channel.signal/);
  throws(() => read({ window: "soon" }), /^data-window: wanted seconds over 0 and up to 600, got "soon"/);
  throws(() => read({ window: "0" }), /data-window/);
  throws(() => read({ height: "9999" }), /data-height/);
  throws(() => read({ ymin: "2", ymax: "1" }), /data-ymin: wanted less than data-ymax \(1\), got 2/);
  throws(() => read({ theme: "blue" }), /data-theme: wanted auto, dark or light/);
  throws(() => read({ colors: "#FF0000,nocolour" }), /data-colors: "nocolour" is no colour/);
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
  for (const { background, text, faint, alert, traces } of Object.values(PALETTES)) {
    for (const color of traces) equal(contrast(color, background) >= 3, true, color);
    for (const color of [text, faint, alert]) equal(contrast(color, background) >= 4.5, true, color);
  }
});

test("palettes are those of old but for the light orange", () => {
  equal(PALETTES.dark.traces, ["#FFFF00", "#00FFFF", "#FF00FF", "#00FF00", "#FFA500", "#FF6B6B"]);
  equal(PALETTES.light.traces.filter((color) => color !== "#D96C00"), ["#0000FF", "#FF0000", "#00AA00", "#8000FF", "#008080"]);
});
