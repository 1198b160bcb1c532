// Files of what a chart shows: a picture with title, axes and zone; the values as CSV, which says what they are.

import { rowsOf } from "./shown.js";
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

// The values shown, a line per column or record; the head tells what a line stands for.
export function valuesText(chart) {
  const [start, end] = chart.painter.range;
  const shown = chart.signals.map((signal) => [signal, rowsOf(chart, signal)]);
  const digits = chart.view ? 9 : 6; // what is live is known to the microsecond
  const lines = [`# shown from ${stamp(start)} to ${stamp(end)}; times are UTC`];
  for (const [{ name, unit }, rows] of shown) lines.push(`# ${name}${unit && ` in ${unit}`}: ${kindsText(rows)}`);
  lines.push("signal,time,first,min,max,last,samples");
  for (const [{ name, symbols }, rows] of shown) {
    const told = (value) => (symbols ? quoted(symbols[value] ?? "") : value);
    for (const { time, first, min, max, last, samples } of rows) {
      lines.push([quoted(name), fineStamp(time, digits), ...[first, min, max, last].map(told), samples].join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

// "40 records of the archive, 700 columns of 27 ms of 13842 samples as decimated".
function kindsText(rows) {
  const kinds = Map.groupBy(rows, ({ each, of }) => `${each} ${of}`);
  const texts = [...kinds.values()].map((alike) => {
    const [{ each, of }] = alike;
    const samples = alike.reduce((sum, row) => sum + row.samples, 0);
    return each ? `${alike.length} ${each} of ${samples} ${of}` : `${samples} ${of}`;
  });
  return texts.join(", ") || "nothing";
}

// A time in ns, with as many digits of the second.
function fineStamp(time, digits) {
  const seconds = stamp(Number(time / 1_000_000_000n) * 1000).slice(0, 19);
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, "0").slice(0, digits)}Z`;
}

export function saveValues(chart) {
  save(new Blob([valuesText(chart)], { type: "text/csv" }), nameOf(chart, "csv"));
}
