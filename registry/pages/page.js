// The page at the front door: channels, their live charts, and the form that registers more.

import { reachable } from "/static/stripchart/address.js";
import { spanText } from "/static/stripchart/format.js";
import { feed } from "/static/stripchart/main.js";

import * as api from "./api.js";
import { Card } from "./card.js";
import { remembered, rememberedTheme } from "./choices.js";
import { arrange } from "./dom.js";
import { RegisterForm } from "./register.js";
import { ChannelTable } from "./table.js";

const POLL_MS = 1000;
const STATES = { open: "Live", connecting: "Connecting", reconnecting: "Reconnecting", closed: "Disconnected" };
const WINDOW_KEY = "speeddata.window";

const byId = (id) => document.getElementById(id);
const table = new ChannelTable(byId("channelTable"), byId("noChannels"), { schema: showSchema, remove: askRemove });
const cards = new Map();
let channels = [];
let answeredAt = null; // when the registry answered last
let isAway = false; // it did not answer when it was asked last
let pivot = "";

async function showSchema(name) {
  byId("schemaHeading").textContent = `Schema of ${name}`;
  try {
    byId("schemaText").textContent = JSON.stringify(await api.schema(name), null, 2);
  } catch (error) {
    byId("schemaText").textContent = error.message;
  }
  byId("schemaDialog").showModal();
}

function askRemove(name) {
  const dialog = byId("removeDialog");
  byId("removeHeading").textContent = `Remove channel ${name}?`;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => dialog.returnValue === "remove" && remove(name), { once: true });
  dialog.showModal();
}

async function remove(name) {
  try {
    await api.remove(name);
    tell("");
  } catch (error) {
    tell(`${name} was not removed: ${error.message}`);
  }
  poll();
}

// Trouble that stays until the next word about it.
let spoken = "";
function tell(text) {
  spoken = text;
  showTrouble();
}

function showTrouble() {
  const silent = answeredAt === null ? Infinity : performance.now() - answeredAt;
  const away =
    silent > 4 * POLL_MS && channelsAsked
      ? `The registry does not answer${Number.isFinite(silent) ? `: rates and counts are ${spanText(silent / 1000)} old` : ""}.`
      : "";
  const text = [spoken, away].filter(Boolean).join(" ");
  const trouble = byId("trouble");
  if (trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = !text;
  byId("channelTable").classList.toggle("old", Boolean(away));
}

let channelsAsked = false;

async function poll() {
  try {
    channels = await api.channels();
    if (answeredAt === null) byId("register").open = channels.length === 0;
    answeredAt = performance.now();
    if (isAway) feed.socket.retry(); // what runs beside it is likely to be back too, or soon will be
    isAway = feed.socket.state === "reconnecting";
    table.update(channels, answeredAt);
    layOutCards();
    if (!pivot) pivot = await pivotAddress();
    table.setExports(pivot);
  } catch (error) {
    console.warn(`registry: ${error.message}`);
    isAway = true;
  }
  channelsAsked = true;
  showTrouble();
}

// Address of the history service, "" while there is none.
async function pivotAddress() {
  const { pivot: told } = await api.services();
  return told ? reachable(told, location.protocol.slice(0, -1)) : "";
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

// [age, limit] of a channel's newest data in ms.
function ageOf(name) {
  const channel = feed.channels.get(name);
  if (!channel?.last || !feed.clock.known) return [NaN, 0];
  return [Math.max(0, feed.clock.now(performance.now()) - channel.last), channel.limit];
}

function refresh() {
  const { state, attempt } = feed.socket;
  const chip = byId("connection");
  const text = state === "reconnecting" ? `${STATES[state]}, try ${attempt}` : STATES[state];
  if (chip.textContent !== text) chip.textContent = text;
  chip.dataset.tone = state === "open" ? "good" : state === "connecting" ? "quiet" : "bad";
  table.updateStates(ageOf);
  showTrouble();
}

rememberedTheme(byId("theme"));
remembered(byId("window"), WINDOW_KEY, layOutCards);
new RegisterForm(byId("registerForm"), byId("registerAnswer"), poll);
feed.onChannels.add(layOutCards);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && poll());
setInterval(refresh, 250);
keepPolling();
