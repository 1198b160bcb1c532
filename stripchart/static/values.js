// Elements that show the latest value of a signal: class "data", the signal in data-signal or, as of old, in the id.
// A value that is not live has the class "stale", and its age in data-age.

import { spanText, valueText } from "./format.js";

class ValueElement {
  constructor(element, feed) {
    this.element = element;
    this.feed = feed;
    this.name = element.dataset.signal || element.id;
    this.signal = feed.watch(this.name, { window: 1, columns: 1, stream: "live" }, this);
  }

  touch() {}

  reset() {}

  wake() {}

  refresh(nowMs) {
    const { element, signal } = this;
    const value = signal.valueOrText;
    let text = signal.isNumber ? valueText(value, signal.unit, signal.isWhole) : (value ?? "–");
    if (signal.error) text = signal.error;
    if (element.textContent !== text) element.textContent = text;
    const isLive = this.feed.socket.state === "open" && !this.feed.isStale(signal, nowMs) && !signal.error;
    element.classList.toggle("stale", !isLive);
    const hasValue = signal.isNumber ? !Number.isNaN(value) : value !== null;
    this.setAge(isLive || signal.error || !hasValue ? NaN : this.feed.age(signal, nowMs));
  }

  setAge(ageMs) {
    const { dataset } = this.element;
    if (Number.isNaN(ageMs)) {
      delete dataset.age;
      return;
    }
    const text = spanText(ageMs / 1000);
    if (dataset.age !== text) dataset.age = text;
  }
}

export class Values {
  constructor(feed) {
    this.feed = feed;
    this.shown = new Map(); // by element
  }

  mount(element) {
    const known = this.shown.get(element);
    if (known && known.name === (element.dataset.signal || element.id)) return;
    if (known) this.unmount(element);
    if (element.dataset.signal || element.id) this.shown.set(element, new ValueElement(element, this.feed));
  }

  unmount(element) {
    const known = this.shown.get(element);
    if (known) this.feed.unwatch(known.signal, known);
    this.shown.delete(element);
  }

  refresh(nowMs) {
    for (const value of this.shown.values()) value.refresh(nowMs);
  }
}
