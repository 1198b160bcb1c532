// The line of tiles over the table: how it all stands at one glance.

import { lastsText, sizeText, whole } from "./amounts.js";
import { make, setText } from "./dom.js";
import { losses, rateText } from "./rates.js";
import { Sparkline } from "./sparkline.js";

const SVG = "http://www.w3.org/2000/svg";

// How full something is.
export class Bar {
  constructor() {
    this.element = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ class: "bar", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" })) {
      this.element.setAttribute(name, value);
    }
    [this.track, this.fill] = ["track", "fill"].map((name) => this.rect(name));
    this.track.setAttribute("width", "100");
  }

  rect(name) {
    const rect = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ class: name, height: "4", width: "0" })) rect.setAttribute(key, value);
    this.element.append(rect);
    return rect;
  }

  update(share, tone = "") {
    this.fill.setAttribute("width", (100 * Math.min(1, Math.max(0, share))).toFixed(1));
    this.element.dataset.tone = tone;
  }
}

// A label, the number that counts, and what is to be said of it.
export class Tile {
  constructor(label, beside = null) {
    [this.value, this.note] = [make("strong"), make("small")];
    this.element = make("div", { class: "tile" }, make("dt", {}, label), make("dd", {}, this.value, ...(beside ? [beside] : []), this.note));
  }

  update(value, note = "", tone = "") {
    setText(this.value, value);
    setText(this.note, note);
    this.element.dataset.tone = tone;
  }
}

// [value, note, tone] of channels by what their rows say.
export function channelsText(rows) {
  const by = Map.groupBy(rows, (row) => row.tone);
  const bad = by.get("bad") ?? [];
  const quiet = by.get("quiet") ?? [];
  const note = bad.length > 1 ? `${bad.length} with trouble` : bad.length ? `${bad[0].name}: ${bad[0].words}` : quiet.length ? `${quiet.length} silent` : "";
  return [rows.length ? `${by.get("good")?.length ?? 0} of ${rows.length} live` : "none", note, bad.length ? "bad" : ""];
}

// [value, note] of all that was lost.
export function lostText(channels) {
  const sums = new Map();
  for (const { stats } of channels) {
    for (const [reason, count] of stats ? losses(stats) : []) sums.set(reason, (sums.get(reason) ?? 0) + count);
  }
  const sum = [...sums.values()].reduce((total, count) => total + count, 0);
  const most = [...sums].sort((a, b) => b[1] - a[1]).slice(0, 2);
  return [whole.format(sum), sum ? most.map(([reason, count]) => `${whole.format(count)} ${reason}`).join(", ") : "since counting began"];
}

// [value, note, tone] of the archive's disk.
export function diskText({ free_bytes: free, growth_bytes_per_s: growth, full_in_s: full, deletes_in_s: deletes, trouble }) {
  if (free === undefined) return ["–", "", ""];
  const value = `${sizeText(free)} free`;
  if (trouble) return [value, trouble, "bad"];
  if (growth === null) return [value, "time until full: not known yet", ""];
  if (full === null) return [value, "not filling", ""];
  const gone = deletes === null ? "" : deletes ? `; oldest data deleted in ${lastsText(deletes)}` : "; oldest data are deleted";
  return [value, `full in ${lastsText(full)} at ${sizeText(growth)}/s${gone}`, deletes === null && full < 86400 ? "bad" : ""];
}

// [value, note, tone] of everything that should run beside the relays.
export function processesText({ keeper, services }) {
  if (!keeper) return ["–", "", ""];
  const all = [{ name: "keeper", ...keeper }, ...services];
  const troubled = all.filter((one) => one.state !== "active");
  if (!troubled.length) return ["all run", `${all.length} beside the relays`, ""];
  const down = troubled.filter((one) => one.state !== "degraded").length;
  const note = troubled.map((one) => `${one.name}: ${one.state === "degraded" ? one.reason : one.state}`).join(", ");
  return [down ? `${down} not running` : `${troubled.length} in trouble`, note, "bad"];
}

export class Summary {
  constructor(list) {
    this.curve = new Sparkline();
    this.bar = new Bar();
    this.channels = new Tile("Channels");
    this.rate = new Tile("Received", this.curve.element);
    this.lost = new Tile("Lost");
    this.disk = new Tile("Archive disk", this.bar.element);
    this.processes = new Tile("Processes");
    list.append(...[this.channels, this.rate, this.lost, this.disk, this.processes].map((tile) => tile.element));
  }

  // What the rows of the table add up to.
  update(channels, rows, timeMs) {
    const sum = (unit) => rows.map((row) => row.rates[unit]).filter((rate) => rate !== null).reduce((total, rate) => (total ?? 0) + rate, null);
    const [records, bytes] = [sum("records"), sum("bytes")];
    this.curve.add(timeMs, records);
    this.rate.update(records === null ? "–" : rateText(records, " records").replace(" records/s", "\u202frecords/s"), bytes === null ? "" : rateText(bytes, "B"));
    const [lost, reasons] = lostText(channels);
    this.lost.update(lost, reasons, lost === "0" ? "" : "bad");
  }

  updateStates(rows) {
    this.channels.update(...channelsText(rows));
  }

  // What is told by the status alone is not of now.
  markOld(isOld) {
    for (const { element } of [this.disk, this.processes]) element.classList.toggle("old", isOld);
  }

  updateStatus(status) {
    this.disk.update(...diskText(status.archive ?? {}));
    this.bar.update(1 - (status.archive?.free_percent ?? 100) / 100, status.archive?.trouble ? "bad" : "");
    this.processes.update(...processesText(status));
  }
}
