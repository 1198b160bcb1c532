// How a chart does: how old what it shows is, how long the way from the server to the screen takes, what was lost.

import { Panel } from "./panel.js";

const REFRESH_MS = 500;
const LONG_AGO_MS = 120_000;

const ms = (value) => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : "–");

export default class InfoPanel extends Panel {
  constructor(chart, hand) {
    super(chart, hand, "Info");
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open(REFRESH_MS);
  }

  fill() {
    const { chart } = this;
    const { feed } = chart;
    const [p50, p99] = feed.delays.of(0.5, 0.99);
    const rows = [
      ["What", "Now"],
      ["Age of the newest sample shown", ageText(chart)],
      ["From server to screen, median and 99 %", `${ms(p50)}, ${ms(p99)}`],
      ["Drawn", `${feed.drawn.fps} times a second, ${ms(feed.drawn.ms)} each`],
      ["Between updates", ms(feed.tickMs)],
      ["Updates that came late, merged into others", String(feed.merged)],
      ...chart.signals.map((signal) => [signal.name, streamText(signal)]),
      ...lossRows(chart),
    ];
    this.put(rows, "How this chart does");
  }
}

function ageText(chart) {
  const [, end] = chart.painter.range;
  const newest = Math.max(...chart.signals.map((signal) => signal.shown?.newestTime ?? -Infinity));
  const age = chart.now - Math.min(newest, end);
  if (!Number.isFinite(age)) return ms(NaN);
  return age < LONG_AGO_MS ? ms(age) : `${(age / 60_000).toFixed(0)} min`;
}

function streamText({ columns, isRaw, way, error }) {
  if (error) return error;
  const rate = way.stream === "full" ? "at full rate" : "decimated";
  return `${rate}, ${isRaw ? "samples" : "columns"} sent, columns of ${+columns.widthMs.toPrecision(4)} ms drawn`;
}

function lossRows(chart) {
  const channels = [...new Set(chart.signals.map((signal) => signal.channel))];
  return channels.map((name) => {
    const { losses = [], drops = 0, bad = 0 } = chart.feed.channels.get(name) ?? {};
    const records = losses.reduce((sum, [, , count]) => sum + (count ?? 0), 0);
    return [`Lost of ${name}`, `${losses.length} gaps of ${records} numbered records, ${drops} packets dropped, ${bad} not understood`];
  });
}
