// What is shown, as the part of the address behind the #: it can be sent to others, and the back button goes through it.

import { durationText, isoText, parseDuration, parseTime } from "/static/stripchart/past/time.js";

// Signals that are shown, and the range or, at the end of a recording, its length; "all" grows with the recording.
export function writeHash({ signals, view }) {
  const parts = [`signals=${signals.map(encodeURIComponent).join(",")}`];
  if (view.isWhole) parts.push("last=all");
  else if (view.follows) parts.push(`last=${durationText(view.length)}`);
  else parts.push(`start=${isoText(view.start)}`, `end=${isoText(view.end)}`);
  return `#${parts.join("&")}`;
}

// {signals, start, end, last}; null for what is not given or cannot be read: all is shown then.
export function readHash(text) {
  const params = new Map(
    text.replace(/^#/, "").split("&").filter(Boolean).map((part) => {
      const cut = part.indexOf("=");
      return cut < 0 ? [part, ""] : [part.slice(0, cut), part.slice(cut + 1)];
    }),
  );
  const decode = (part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  const time = (name) => (params.has(name) ? parseTime(decode(params.get(name))) : null);
  const [start, end] = [time("start"), time("end")];
  const isRange = start !== null && end !== null && start < end;
  return {
    signals: params.has("signals") ? params.get("signals").split(",").map(decode).filter(Boolean) : null,
    start: isRange ? start : null,
    end: isRange ? end : null,
    last: params.has("last") ? parseDuration(decode(params.get("last"))) : null,
  };
}

// Keeps the address of the page up to date. `shown()` gives {signals, view}, `show(read, "back")` shows what it says.
export class Address {
  constructor(shown, show) {
    this.shown = shown;
    this.show = show;
    this.kept = "";
    addEventListener("popstate", () => this.read());
  }

  read() {
    this.kept = location.hash;
    this.show(readHash(location.hash), "back");
  }

  // Steps can be gone back; what was gone back to and the first view are no steps.
  keep(why) {
    const hash = writeHash(this.shown());
    if (hash === this.kept) return;
    if (why === "back" || !this.kept) history.replaceState(null, "", hash);
    else history.pushState(null, "", hash);
    this.kept = hash;
  }
}
