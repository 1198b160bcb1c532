// The history service, as the page calls it: signals, records and buckets of a channel, exports.

import { contentOf, sent } from "./http.js";
import { isoText, parseTime } from "./time.js";
import { widthText } from "./levels.js";

const AGGREGATES = ["first", "min", "max", "last", "avg", "count"];
const OF_STATES = ["first", "last", "distinct", "count"];
const NUMERIC = new Set(["int", "long", "float", "double", "boolean"]);
const TIMEOUT_MS = 60_000;
const MOST_SIGNALS = 100_000;

async function call(address, path, options = {}) {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  let answer;
  try {
    // The history is at another port of this host, which the cookie of a session is for too.
    answer = await fetch(address + path, { credentials: "include", ...options, signal });
  } catch (error) {
    if (limit.aborted) throw new Error("The history service took too long.");
    if (error.name === "AbortError") throw error;
    throw new Error("The history service does not answer.");
  }
  return contentOf(answer);
}

// All signals whose values are numbers, or those and the enums of one channel: [{name, channel, path, unit, type, isWhole, first, last, count}].
export async function askSignals(service, channel = "") {
  const chosen = channel ? { channels: channel } : {};
  const told = [];
  let cursor = "";
  do {
    const page = await call(service, `/api/v1/signals?${new URLSearchParams({ limit: "10000", cursor, ...chosen })}`);
    told.push(...page.signals);
    cursor = page.cursor;
  } while (cursor && told.length < MOST_SIGNALS);
  return told.filter(({ type }) => NUMERIC.has(type) || (channel && type === "enum")).map(signalOf);
}

function signalOf({ channel, signal, unit, type, first_time: first, last_time: last, count }) {
  return {
    name: `${channel}.${signal}`,
    channel,
    path: signal,
    unit: unit ?? "",
    type,
    isWhole: type === "int" || type === "long" || type === "boolean",
    first: first ? parseTime(first) : null,
    last: last ? parseTime(last) : null,
    count,
  };
}

// Columns of the one channel of an answer: {times, values(column, symbols), damages, cursor}. Values of an enum are places in its symbols.
function columnsOf({ series, damages, cursor }) {
  const { time, columns } = series[0];
  const nothing = Array(time.length).fill(null);
  const numberOf = (value, symbols) => (value === null ? NaN : symbols ? placeOf(symbols, value) : Number(value));
  const values = (name, symbols) => Float64Array.from(columns[name] ?? nothing, (value) => numberOf(value, symbols));
  return { times: BigInt64Array.from(time, (text) => parseTime(text)), values, damages, cursor };
}

// NaN for a symbol of another version of the schema.
function placeOf(symbols, symbol) {
  const place = symbols.indexOf(symbol);
  return place < 0 ? NaN : place;
}

function address(channel, names, start, end, more) {
  const params = new URLSearchParams({
    channels: channel,
    signals: names.join(","),
    start: isoText(start),
    end: isoText(end),
    ...more,
  });
  return `/api/v1/query?${params}`;
}

// Buckets of [start, end): {times, columns: {signal: {first, min, max, last, avg, count}}, damages}. With `symbols`, by signal, all are
// enums, of which the first and the last are known, and how many different ones there were.
export async function askBuckets(service, channel, names, start, end, width, signal, symbols = null) {
  const aggregates = symbols ? OF_STATES : AGGREGATES;
  const more = { every: widthText(width), aggregates: aggregates.join(",") };
  const content = await call(service, address(channel, names, start, end, more), { signal });
  const { times, values, damages } = columnsOf(content);
  const column = (name) => (one) => [one, values(`${name}.${one}`, one === "first" || one === "last" ? symbols?.get(name) : null)];
  const columns = names.map((name) => [name, withExtremes(Object.fromEntries(aggregates.map(column(name))))]);
  return { times, columns: Object.fromEntries(columns), damages };
}

function withExtremes(column) {
  if (column.min) return column;
  const either = (one, other) => one.map((value, i) => (Number.isNaN(value) ? other[i] : value)); // one may be of a version with other symbols
  const [first, last] = [either(column.first, column.last), either(column.last, column.first)];
  const both = (choose) => first.map((value, i) => choose(value, last[i]));
  return { ...column, first, last, min: both(Math.min), max: both(Math.max), avg: first };
}

// Records of [start, end), at most `limit`: {times, columns: {signal: {value}}, damages, isCut}.
export async function askRecords(service, channel, names, start, end, limit, signal, symbols = null) {
  const content = await call(service, address(channel, names, start, end, { limit: String(limit) }), { signal });
  const { times, values, damages, cursor } = columnsOf(content);
  const columns = Object.fromEntries(names.map((name) => [name, { value: values(name, symbols?.get(name)) }]));
  return { times, columns, damages, isCut: cursor !== null };
}

// The mean of each signal over [start, end), from all records.
export async function askMeans(service, channel, names, start, end) {
  const { values, times } = columnsOf(await call(service, address(channel, names, start, end, { aggregates: "avg" })));
  return names.map((name) => (times.length ? values(`${name}.avg`)[0] : NaN));
}

export const exportAddress = (service, params) => `${service}/api/v1/pivot/export?${new URLSearchParams(params)}`;
export const exportState = (service, id) => call(service, `/api/v1/exports/${encodeURIComponent(id)}`);
export const cancelExport = (service, id) => call(service, `/api/v1/exports/${encodeURIComponent(id)}`, { method: "DELETE" });
export const startExport = (service, params) => call(service, "/api/v1/exports", sent("POST", params));
