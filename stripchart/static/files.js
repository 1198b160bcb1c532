// Files of what a chart shows: a picture with title, axes and zone; the values as CSV, which says what they are.

import { offsetMs, zoneText } from "./zone.js";

const PAD_PX = 8;
const LINE_PX = 18;

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const stamp = (ms) => new Date(ms).toISOString();
const nameOf = (chart, ending) => {
  const title = chart.settings.title || chart.signals.map((signal) => signal.name).join("_");
  return `${title.replace(/[^\w.-]+/g, "_").slice(0, 80)}_${stamp(chart.painter.range[1]).replace(/[:.]/g, "")}.${ending}`;
};

// The picture with the words over it, which are no part of the canvas on the page.
export function drawPicture(chart) {
  const { canvas, layer, area } = chart.picture;
  const { dpr } = area;
  const lines = headLines(chart);
  const head = Math.round((lines.length * LINE_PX + PAD_PX) * dpr);
  const picture = document.createElement("canvas");
  Object.assign(picture, { width: canvas.width, height: canvas.height + head });
  const context = picture.getContext("2d");
  context.fillStyle = chart.palette.background;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(canvas, 0, head);
  context.drawImage(layer, 0, 0, area.width, area.height, area.left, head + area.top, area.width, area.height);
  context.font = `${Math.round(13 * dpr)}px system-ui, sans-serif`;
  context.textBaseline = "top";
  lines.forEach(([color, text], i) => {
    context.fillStyle = color;
    context.fillText(text, PAD_PX * dpr, (PAD_PX + i * LINE_PX) * dpr, picture.width - 2 * PAD_PX * dpr);
  });
  return picture;
}

function headLines(chart) {
  const { palette, settings, styles, signals } = chart;
  const [start, end] = chart.painter.range;
  const zone = zoneText(offsetMs(end, settings.zone));
  const traces = signals.map(({ name, unit }, i) => [styles[i].color, `${styles[i].isDashed ? "╌ " : "━ "}${name}${unit && ` (${unit})`}`]);
  return [[palette.text, `${settings.title || "SpeedData"}: ${stamp(start)} to ${stamp(end)}, labels in ${zone}`], ...traces];
}

export function savePicture(chart) {
  drawPicture(chart).toBlob((blob) => save(blob, nameOf(chart, "png")), "image/png");
}

const quoted = (text) => (/[",\n]|^[=+@-]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

// The values shown, a line per column; the head tells what a line stands for.
export function valuesText(chart) {
  const [start, end] = chart.painter.range;
  const lines = [`# shown from ${stamp(start)} to ${stamp(end)}; times are UTC`];
  for (const { name, unit, ...signal } of chart.signals.map((one) => ({ name: one.name, unit: one.unit, one }))) {
    const columns = listOf(chart, signal.one, start, end);
    const samples = columns.reduce((sum, column) => sum + column[6], 0);
    const width = columns.length ? columns[0][1] - columns[0][0] : 0;
    const kind = columns.every((column) => column[6] === 1) ? "samples as they were received" : `columns of ${+width.toFixed(6)} ms`;
    lines.push(`# ${name}${unit && ` in ${unit}`}: ${kind}, ${columns.length} lines for ${samples} samples`);
  }
  lines.push("signal,time,first,min,max,last,samples");
  for (const signal of chart.signals) {
    for (const [from, , first, min, max, last, samples] of listOf(chart, signal, start, end)) {
      lines.push([quoted(signal.name), stamp(from), first, min, max, last, samples].join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

// Columns shown of a signal, as Columns.list gives them; those of a chart that stands still are pixels of its view.
function listOf(chart, signal, start, end) {
  const columns = chart.view ? chart.view.traces.get(signal) : chart.columnsOf(signal);
  if (!chart.view) return columns?.list(start, end) ?? [];
  const { width } = chart.picture.area;
  const ms = (end - start) / width;
  return columns.list(width, 2 * width).map(([from, to, ...rest]) => [start + (from - width) * ms, start + (to - width) * ms, ...rest]);
}

export function saveValues(chart) {
  save(new Blob([valuesText(chart)], { type: "text/csv" }), nameOf(chart, "csv"));
}
