// Time zones: how far their clocks are from UTC.

const formats = new Map();

function format(zone) {
  if (!formats.has(zone)) {
    const parts = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    formats.set(zone, new Intl.DateTimeFormat("en-US", { ...parts, hourCycle: "h23", timeZone: zone }));
  }
  return formats.get(zone);
}

// Milliseconds that the clock of a zone (UTC, local, or a name such as Europe/Oslo) is ahead of UTC.
export function offsetMs(timeMs, zone) {
  if (zone === "UTC") return 0;
  if (zone === "local") return -new Date(timeMs).getTimezoneOffset() * 60000;
  const whole = Math.floor(timeMs / 1000) * 1000;
  const told = Object.fromEntries(format(zone).formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(told.year, told.month - 1, told.day, told.hour, told.minute, told.second) - whole;
}

export function isZone(zone) {
  if (zone === "UTC" || zone === "local") return true;
  try {
    return Boolean(format(zone));
  } catch {
    return false;
  }
}

// "UTC+2", "UTC−3:30".
export function zoneText(offset) {
  const minutes = Math.abs(Math.round(offset / 60000));
  if (!minutes) return "UTC";
  const rest = minutes % 60 ? `:${String(minutes % 60).padStart(2, "0")}` : "";
  return `UTC${offset < 0 ? "−" : "+"}${Math.floor(minutes / 60)}${rest}`;
}
