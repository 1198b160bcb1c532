// The line over a chart: a mark, name and latest value per signal, each a button that hides its trace. Plain DOM.

import { textOf } from "./format.js";

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The newest value: of a state its word, of what is no number its text.
const newestOf = (signal) => (signal.isNumber ? textOf(signal, signal.value) : (signal.text ?? "–"));

// The unit that all signals have: "" when none has one, null when they differ. Signals not known yet do not count.
export function sharedUnit(signals) {
  const units = new Set(signals.filter((signal) => signal.isNumber && signal.channel).map((signal) => signal.unit));
  return units.size > 1 ? null : ([...units][0] ?? "");
}

export class Legend {
  // `toggle`: called with a signal's name to hide or show its trace; none where that cannot be.
  constructor(parent, toggle) {
    this.root = document.createElement("div");
    this.root.className = "stripchart-legend";
    parent.prepend(this.root);
    this.toggle = toggle;
    this.items = [];
  }

  // Lay out an item per signal; names without their channel when all are of one.
  build(names, styles, title = "", hidden = new Set()) {
    this.root.replaceChildren();
    if (title) element("strong", "stripchart-title", this.root).textContent = title;
    const channels = new Set(names.map((name) => name.slice(0, name.indexOf(".") + 1)));
    const cut = channels.size === 1 ? [...channels][0].length : 0;
    this.items = names.map((name, index) => this.buildItem(name, cut, styles[index], hidden.has(name)));
    this.note = element("span", "stripchart-note", this.root);
  }

  buildItem(name, cut, { color, isDashed }, isHidden) {
    const item = element(this.toggle ? "button" : "span", "stripchart-item", this.root);
    item.title = name;
    if (this.toggle) {
      item.type = "button";
      item.setAttribute("aria-pressed", String(!isHidden));
      item.addEventListener("click", () => this.toggle(name));
    }
    const mark = element("span", `stripchart-mark${isDashed ? " dashed" : ""}`, item);
    mark.style.setProperty("--trace", color);
    element("span", "stripchart-name", item).textContent = name.slice(cut);
    return { item, unit: element("span", "stripchart-unit", item), value: element("span", "stripchart-value", item) };
  }

  // Signals show what `own` gives for them, else their `reading` where they have one, else their value; `note` tells what else
  // there is to know.
  update(signals, isStale, note, own = () => undefined) {
    const isMixed = sharedUnit(signals) === null; // else it stands at the axis
    signals.forEach((signal, index) => {
      const { item, unit, value } = this.items[index];
      setText(unit, isMixed && signal.unit ? `(${signal.unit})` : "");
      setText(value, signal.error || (own(index) ?? signal.reading ?? newestOf(signal)));
      item.classList.toggle("error", Boolean(signal.error));
      item.classList.toggle("stale", isStale(signal));
    });
    setText(this.note, note);
  }
}
