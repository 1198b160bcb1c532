// uPlot, driven as its own demos of streams do: new data and a new x scale for every frame.

import uPlot from "/node_modules/uplot/dist/uPlot.esm.js";
import { COLORS, channel, height, points, signals, width, windowS } from "./options.js";
import { Source, Table } from "./source.js";
import { fill } from "./waves.js";

const DELAY_MS = 75; // as ours: the newest samples have come when their time is shown

const series = Array.from({ length: signals }, (_, signal) => ({ label: `s${signal}`, stroke: COLORS[signal], width: 1.5, points: { show: false } }));
const options = { width, height, series: [{}, ...series], legend: { show: false }, cursor: { show: false } };

function showStream() {
  const table = new Table(Math.round(windowS * Number(channel.match(/\d+/)[0])));
  const source = new Source((times, values, signal) => table.append(times, values, signal));
  let plot = null;
  const step = (localMs) => {
    requestAnimationFrame(step);
    if (!table.end) return;
    plot ??= new uPlot(options, table.data(), document.body);
    const max = (source.now(localMs) - DELAY_MS) / 1000;
    plot.setData(table.data(), false);
    plot.setScale("x", { min: max - windowS, max });
  };
  requestAnimationFrame(step);
  return () => table.end >= table.capacity;
}

function showWaves() {
  const data = Array.from({ length: signals + 1 }, () => new Float64Array(points));
  const plot = new uPlot(options, data, document.body);
  const stepS = windowS / points;
  const step = (localMs) => {
    requestAnimationFrame(step);
    const start = Date.now() / 1000 - windowS;
    for (let i = 0; i < points; i++) data[0][i] = start + i * stepS;
    for (let signal = 0; signal < signals; signal++) fill(data[signal + 1], signal, localMs);
    plot.setData(data);
  };
  requestAnimationFrame(step);
  return () => true;
}

globalThis.bench = { isReady: points ? showWaves() : showStream() };
