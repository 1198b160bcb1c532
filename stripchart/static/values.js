// Elements that show latest values: <speed-value data-signal="channel.signal">, any element of class "data" (the signal in
// data-signal or, as of old, in the id), and <speed-status>, which tells how a channel or the connection does.
// What is not live has the class "stale", and its age in data-age.

import { spanText, textOf } from "./format.js";

const DECIMALS_MAX = 12;
const CONNECTION = { open: "live", connecting: "connecting", reconnecting: "reconnecting", closed: "disconnected" };

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAge({ dataset }, ageMs) {
  const text = Number.isNaN(ageMs) ? "" : spanText(ageMs / 1000);
  if (!text) delete dataset.age;
  else if (dataset.age !== text) dataset.age = text;
}

// The signal, and how its value is written, as an element declares it. Throws an Error that names the attribute.
function declared(element) {
  const { signal, decimals } = element.dataset;
  const name = signal || element.id;
  if (!name) throw new Error("data-signal: wanted channel.signal, got nothing");
  const places = decimals === undefined ? NaN : Number(decimals);
  if (decimals !== undefined && !(Number.isInteger(places) && places >= 0 && places <= DECIMALS_MAX)) {
    throw new Error(`data-decimals: wanted a whole number from 0 to ${DECIMALS_MAX}, got ${JSON.stringify(decimals)}`);
  }
  return { name, places };
}

class ValueElement {
  constructor(element, feed) {
    this.element = element;
    this.feed = feed;
    this.key = keyOf(element);
    this.error = "";
    try {
      Object.assign(this, declared(element));
      this.signal = feed.watch(this.name, { window: 1, columns: 1, stream: "live" }, this);
    } catch (error) {
      this.error = error.message;
      console.warn(`stripchart: ${error.message}`, element);
    }
  }

  touch() {}

  reset() {}

  wake() {}

  refresh(nowMs) {
    const { element, signal } = this;
    const error = this.error || signal.error;
    element.classList.toggle("error", Boolean(error));
    setText(element, error || this.text());
    const isLive = !error && this.feed.socket.state === "open" && !this.feed.isStale(signal, nowMs);
    element.classList.toggle("stale", !isLive);
    const hasValue = !error && (signal.isNumber ? !Number.isNaN(signal.value) : signal.text !== null);
    setAge(element, isLive || !hasValue ? NaN : this.feed.age(signal, nowMs));
  }

  text() {
    const { signal, places } = this;
    if (!signal.isNumber) return signal.text ?? "–";
    if (signal.symbols || Number.isNaN(places) || !Number.isFinite(signal.value)) return textOf(signal, signal.value);
    return `${signal.value.toFixed(places).replace("-", "−")}${signal.unit && `\u202f${signal.unit}`}`;
  }

  unmount() {
    if (this.signal) this.feed.unwatch(this.signal, this);
  }
}

// How a channel does, or the connection where no channel is named.
class StatusElement {
  constructor(element, feed) {
    this.element = element;
    this.feed = feed;
    this.key = keyOf(element);
    if (!element.hasAttribute("role")) element.setAttribute("role", "status");
  }

  refresh(nowMs) {
    const [state, text, ageMs] = this.state(nowMs);
    const { element } = this;
    setText(element, text);
    element.dataset.state = state;
    element.classList.toggle("stale", state !== "live");
    setAge(element, ageMs);
  }

  state(nowMs) {
    const { socket, channels, merged } = this.feed;
    const name = this.element.dataset.channel;
    if (socket.state !== "open" || !name) {
      const late = socket.state === "open" && merged ? `, ${merged} updates came late` : "";
      return [CONNECTION[socket.state], CONNECTION[socket.state] + late, NaN];
    }
    const channel = channels.get(name);
    if (!channel) return ["unknown", `no such channel: ${name}`, NaN];
    if (!channel.last) return ["waiting", "waiting for data", NaN];
    const age = Math.max(0, nowMs - channel.last);
    return age > channel.limit ? ["stale", `no data for ${spanText(age / 1000)}`, age] : ["live", "live", NaN];
  }

  unmount() {}
}

const keyOf = ({ dataset, id, localName }) => [localName, dataset.signal, dataset.channel, dataset.decimals, id].join("\n");

export class Values {
  constructor(feed) {
    this.feed = feed;
    this.shown = new Map(); // by element
  }

  mount(element) {
    const known = this.shown.get(element);
    if (known?.key === keyOf(element)) return;
    this.unmount(element);
    const isOfOld = element.localName !== "speed-value" && !element.dataset.signal && !element.id;
    if (element.localName === "speed-status") this.shown.set(element, new StatusElement(element, this.feed));
    else if (!isOfOld) this.shown.set(element, new ValueElement(element, this.feed));
  }

  unmount(element) {
    this.shown.get(element)?.unmount();
    this.shown.delete(element);
  }

  refresh(nowMs) {
    for (const value of this.shown.values()) value.refresh(nowMs);
  }
}
