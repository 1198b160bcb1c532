import { clockText, sinceText, spanText, tickText, timeStep, valueText } from "/static/stripchart/format.js";
import { equal, test } from "./harness.js";

test("values", () => {
  const cases = [
    [[0.5, "V"], "0.5000\u202fV"],
    [[-0.05, ""], "−0.05000"],
    [[1234, "", true], "1234"],
    [[-7, "rpm", true], "−7\u202frpm"],
    [[15.8e9, "B", true], "15.80\u202fGB"],
    [[37.25, "%"], "37.25\u202f%"],
    [[12345.678, ""], "12345.7"],
    [[2736.4, "1/min"], "2736\u202f1/min"],
    [[1291.2, "kPa"], "1291\u202fkPa"],
    [[123456789.1, "s"], "123456789.1\u202fs"],
    [[1.5e12, ""], "1.500e+12"],
    [[2e-7, "A"], "2.000e-7\u202fA"],
    [[0, "B/s"], "0\u202fB/s"],
    [[NaN, "V"], "–"],
    [[Infinity, "V"], "∞"],
    [[-Infinity, ""], "−∞"],
  ];
  for (const [given, text] of cases) equal(valueText(...given), text, given);
});

test("labels of an axis", () => {
  const cases = [
    [[0.2, 0.2, 1], "0.2"],
    [[0.05, 0.05, 0.1], "0.05"],
    [[1e-17, 0.1, 1], "0"],
    [[-1.5, 0.5, 2], "−1.5"],
    [[20, 10, 100], "20"],
    [[5000, 1000, 9000], "5000"],
    [[5000, 5000, 20000], "5k"],
    [[12500, 500, 20000], "12.5k"],
    [[3e9, 1e9, 5e9], "3G"],
    [[2e-5, 1e-5, 5e-5], "2.0e-5"],
  ];
  for (const [given, text] of cases) equal(tickText(...given), text, given);
});

test("steps of time", () => {
  equal([[10, 10], [30, 7], [60, 12], [600, 8], [0.5, 6]].map(([s, n]) => timeStep(s, n)), [1, 5, 5, 120, 0.1]);
});

test("clocks", () => {
  const time = Date.UTC(2026, 0, 5, 7, 8, 9, 456);
  const texts = [60, 1, 0.1, 0.01, 0.001].map((step) => clockText(time, step));
  equal(texts, ["07:08", "07:08:09", "07:08:09.4", "07:08:09.45", "07:08:09.456"]);
});

test("spans", () => {
  equal([3.9, 119, 120, 7199, 7200].map(spanText), ["3 s", "119 s", "2 min", "119 min", "2 h"]);
});

test("when something began", () => {
  const now = new Date(2026, 10, 22, 15, 0);
  equal(sinceText(new Date(2026, 10, 22, 9, 3, 59), now), "09:03");
  equal(sinceText(new Date(2026, 10, 21, 23, 59), now), "21 Nov 23:59");
  equal(sinceText(new Date(2025, 10, 22, 15, 0), now), "22 Nov 2025 15:00");
});
