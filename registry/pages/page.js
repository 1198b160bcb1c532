// The page at the front door: how it all stands, channels, their live charts, and everything that can be done with them.

import { reachable } from "/static/stripchart/address.js";
import { feed } from "/static/stripchart/main.js";

import { Actions } from "./actions.js";
import { AlarmList } from "./alarms.js";
import { lastsText } from "./amounts.js";
import * as api from "./api.js";
import { Card } from "./card.js";
import { remembered, rememberedTheme } from "./choices.js";
import { arrange, setText } from "./dom.js";
import { RegisterForm } from "./register.js";
import { Summary } from "./summary.js";
import { ChannelTable } from "./table.js";

const POLL_MS = 1000;
const STATUS_EVERY = 3; // polls
const OLD_MS = 4 * POLL_MS; // what was not told for longer is not of now
const LIMIT_MS = 3000; // a channel is silent for longer than usual, where the live server has not told when
const NOTICE_MS = 6000;
const STATES = { open: "Live", connecting: "Connecting", reconnecting: "Reconnecting", closed: "Disconnected" };
const WINDOW_KEY = "speeddata.window";

const byId = (id) => document.getElementById(id);
const source = { pivot: "" }; // address of the history service, "" while there is none
const actions = new Actions({ source, tell, say, poll, names: () => channels.map(({ name }) => name) });
const table = new ChannelTable(byId("channelTable"), byId("noChannels"), actions);
const summary = new Summary(byId("tiles"));
const alarms = new AlarmList(byId("alarms"), acknowledge);
const cards = new Map();
let channels = [];
let polls = 0;
let answeredAt = null; // when the registry answered last
const toldAt = { alarms: null, status: null }; // when it told these last
let isAway = false; // it did not answer when it was asked last
let channelsAsked = false;

// Trouble that stays until the next word about it.
let spoken = "";
function tell(text) {
  spoken = text;
  showTrouble();
}

// What was done, told for a while.
let noticeTimer = 0;
function say(text) {
  clearTimeout(noticeTimer);
  setText(byId("notice"), text);
  noticeTimer = setTimeout(() => setText(byId("notice"), ""), NOTICE_MS);
}

function showTrouble() {
  const silent = answeredAt === null ? Infinity : performance.now() - answeredAt;
  const away =
    silent > OLD_MS && channelsAsked
      ? `The registry does not answer${Number.isFinite(silent) ? `: rates and counts are ${lastsText(silent / 1000)} old` : ""}.`
      : "";
  const alarmsOld = oldText("alarms", "Alarms", OLD_MS);
  const statusOld = oldText("status", "Disk and processes", OLD_MS + STATUS_EVERY * POLL_MS);
  const text = [spoken, ...(away ? [away] : [alarmsOld, statusOld])].filter(Boolean).join(" ");
  setText(byId("trouble"), text);
  byId("trouble").hidden = !text;
  for (const id of ["channelTable", "tiles"]) byId(id).classList.toggle("old", Boolean(away));
  byId("alarms").classList.toggle("old", Boolean(away || alarmsOld));
  summary.markOld(Boolean(statusOld));
}

// That something was not told for too long; the page asks since it was opened, and not while nobody looks.
function oldText(what, words, mostMs) {
  const silent = performance.now() - (toldAt[what] ?? 0);
  if (silent <= mostMs || !channelsAsked) return "";
  return toldAt[what] === null ? `${words} are not told by the registry.` : `${words} as they were ${lastsText(silent / 1000)} ago: the registry does not tell.`;
}

async function poll() {
  try {
    channels = await api.channels();
    if (answeredAt === null) byId("register").open = channels.length === 0;
    answeredAt = performance.now();
    if (isAway) feed.socket.retry(); // what runs beside it is likely to be back too, or soon will be
    isAway = feed.socket.state === "reconnecting";
    table.update(channels, answeredAt);
    summary.update(channels, [...table.rows.values()], answeredAt);
    layOutCards();
    await Promise.all([apart(lookAround), apart(showAlarms), ...table.opened.map(showDetails)]);
  } catch (error) {
    console.warn(`registry: ${error.message}`);
    isAway = true;
  }
  channelsAsked = true;
  showTrouble();
}

