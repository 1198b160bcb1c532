// The table of channels: a row each, which opens to details, kept up to date in place.

import { sinceText } from "/static/stripchart/format.js";

import { whole } from "./amounts.js";
import { Details } from "./details.js";
import { arrange, make, setText } from "./dom.js";
import { channelState, durableText } from "./facts.js";
import { Arrivals, Throughput, losses, rateText } from "./rates.js";
import { Sparkline } from "./sparkline.js";

const COLUMNS = 8;

class Row {
  constructor(name, actions) {
    this.name = name;
    this.actions = actions;
    this.details = null; // made when they are asked for
    this.throughput = new Throughput();
    this.arrivals = new Arrivals();
    this.rates = { records: null, bytes: null };
    this.tone = "quiet";
    this.words = ""; // of its state
    this.curve = new Sparkline();
    const cell = (label, className, ...inside) => make("td", { "data-label": label, class: className }, ...inside);
    [this.records, this.bytes, this.count, this.since, this.sum, this.reasons] = ["span", "small", "span", "small", "span", "small"].map((tag) => make(tag));
    this.state = make("span", { class: "chip" });
    this.lost = cell("Lost", "number", this.sum, this.reasons);
    this.durable = cell("On disk", "number");
    this.port = cell("UDP port", "number");
    this.opener = make("button", {
      type: "button",
      class: "opener",
      "aria-expanded": "false",
      "aria-label": `Details of ${name}`,
      onclick: () => this.toggle(),
    });
    const nameCell = make("th", { scope: "row" }, this.opener, make("a", { href: `#channel-${name}` }, name));
    const button = (text, label, action) => make("button", { type: "button", "aria-label": label, onclick: action }, text);
    this.element = make(
      "tr",
      {},
      nameCell,
      cell("State", "", this.state),
      cell("Rate", "number rate", this.curve.element, make("span", { class: "two" }, this.records, this.bytes)),
      cell("Records", "number", this.count, this.since),
      this.lost,
      this.durable,
      this.port,
      make("td", { class: "rowActions" }, button("Export", `Export a range of ${name}`, () => actions.exportRange(name))),
    );
  }

  get isOpen() {
    return this.details !== null;
  }

  get elements() {
    return this.isOpen ? [this.element, this.details.element] : [this.element];
  }

  toggle() {
    if (this.isOpen) {
      this.details.element.remove();
      this.details = null;
      this.opener.removeAttribute("aria-controls");
    } else {
      this.details = new Details(this.name, COLUMNS, this.actions);
      this.details.update(this.channel);
      this.element.after(this.details.element);
      this.opener.setAttribute("aria-controls", this.details.element.id);
      this.actions.opened(); // to have them brought up to date
    }
    this.opener.setAttribute("aria-expanded", String(this.isOpen));
  }

  update(channel, timeMs) {
    const stats = channel.stats ?? {};
    const ingested = channel.ingested ?? {};
    this.channel = channel;
    this.rates = this.throughput.update(channel);
    this.arrivals.update(channel);
    this.curve.add(timeMs, this.rates.records);
    setText(this.records, rateText(this.rates.records));
    setText(this.bytes, this.rates.records === null ? "" : rateText(this.rates.bytes, "B"));
    setText(this.count, whole.format((stats.records ?? 0) + (ingested.records ?? 0)));
    this.updateSince(stats.since ?? ingested.since);
    this.updateLost(losses(stats));
    setText(this.durable, durableText(channel.stats));
    setText(this.port, channel.port ? String(channel.port) : "–");
  }

  // The counters run from then on.
  updateSince(since) {
    setText(this.since, since ? `since ${sinceText(new Date(since), new Date())}` : "");
    const title = since ? `Counted since ${new Date(since).toLocaleString()}` : "";
    for (const element of [this.since.parentElement, this.lost]) if (element.title !== title) element.title = title;
  }

  updateLost(reasons) {
    const sum = reasons.reduce((total, [, count]) => total + count, 0);
    setText(this.sum, whole.format(sum));
    setText(this.reasons, reasons.map(([reason, count]) => (reasons.length > 1 ? `${whole.format(count)} ${reason}` : reason)).join(", "));
    this.lost.classList.toggle("alert", sum > 0);
  }

  // Whether the state has become another one.
  updateState(ageMs, limitMs) {
    const [words, tone] = channelState(this.channel, ageMs, limitMs);
    setText(this.state, words);
    const turned = tone !== this.tone;
    if (turned) this.state.dataset.tone = tone;
    [this.words, this.tone] = [words, tone];
    return turned;
  }
}

export class ChannelTable {
  constructor(table, empty, actions) {
    this.body = table.tBodies[0];
    this.empty = empty;
    this.actions = actions;
    this.rows = new Map();
  }

  update(channels, timeMs) {
    const names = new Set(channels.map((channel) => channel.name));
    for (const [name, row] of this.rows) {
      if (names.has(name)) continue;
      row.elements.forEach((element) => element.remove());
      this.rows.delete(name);
    }
    for (const channel of channels) {
      let row = this.rows.get(channel.name);
      if (!row) this.rows.set(channel.name, (row = new Row(channel.name, this.actions)));
      row.update(channel, timeMs);
    }
    const shown = channels.map(({ name }) => this.rows.get(name));
    arrange(this.body, shown.flatMap((row) => row.elements));
    this.empty.hidden = channels.length > 0;
    this.body.parentElement.hidden = channels.length === 0;
  }

  // Names of the rows that show their details.
  get opened() {
    return [...this.rows.values()].filter((row) => row.isOpen).map((row) => row.name);
  }

  // Take in all that is known of one channel.
  updateDetails(channel) {
    this.rows.get(channel.name)?.details?.update(channel);
  }

  // `ageOf` gives [age, limit] in ms of a channel by its row; gives the rows whose state has become another one.
  updateStates(ageOf) {
    return [...this.rows.values()].filter((row) => row.updateState(...ageOf(row)));
  }
}
