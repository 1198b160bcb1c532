// The history page: choose signals, move over all that was recorded, tag and export what is shown.

import { reachable } from "/static/stripchart/address.js";
import { onThemeChange } from "/static/stripchart/theme.js";

import * as api from "./api.js";
import { remembered, rememberedTheme } from "./choices.js";
import { setText } from "./dom.js";
import { ExportDialog } from "./history-export.js";
import { Gestures } from "./history-gestures.js";
import { Address } from "./history-hash.js";
import { Overview } from "./history-overview.js";
import { askSignals } from "./history-query.js";
import { RangeForm } from "./history-range.js";
import { SignalPicker } from "./history-signals.js";
import { Stage } from "./history-stage.js";
import { TagDialog, TagLane, loadTags } from "./history-tags.js";
import { lengthText, setClock } from "./history-time.js";

const ZONE_KEY = "speeddata.zone";
const LOOK_MS = 10_000; // after what is new: signals, tags, where recordings end
const FIRST_SHOWN = 4; // signals, where none were chosen
const SPEAK_MS = 700;

const byId = (id) => document.getElementById(id);
const stage = new Stage(byId("charts"), { drawn, settled, error: tellTrouble, gestures });
const { view } = stage;
const picker = new SignalPicker(byId("picker"), choose);
const lane = new TagLane(byId("tagLane"), stage, (tag) => tagDialog.open(tag));
const tagDialog = new TagDialog(byId("tagDialog"), stage, {
  changed: lookForTags,
  show: (start, end) => view.show(start, end, "jump"),
  closed: () => mark(null),
});
const exportDialog = new ExportDialog(byId("exportDialog"), stage);
const range = new RangeForm(stage);
const address = new Address(() => ({ signals: stage.signalNames, view }), show);
let signals = []; // the catalogue
let place = null; // of the cursor in the view
let isStarted = false;
let trouble = ""; // that kept the catalogue away

// A chart is moved and read by pointer and keys.
function gestures(chart) {
  chart.plotBox.tabIndex = 0;
  chart.plotBox.setAttribute("role", "group");
  chart.plotBox.setAttribute("aria-label", `Chart of ${chart.signals.map((signal) => signal.name).join(", ")}`);
  chart.plotBox.setAttribute("aria-describedby", "help");
  new Gestures(chart.plotBox, chart, view, { point, mark: (from, to) => mark([from, to]), tag: tagRange, step });
}

function point(where) {
  place = where;
  showPoint();
}

function step(by) {
  const width = stage.charts[0]?.plot?.width ?? 100;
  point(Math.min(1, Math.max(0, (place ?? 0.5) + (by * 4) / width)));
  const { found, name } = stage.charts[0]?.signals[0] ?? {};
  if (found) speak(`${found.words}: ${name} ${found.text(stage.charts[0].signals[0])}`);
}

function showPoint() {
  const time = place === null || place < 0 || place > 1 ? null : view.timeAt(place);
  for (const chart of stage.charts) chart.point(time);
  const found = stage.charts.flatMap((chart) => chart.signals).find((signal) => signal.found)?.found;
  setText(byId("pointed"), found ? found.words : "");
}

function mark(places) {
  const [from, to] = places ? [Math.min(...places), Math.max(...places)] : [];
  stage.chosen = places && { start: view.timeAt(from), end: view.timeAt(to) };
  stage.redraw();
}

function tagRange(from, to) {
  const [start, end] = [view.timeAt(Math.min(from, to)), view.timeAt(Math.max(from, to))];
  stage.chosen = { start, end };
  stage.redraw();
  tagDialog.open({ start, end });
}

// Signals by name; those that are not in the catalogue are left out.
function known(names) {
  const byName = new Map(signals.map((signal) => [signal.name, signal]));
  return names.map((name) => byName.get(name)).filter(Boolean);
}

function choose(names) {
  stage.choose(known(names));
  spanRecording();
  if (isStarted) address.keep("choose");
  lookForTags();
  showCount();
}

function showCount() {
  const count = stage.signals.length;
  setText(byId("chosenCount"), count ? `${count} of ${signals.length}` : "none");
  const words = trouble || !isStarted ? "" : signals.length ? "Choose a signal to see what was recorded of it." : "Nothing was recorded yet.";
  byId("empty").hidden = stage.signals.length > 0 || !words;
  setText(byId("empty"), words);
  for (const id of ["tag", "export"]) byId(id).disabled = count === 0;
}

// The recording is what there is of the signals that are shown.
function spanRecording() {
  const spans = (stage.signals.length ? stage.signals : signals).filter((signal) => signal.first !== null);
  if (!spans.length) return;
  const first = spans.reduce((least, { first }) => (first < least ? first : least), spans[0].first);
  const last = spans.reduce((most, { last }) => (last > most ? last : most), spans[0].last);
  view.span(first, last);
}

