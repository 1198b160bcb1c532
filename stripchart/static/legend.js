// The line over a chart: a mark, name and latest value per signal, and what state the chart is in. Plain DOM.

import { valueText } from "./format.js";

const SAID = new Set(["stale", "reconnecting", "connecting", "closed"]); // states that are also told here, in a word

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class Legend {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "stripchart-legend";
    parent.prepend(this.root);
    this.items = [];
  }

  // Lay out an item per signal; names without their channel when all are of one.
  build(names, colors, dashed) {
    this.root.replaceChildren();
    const channels = new Set(names.map((name) => name.slice(0, name.indexOf(".") + 1)));
    const cut = channels.size === 1 ? [...channels][0].length : 0;
    this.items = names.map((name, index) => {
      const item = element("span", "stripchart-item", this.root);
      item.title = name;
      const mark = element("span", `stripchart-mark${dashed[index] ? " dashed" : ""}`, item);
      mark.style.setProperty("--trace", colors[index]);
      element("span", "stripchart-name", item).textContent = name.slice(cut);
      return { item, value: element("span", "stripchart-value", item) };
    });
    this.note = element("span", "stripchart-note", this.root);
    this.state = element("span", "stripchart-state", this.root);
  }

  // `note` tells what else there is to know.
  update(signals, isStale, state, note) {
    signals.forEach((signal, index) => {
      const { item, value } = this.items[index];
      const text = signal.error || valueText(signal.ring.last, signal.unit, signal.isWhole);
      setText(value, signal.ring.length || signal.error ? text : "–");
      item.classList.toggle("error", Boolean(signal.error));
      item.classList.toggle("stale", isStale(signal));
    });
    setText(this.note, note);
    setText(this.state, SAID.has(state) ? state : "");
  }
}