// Ask for what the rest can do without.
async function apart(ask) {
  try {
    await ask();
  } catch (error) {
    console.warn(`registry: ${error.message}`);
  }
}

// What need not be known each second.
async function lookAround() {
  if (polls++ % STATUS_EVERY) return;
  summary.updateStatus(await api.status());
  toldAt.status = performance.now();
  if (source.pivot) return;
  const { pivot } = await api.services();
  source.pivot = pivot ? reachable(pivot, location.protocol.slice(0, -1)) : "";
  byId("export").hidden = !source.pivot;
}

async function showAlarms() {
  try {
    alarms.update(await api.alarms());
  } catch (error) {
    if (error.status !== 503) throw error;
    alarms.update({ alarms: [], unchecked: [{ channel: null, reason: error.message }] });
  }
  toldAt.alarms = performance.now();
}

async function acknowledge(seen) {
  try {
    await api.acknowledge(seen.map(({ signal, occurrence }) => ({ signal, occurrence })));
    say(`${seen.length === 1 ? seen[0].signal : `${seen.length} alarms`} acknowledged`);
  } catch (error) {
    tell(`Not acknowledged: ${error.message}`);
  }
  poll();
}

async function showDetails(name) {
  try {
    table.updateDetails(await api.channel(name));
  } catch (error) {
    if (error.status !== 404) throw error; // it was removed a moment ago
  }
}

async function keepPolling() {
  if (document.visibilityState === "visible") await poll();
  setTimeout(keepPolling, POLL_MS);
}

function layOutCards() {
  const windowS = Number(byId("window").value);
  const names = new Set(channels.map((channel) => channel.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.element.remove();
    cards.delete(name);
  }
  for (const { name } of channels) {
    const told = feed.channels.get(name);
    if (!told) continue;
    if (!cards.has(name)) cards.set(name, new Card(name));
    cards.get(name).update(told.signals, windowS);
  }
  const shown = channels.map(({ name }) => cards.get(name)).filter(Boolean);
  arrange(byId("live"), shown.map((card) => card.element));
}

// [age, limit] of a channel's newest data in ms: by the live server, without it by the registry's counters; [null, 0] when nobody tells.
function ageOf({ name, arrivals }) {
  const channel = feed.channels.get(name);
  if (feed.socket.state !== "open") {
    const isTold = answeredAt !== null && performance.now() - answeredAt <= OLD_MS;
    return isTold ? [arrivals.age, Math.max(LIMIT_MS, channel?.limit ?? 0)] : [null, 0];
  }
  if (!channel?.last || !feed.clock.known) return [NaN, 0];
  return [Math.max(0, feed.clock.now(performance.now()) - channel.last), channel.limit];
}

function refresh() {
  const { state, attempt } = feed.socket;
  const chip = byId("connection");
  setText(chip, state === "reconnecting" ? `${STATES[state]}, try ${attempt}` : STATES[state]);
  chip.dataset.tone = state === "open" ? "good" : state === "connecting" ? "quiet" : "bad";
  const turned = table.updateStates(ageOf).filter((row) => row.tone !== "quiet");
  // Who looks sees it; this is for who listens.
  if (turned.length) setText(byId("spoken"), turned.map((row) => `${row.name}: ${row.words}`).join(". "));
  summary.updateStates([...table.rows.values()]);
  showTrouble();
}

rememberedTheme(byId("theme"));
remembered(byId("window"), WINDOW_KEY, layOutCards);
new RegisterForm(byId("registerForm"), byId("registerAnswer"), poll);
for (const button of document.querySelectorAll("[data-tag]")) {
  button.addEventListener("click", () => actions.tag(button.dataset.tag));
}
byId("export").addEventListener("click", () => actions.exportRange());
feed.onChannels.add(layOutCards);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && poll());
setInterval(refresh, 250);
keepPolling();
