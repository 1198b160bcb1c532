// The table of channels: a row each, kept up to date in place.

import { sinceText, spanText } from "/static/stripchart/format.js";

import { arrange, make, setText } from "./dom.js";
import { Rate, losses, rateText } from "./rates.js";

const whole = new Intl.NumberFormat("en", { useGrouping: true });

// [words, tone] for the state of a channel: what its relay is in, then whether data comes.
export function channelState(channel, ageMs, limitMs) {
  const state = channel.state ?? channel.status ?? "";
  // What has no UDP port has no relay of its own, and need not send all the time.
  if (state === "ingest") return Number.isNaN(ageMs) || ageMs > limitMs ? ["by HTTP", "quiet"] : ["live", "good"];
  if (state && state !== "active") return [channel.reason ? `${state}: ${channel.reason}` : state, "bad"];
  if (Number.isNaN(ageMs)) return ["no data yet", "quiet"];
  if (ageMs > limitMs) return [`no data for ${spanText(ageMs / 1000)}`, "bad"];
  return ["live", "good"];
}

class Row {
  constructor(name, actions) {
    this.name = name;
    this.records = new Rate();
    this.bytes = new Rate();
    const cell = (label, className = "") => make("td", { "data-label": label, class: className });
    this.state = make("span", { class: "chip" });
    this.rate = cell("Rate", "number");
    this.count = make("span");
    this.since = make("small");
    const countCell = cell("Records", "number");
    countCell.append(this.count, this.since);
    this.lost = cell("Lost", "number");
    this.port = cell("UDP port", "number");
    this.link = make("a", { class: "button", href: "#" }, "Export 1 min");
    this.link.setAttribute("aria-label", `Export the last minute of ${name} as HDF5`);
    const button = (text, action) =>
      make("button", { type: "button", "aria-label": `${text} of ${name}`, onclick: () => action(name) }, text);
    const remove = make(
      "button",
      { type: "button", class: "danger", "aria-label": `Remove ${name}`, onclick: () => actions.remove(name) },
      "Remove",
    );
    const stateCell = cell("State");
    stateCell.append(this.state);
    const nameCell = make("th", { scope: "row" }, make("a", { href: `#channel-${name}` }, name));
    const actionCell = make("td", { class: "rowActions" }, button("Schema", actions.schema), this.link, remove);
    this.element = make("tr", {}, nameCell, stateCell, this.rate, countCell, this.lost, this.port, actionCell);
  }

  update(channel, timeMs) {
    const stats = channel.stats ?? {};
    const ingested = channel.ingested ?? {};
    const count = (stats.records ?? 0) + (ingested.records ?? 0);
    const records = this.records.add(timeMs, count);
    const bytes = this.bytes.add(timeMs, (stats.bytes ?? 0) + (ingested.bytes ?? 0));
    setText(this.rate, records === null ? "–" : `${rateText(records)}, ${rateText(bytes, "B")}`);
    setText(this.count, whole.format(count));
    this.updateSince(stats.since ?? ingested.since);
    setText(this.port, channel.port ? String(channel.port) : "–");
    this.updateLost(losses(stats));
    this.channel = channel;
  }

  // The counters run from then on.
  updateSince(since) {
    setText(this.since, since ? `since ${sinceText(new Date(since), new Date())}` : "");
    const title = since ? `Counted since ${new Date(since).toLocaleString()}` : "";
    for (const element of [this.since.parentElement, this.lost]) if (element.title !== title) element.title = title;
  }

  updateLost(reasons) {
    const sum = reasons.reduce((total, [, count]) => total + count, 0);
    const why = reasons.map(([reason, count]) => `${whole.format(count)} ${reason.replaceAll("_", " ")}`).join(", ");
    setText(this.lost, sum ? `${whole.format(sum)} (${why})` : "0");
    this.lost.classList.toggle("alert", sum > 0);
  }

  updateState(ageMs, limitMs) {
    const [words, tone] = channelState(this.channel, ageMs, limitMs);
    setText(this.state, words);
    this.state.dataset.tone = tone;
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
      row.element.remove();
      this.rows.delete(name);
    }
    for (const channel of channels) {
      let row = this.rows.get(channel.name);
      if (!row) this.rows.set(channel.name, (row = new Row(channel.name, this.actions)));
      row.update(channel, timeMs);
    }
    arrange(this.body, channels.map(({ name }) => this.rows.get(name).element));
    this.empty.hidden = channels.length > 0;
    this.body.parentElement.hidden = channels.length === 0;
  }

  // `ageOf` gives [age, limit] in ms of a channel by name.
  updateStates(ageOf) {
    for (const [name, row] of this.rows) row.updateState(...ageOf(name));
  }

  // `pivot` is the address of the history service, "" when there is none.
  setExports(pivot) {
    for (const [name, row] of this.rows) {
      row.link.hidden = !pivot;
      row.link.href = `${pivot}/api/v1/pivot/export?duration=PT1M&channels=${encodeURIComponent(name)}`;
    }
  }
}