function drawn() {
  lane.draw(stage.inset);
  range.update();
  setText(byId("rangeText"), stage.signals.length ? `${stage.rangeText()} · ${lengthText(view.length)}` : "");
  document.querySelector(".stage").setAttribute("aria-busy", String(stage.isBusy));
  document.querySelector(".shown").classList.toggle("busy", stage.isBusy && !stage.isComplete);
  if (place !== null) showPoint();
  showState();
}

function showState() {
  const chip = byId("state");
  const isBroken = trouble || stage.troubleOf(stage.signals);
  const [text, tone] = isBroken ? ["Not loaded", "bad"] : view.follows ? ["Following", "good"] : ["Stored", "quiet"];
  setText(chip, isStarted || trouble ? text : "Loading");
  chip.dataset.tone = tone;
  tellTrouble();
}

function tellTrouble() {
  const own = [...new Set([...stage.loaders.values()].map((loader) => loader.trouble).filter(Boolean))];
  const { damages: count } = stage;
  const damages = count ? `${count} damaged ${count === 1 ? "place" : "places"} of the archive left out.` : "";
  const text = [trouble, ...own, damages].filter(Boolean).join(" ");
  setText(byId("trouble"), text);
  byId("trouble").hidden = !text;
}

let spokenLater = 0;
function speak(text) {
  clearTimeout(spokenLater);
  spokenLater = setTimeout(() => setText(byId("spoken"), text), SPEAK_MS);
}

function settled(why) {
  if (isStarted) address.keep(why);
  speak(stage.charts.map((chart) => chart.label).join(". "));
}

// Show what an address says; what it does not say is chosen.
function show({ signals: names, start, end, last }, why) {
  const wanted = known(names ?? []);
  const chosen = names === null ? firstShown() : wanted;
  if (chosen.map((signal) => signal.name).join() !== stage.signalNames.join()) stage.choose(chosen);
  picker.update(signals, stage.signalNames);
  spanRecording();
  if (start !== null) view.show(start, end, why, false);
  else if (last) view.showLast(last);
  else view.showAll();
  showCount();
}

function firstShown() {
  const drawable = signals.filter((signal) => signal.first !== null);
  const latest = drawable.reduce((best, signal) => (best && best.last >= signal.last ? best : signal), null);
  return drawable.filter((signal) => signal.channel === latest?.channel).slice(0, FIRST_SHOWN);
}

async function lookForSignals() {
  try {
    if (!stage.pivot) {
      const { pivot } = await api.services();
      if (!pivot) throw new Error("The history service does not run.");
      const time = await api.serverTime();
      if (!Number.isNaN(time)) setClock(time);
      stage.pivot = reachable(pivot, location.protocol.slice(0, -1));
    }
    signals = await askSignals(stage.pivot);
    trouble = "";
  } catch (error) {
    trouble = error.message;
    showState();
    return;
  }
  if (!isStarted) start();
  else {
    const byName = new Map(signals.map((signal) => [signal.name, signal]));
    stage.signals = stage.signals.map((signal) => byName.get(signal.name) ?? signal);
    spanRecording();
    picker.update(signals, stage.signalNames);
    showCount();
    stage.redraw();
  }
}

function start() {
  isStarted = true;
  stage.overview = new Overview(byId("overview"), stage);
  address.read();
  lookForTags();
  stage.redraw();
}

async function lookForTags() {
  try {
    stage.tags = await loadTags(stage.channels);
    stage.redraw();
  } catch (error) {
    console.warn(`tags: ${error.message}`);
  }
}

async function keepLooking() {
  if (document.visibilityState === "visible") await Promise.all([lookForSignals(), isStarted && lookForTags()]);
  setTimeout(keepLooking, isStarted && !trouble ? LOOK_MS : 2000);
}

// A view that follows goes on by about two pixels at a time.
function advance() {
  if (document.visibilityState === "visible" && stage.signals.length) {
    view.advance();
    if (view.follows) stage.redraw();
  }
  const pixel = Number(view.length) / 1e6 / (stage.charts[0]?.plot?.width ?? 1000);
  setTimeout(advance, Math.min(30_000, Math.max(500, 2 * pixel)));
}

byId("picker").open = matchMedia("(min-width: 821px)").matches;
rememberedTheme(byId("theme"));
remembered(byId("zone"), ZONE_KEY, (zone) => {
  stage.zone = zone;
  stage.redraw();
});
byId("tag").addEventListener("click", () => tagRange(0, 1));
byId("export").addEventListener("click", () => exportDialog.open());
onThemeChange(() => stage.paint());
document.addEventListener("visibilitychange", () => stage.request());
globalThis.historyStage = stage; // for tests and the curious
showCount();
keepLooking();
advance();
