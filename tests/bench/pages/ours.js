// Charts as a page declares them. With ?points=600 each signal's columns are made anew for every frame.

import { charts, height, live, names, points, width, windowS } from "./options.js";
import { fill } from "./waves.js";

const LATE_MS = 500; // a chart whose right edge is further behind does not show what is live

function addChart(parent, number) {
  const canvas = Object.assign(document.createElement("canvas"), { className: "stripchart" });
  Object.assign(canvas.dataset, { signals: names(number).join(), window: windowS, height });
  canvas.style.width = charts > 1 ? "100%" : `${width}px`;
  parent.append(canvas);
}

document.head.append(Object.assign(document.createElement("meta"), { name: "speeddata-live", content: live }));
const parent = document.body.appendChild(Object.assign(document.createElement("div"), { className: charts > 1 ? "wall" : "" }));
for (let number = 0; number < charts; number++) addChart(parent, number);

const { charts: mounted, feed } = await import("/static/stripchart/main.js");
const isEach = (condition) => [...mounted.values()].every((chart) => chart.picture.area && chart.signals.every(({ columns }) => columns) && condition(chart));

// All of the window up to now is there and drawn.
function isFull(chart) {
  const [start, end] = chart.painter.range;
  const isNow = Math.abs(Date.now() - end) < LATE_MS;
  return isNow && chart.signals.every(({ columns }) => columns.list(start, end).length >= (end - start) / columns.widthMs - 3);
}

globalThis.bench = {
  feed,
  charts: mounted,
  isReady: () => isEach(points ? ({ signals }) => signals.every(({ columns }) => columns.newest >= 0) : isFull),
};

// Milliseconds from a page's coming back to sight until the next frame after that in which its charts were whole.
globalThis.bench.returned = new Promise((resolve) => {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    const shownAt = performance.now();
    const check = () => {
      if (globalThis.bench.isReady()) requestAnimationFrame(() => resolve(performance.now() - shownAt));
      else requestAnimationFrame(check);
    };
    requestAnimationFrame(check);
  });
});

if (points) {
  const values = new Float64Array(points);
  const stepMs = (windowS * 1000) / points;
  const drive = (localMs) => {
    requestAnimationFrame(drive);
    if (!feed.clock.known || !isEach(() => true)) return;
    const start = feed.clock.now(localMs) - windowS * 1000;
    for (const chart of mounted.values()) {
      chart.signals.forEach(({ columns }, signal) => {
        fill(values, signal, localMs);
        columns.clear();
        for (let i = 0; i < points; i++) columns.push(start + i * stepMs, values[i]);
      });
      chart.wake();
    }
  };
  requestAnimationFrame(drive);
}
