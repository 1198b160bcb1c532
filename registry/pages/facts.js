// What is known of a channel, in words: pure.

import { sinceText } from "/static/stripchart/format.js";

import { ageText, memoryText, sizeText, whole } from "./amounts.js";
import { losses } from "./rates.js";

const count = (number) => (number === undefined || number === null ? "–" : whole.format(number));
const group = (to) => (to ? `${to.address}:${to.port}` : "none");

// [words, tone] for the state of a channel: what its relay is in, then whether data comes. An age of null: nobody tells.
export function channelState(channel, ageMs, limitMs) {
  if (ageMs === null) return ["not known", "bad"];
  const state = channel.state ?? channel.status ?? "";
  // What has no UDP port has no relay of its own, and need not send all the time.
  if (state === "ingest") return Number.isNaN(ageMs) || ageMs > limitMs ? ["by HTTP", "quiet"] : ["live", "good"];
  if (state === "starting") return ["starting", "quiet"];
  // That nothing comes is seen here sooner, and told in the words for it.
  if (state && state !== "active" && state !== "idle") return [channel.reason ? `${state}: ${channel.reason}` : state, "bad"];
  if (Number.isNaN(ageMs)) return ["no data yet", "quiet"];
  if (ageMs > limitMs) return [`no data for ${ageText(ageMs / 1000)}`, "bad"];
  return ["live", "good"];
}

// How far what is safe on the disk is behind what came: "all", "0.8 s behind"; "–" where nobody counts.
export function durableText(stats) {
  if (stats?.durable === undefined) return "–";
  const lost = (stats.ring_full ?? 0) + Object.values(stats.not_archived ?? {}).reduce((sum, one) => sum + one, 0);
  if (stats.records - lost <= stats.durable) return stats.records ? "all" : "–";
  if (!stats.durable_until) return "nothing yet";
  if (!stats.heartbeat) return `to ${sinceText(new Date(stats.durable_until), new Date())}`;
  return `${ageText(stats.heartbeat / 1e9 - Date.parse(stats.durable_until) / 1000)} behind`;
}

export function decimationText({ enabled, algorithm, factor, rate_hz: rate }) {
  if (!enabled) return "every record";
  if (algorithm === "downsample") return `every ${whole.format(factor)}th record`;
  const name = { minmax: "minimum and maximum", average: "average", rms: "RMS" }[algorithm] ?? algorithm;
  return factor ? `${name} of ${whole.format(factor)} records` : `${name}, ${rate} times a second`;
}

// Sections of [title, [[label, text, tone]...]] about a channel, tone "" or "bad".
export function factsOf(channel) {
  const { stats } = channel;
  const sections = [];
  if (stats) sections.push(["Archive", archive(channel, stats)], ["Lost", lost(stats)], ["Relay", relay(channel, stats)]);
  if (channel.ingested) sections.push(["By HTTP", byHttp(channel.ingested)]);
  sections.push(["Live stream", stream(channel, stats)], ["Schema", schema(channel)]);
  return sections;
}

function archive(channel, stats) {
  const waiting = stats.ring?.queued ?? 0;
  return [
    ["Written", `${count(stats.archived)} records, ${sizeText(stats.archived_bytes ?? 0)}`, ""],
    ["On the disk", durableText(stats), ""],
    ["Segments", count(stats.segments), ""],
    ["Open", stats.segment ?? "none", ""],
    ["Waiting for the disk", `${count(waiting)} of ${count(stats.ring?.blocks)} blocks`, waiting > 4 ? "bad" : ""],
    ...(stats.disk_error ? [["Disk", stats.disk_error, "bad"]] : []),
    ...(stats.rotate_error ? [["Next segment", stats.rotate_error, "bad"]] : []),
    ["Folder", channel.archive ?? "–", ""],
  ];
}

function lost(stats) {
  const reasons = losses(stats).map(([reason, number]) => [reason, count(number), "bad"]);
  const { gaps = 0, reordered = 0, duplicates = 0 } = stats.sequence ?? {};
  const numbered = gaps || reordered || duplicates;
  return [
    ...(reasons.length ? reasons : [["Received and not archived", "0", ""]]),
    ["Missing on the way", numbered ? `${count(gaps - reordered)} numbers` : "0", gaps > reordered ? "bad" : ""],
    ["Late, twice", `${count(reordered)}, ${count(duplicates)}`, ""],
    ["Impossible times", count(stats.bad_time), stats.bad_time ? "bad" : ""],
  ];
}

function relay(channel, stats) {
  const { granted, wanted } = stats.receive_buffer ?? {};
  const buffer = granted === undefined ? "–" : `${memoryText(granted)} of ${memoryText(wanted)} wanted`;
  return [
    ["Process", channel.pid ? String(channel.pid) : "none", channel.pid ? "" : "bad"],
    ["In this state since", channel.since ? sinceText(new Date(channel.since), new Date()) : "–", ""],
    ["Restarts", count(channel.restarts), ""],
    ["Receive buffer", buffer, granted < wanted ? "bad" : ""],
  ];
}

function byHttp(ingested) {
  return [
    ["Records", count(ingested.records), ""],
    ["Batches", count(ingested.batches), ""],
    ["Lost", count(ingested.lost), ingested.lost ? "bad" : ""],
    ...(ingested.live_error ? [["Live", ingested.live_error, "bad"]] : []),
  ];
}

function stream(channel, stats) {
  const { full_rate: full, decimated } = channel.multicast ?? {};
  const failed = (stats?.forward_failed ?? 0) + (stats?.decimate_failed ?? 0);
  return [
    ["Decimated", channel.decimation ? decimationText(channel.decimation) : "–", ""],
    ["Decimated group", group(decimated), ""],
    ["Full-rate group", group(full), ""],
    ["Packets not sent", count(failed), failed ? "bad" : ""],
    ...Object.entries({ "Full rate": stats?.forward_error, Decimated: stats?.decimate_error })
      .filter(([, error]) => error).map(([name, error]) => [`${name}, not sent`, error, "bad"]),
  ];
}

function schema(channel) {
  return [
    ["Fingerprint", channel.schema ?? "–", ""],
    ["Versions", count(channel.schemas), ""],
    ["Framing", (channel.framing ?? "plain").replaceAll("_", " "), ""],
    ["Time in", channel.time_unit ?? "not known yet", ""],
  ];
}
