// A live chart of one signal, c.a, and the same standing still.

import { Past } from "/static/stripchart/past/painter.js";
import { Feeder } from "./feeder.js";

export const AWAY = { pivot: async () => Promise.reject(new Error("The history service does not run.")), signals: async () => [] };
export const SILENT = { pivot: () => new Promise(() => {}), signals: async () => [] };
export const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

// A chart in columns of 20 ms, with samples; `told` is told of the signal besides.
export async function live(times, values, told = {}, attributes = {}) {
  const feeder = new Feeder();
  const chart = await feeder.chart({ signals: "c.a", window: "20", ...attributes }, [900, 300]);
  const signal = { name: "c.a", feed: 0, id: feeder.ids.get("c.a"), channel: "c", raw: true, type: "double", unit: "V", number: true, width: 20, ...told };
  feeder.feed.handle({ type: "subscribed", signals: [signal] });
  feeder.window(times, { "c.a": values });
  feeder.draw(10);
  feeder.draw(20);
  return { feeder, chart };
}

export async function paused(chart, source = SILENT) {
  const past = new Past(chart, source);
  chart.painter = chart.view = past;
  await settled();
  return past;
}

export function draw(feeder, chart) {
  chart.isDirty = true;
  chart.draw(feeder.madeAt + 30);
  chart.refresh(feeder.madeAt + 30);
}
