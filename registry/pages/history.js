// The history page: choose signals, move over all that was recorded, tag and export what is shown.

import { reachable } from "/static/stripchart/address.js";
import { onThemeChange } from "/static/stripchart/theme.js";

import * as api from "./api.js";
import { remembered, rememberedTheme } from "./choices.js";
import { setText } from "./dom.js";
import { ExportDialog } from "./history-export.js";
import { Gestures } from "/static/stripchart/past/gestures.js";
import { firstShown, lookUp, missingText, spanOf } from "./history-choice.js";
import { Address } from "./history-hash.js";
import { Overview } from "./history-overview.js";
import { askSignals } from "/static/stripchart/past/query.js";
import { RangeForm } from "./history-range.js";
import { SignalPicker } from "./history-signals.js";
import { Stage } from "./history-stage.js";
import { TagDialog, TagLane, loadTags } from "./history-tags.js";
import { lengthText, setClock } from "/static/stripchart/past/time.js";
import { countText, zoneName } from "/static/stripchart/past/words.js";

const ZONE_KEY = "speeddata.zone";
const LOOK_MS = 10_000; // after what is new: signals, tags, where recordings end
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
const address = new Address(() => ({ signals: [...stage.signalNames, ...missing], view }), show);
let signals = []; // the catalogue
let missing = []; // names that were asked for, of no signal in it
let place = null; // of the cursor in the view
let isStarted = false; // something is recorded, and shown
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

function choose(names) {
  const found = lookUp(signals, names);
  missing = found.missing;
  stage.choose(found.known);
  spanRecording();
  if (isStarted) address.keep("choose");
  lookForTags();
  showCount();
}

function showCount() {
  const count = stage.signals.length;
  setText(byId("chosenCount"), count ? `${count} of ${signals.length}` : "none");
  const words = trouble || !isStarted ? "" : "Choose a signal to see what was recorded of it.";
  byId("empty").hidden = stage.signals.length > 0 || !words;
  setText(byId("empty"), words);
  for (const id of ["tag", "export"]) byId(id).disabled = count === 0;
}

// The recording is what there is of the signals that are shown.
function spanRecording() {
  const span = spanOf(stage.signals) ?? spanOf(signals);
  if (span) view.span(...span);
}

function drawn() {
  lane.draw(stage.inset);
  if (isStarted) range.update();
  const told = [stage.rangeText(), zoneName(view.start, view.end, stage.zone), lengthText(view.length)].join(" · ");
  setText(byId("rangeText"), stage.signals.length ? told : "");
  document.querySelector(".stage").setAttribute("aria-busy", String(stage.isBusy));
  document.querySelector(".shown").classList.toggle("busy", stage.isBusy && !stage.isComplete);
  if (place !== null) showPoint();
  showState();
}

function showState() {
  const chip = byId("state");
  const isBroken = trouble || stage.troubleOf(stage.signals);
  const [text, tone] = isBroken ? ["Not loaded", "bad"] : view.follows ? ["Following", "good"] : ["Stored", "quiet"];
  setText(chip, isStarted || trouble ? text : byId("nothing").hidden ? "Loading" : "Empty");
  chip.dataset.tone = tone;
  tellTrouble();
}

function tellTrouble() {
  const own = [...new Set([...stage.loaders.values()].map((loader) => loader.trouble).filter(Boolean))];
  const { damages: count } = stage;
  const damages = count ? `${countText(count, "damaged place")} of the archive left out.` : "";
  const text = [trouble, isStarted ? missingText(missing) : "", ...own, damages].filter(Boolean).join(" ");
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
  const found = lookUp(signals, names ?? []);
  const chosen = names === null ? firstShown(signals) : found.known;
  missing = found.missing;
  if (chosen.map((signal) => signal.name).join() !== stage.signalNames.join()) stage.choose(chosen);
  picker.update(signals, stage.signalNames);
  spanRecording();
  if (start !== null) view.show(start, end, why, false);
  else if (last) view.showLast(last, why);
  else view.showAll(why);
  showCount();
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
  if (isStarted) renew();
  else if (spanOf(signals)) start();
  else showNothing(true);
}

// Take in what is new in the catalogue.
function renew() {
  const byName = new Map(signals.map((signal) => [signal.name, signal]));
  stage.signals = stage.signals.map((signal) => byName.get(signal.name) ?? signal);
  if (missing.some((name) => byName.has(name))) choose([...stage.signalNames, ...missing]);
  spanRecording();
  picker.update(signals, stage.signalNames);
  showCount();
  stage.redraw();
}

// Nothing is recorded: tell how to begin.
function showNothing(isEmpty) {
  byId("nothing").hidden = !isEmpty;
  for (const part of document.querySelectorAll(".picker, .shown")) part.hidden = isEmpty;
  document.querySelector("#nothing .calls").href = `${stage.pivot}/docs`;
  showState();
}

function start() {
  isStarted = true;
  showNothing(false);
  stage.overview = new Overview(byId("overview"), stage);
  address.read();
  lookForTags();
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
