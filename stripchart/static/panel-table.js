// The values shown as a table, thinned to what can be read: for who cannot see the chart, and for copying.

import { valueText } from "./format.js";
import { Panel } from "./panel.js";
import { extremesOf } from "./shown.js";

const ROWS = 20;
const REFRESH_MS = 5000;

export default class TablePanel extends Panel {
  constructor(chart, hand) {
    super(chart, hand, "Values shown");
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open(REFRESH_MS);
  }

  fill() {
    const { chart, hand } = this;
    const [start, end] = chart.painter.range;
    const step = (end - start) / ROWS;
    const heads = chart.signals.flatMap(({ name, unit }) => [`${name} min${unit && ` (${unit})`}`, "max"]);
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const [from, to] = [start + i * step, start + (i + 1) * step];
      return [hand.cursor.timeText(chart, from), ...chart.signals.flatMap((signal) => extremesText(chart, signal, from, to))];
    });
    this.put([["From", ...heads], ...rows.reverse()], `Smallest and largest values of ${(step / 1000).toPrecision(3)} s each, newest first`);
  }
}

function extremesText(chart, signal, from, to) {
  const out = [Infinity, -Infinity];
  extremesOf(chart, signal, from, to, out);
  return out[0] <= out[1] ? out.map((value) => signal.symbols?.[value] ?? valueText(value, "", signal.isWhole)) : ["–", "–"];
}
