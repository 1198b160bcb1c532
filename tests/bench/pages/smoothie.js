// smoothie, with its own loop: samples are appended as they come.

import { COLORS, height, signals, width, windowS } from "./options.js";
import { Source } from "./source.js";

const DELAY_MS = 75; // as ours

const canvas = Object.assign(document.createElement("canvas"), { width, height });
document.body.append(canvas);
const chart = new SmoothieChart({
  millisPerPixel: (windowS * 1000) / width,
  grid: { fillStyle: "#fff", strokeStyle: "#ddd", millisPerLine: 5000 },
  labels: { fillStyle: "#333" },
  interpolation: "linear",
});
const all = Array.from({ length: signals }, (_, signal) => {
  const series = new TimeSeries();
  chart.addTimeSeries(series, { strokeStyle: COLORS[signal], lineWidth: 1.5 });
  return series;
});
let isFull = false;
new Source((times, values, signal, isReset) => {
  const series = all[signal];
  for (let i = 0; i < times.length; i++) series.append(times[i], values[i]);
  if (isReset && signal === signals - 1) isFull = true;
});
chart.streamTo(canvas, DELAY_MS);
globalThis.bench = { isReady: () => isFull };
