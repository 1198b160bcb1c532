// Marks: times with a note, kept by the registry as tags, shown on every chart and in the history.

import { base } from "./address.js";
import { contentOf, sent } from "./past/http.js";

const LOOK_MS = 5000;

let tags = [];
let charts = null;

// Have all charts show what is tagged, from now on. It is looked for while the page is connected.
export function watchMarks(all, feed) {
  charts = all;
  const isWanted = () => document.visibilityState === "visible" && feed.socket.state === "open";
  if (isWanted()) look();
  setInterval(() => isWanted() && look(), LOOK_MS);
}

async function look() {
  try {
    const told = await contentOf(await fetch(`${base}/api/v1/tags`, { signal: AbortSignal.timeout(3000) }));
    const found = told.tags.map(({ name, start, end, channels }) => ({ name, channels, span: [Date.parse(start), Date.parse(end)] }));
    if (JSON.stringify(found) === JSON.stringify(tags)) return;
    tags = found;
    for (const chart of charts.values()) chart.wake();
  } catch {
    // The page's socket tells of a connection that is lost; marks come back with it.
  }
}

// Those of a chart's channels.
export const marksOf = (chart) => tags.filter(({ channels }) => !channels?.length || chart.signals.some((signal) => channels.includes(signal.channel)));

// Ask for a note and keep a mark at a time, or over a range.
export function addMark(hand, start, end = start) {
  const { chart } = hand;
  const form = document.createElement("form");
  form.className = "stripchart-note-form";
  const field = Object.assign(document.createElement("input"), { name: "note", required: true, maxLength: 200, placeholder: "Note", autocomplete: "off" });
  field.setAttribute("aria-label", `Note at ${hand.cursor.timeText(chart, start)}`);
  const keep = Object.assign(document.createElement("button"), { textContent: "Keep" });
  const drop = Object.assign(document.createElement("button"), { type: "button", textContent: "Cancel" });
  const told = Object.assign(document.createElement("output"));
  form.append(`Mark at ${hand.cursor.timeText(chart, start)}: `, field, keep, drop, told);
  const close = () => {
    form.remove();
    hand.box.focus();
  };
  drop.addEventListener("click", close);
  form.addEventListener("keydown", (event) => event.key === "Escape" && close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await keepMark(chart, field.value, start, end);
      close();
      look();
    } catch (error) {
      told.textContent = error.message;
    }
  });
  chart.box.append(form);
  field.focus();
}

async function keepMark(chart, name, start, end) {
  const channels = [...new Set(chart.signals.map((signal) => signal.channel))].filter(Boolean);
  const [from, to] = [start, end].map((ms) => new Date(ms).toISOString());
  await contentOf(await fetch(`${base}/api/v1/tags`, sent("POST", { name, start: from, end: to, channels })));
}
