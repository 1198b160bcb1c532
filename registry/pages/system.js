// The system page: processes, the machine, the kernel's buffers, and what the doctor finds.

import { sinceText } from "/static/stripchart/format.js";

import { lastsText, memoryText, whole } from "./amounts.js";
import * as api from "./api.js";
import { rememberedTheme } from "./choices.js";
import { make, setText } from "./dom.js";
import { KeyedTable } from "./keyed-table.js";
import { Bar, Tile, diskText } from "./summary.js";

const POLL_MS = 1000;

const byId = (id) => document.getElementById(id);
const percent = (share) => (share === null ? "–" : `${share.toFixed(share < 10 ? 1 : 0)}\u202f%`);
const plain = (text) => [text, ""];

const STATES = { active: "good", stopped: "quiet" };

const processes = new KeyedTable(
  byId("processTable"),
  (one) => `${one.kind} ${one.name}`,
  [
    ["Name", (one) => plain(one.kind === "relay" ? `relay ${one.name}` : one.name)],
    ["State", (one) => [one.reason && one.state !== "active" ? `${one.state}: ${one.reason}` : one.state, STATES[one.state] ?? "bad"]],
    ["Process", (one) => plain(one.pid ? String(one.pid) : "–")],
    ["CPU", (one) => plain(percent(one.cpu_percent))],
    ["Memory", (one) => plain(one.memory ? memoryText(one.memory.resident) : "–")],
    ["of it shared", (one) => plain(one.memory ? memoryText(one.memory.shared) : "–")],
    ["Threads", (one) => plain(one.threads === null ? "–" : String(one.threads))],
    ["Since", (one) => plain(one.since ? sinceText(new Date(one.since), new Date()) : "–")],
    ["Restarts", (one) => plain(String(one.restarts))],
  ],
  ["State"],
);

const buffers = new KeyedTable(byId("bufferTable"), (one) => one.channel, [
  ["Channel", (one) => plain(one.channel)],
  ["Granted", (one) => [memoryText(one.granted), one.granted < one.wanted ? "bad" : ""]],
  ["Wanted", (one) => plain(memoryText(one.wanted))],
  ["In use", (one) => plain(one.used === undefined ? "–" : `${memoryText(one.used)} (${percent((100 * one.used) / one.granted)})`)],
  ["Dropped", (one) => [`${whole.format(one.drops)}${one.gro && one.drops ? " or more" : ""}`, one.drops ? "bad" : ""]],
]);

const packets = new KeyedTable(byId("packetTable"), (one) => one.bytes, [
  ["Packet", (one) => plain(`${one.bytes}\u202fB`)],
  ["In the kernel", (one) => plain(`${whole.format(one.kernel_bytes)}\u202fB`)],
  ["Packets a second", (one) => plain(whole.format(one.rate))],
]);

const [cpuBar, memoryBar, diskBar] = [new Bar(), new Bar(), new Bar()];
const tiles = {
  cpu: new Tile("Processors", cpuBar.element),
  memory: new Tile("Memory", memoryBar.element),
  disk: new Tile("Archive disk", diskBar.element),
  drops: new Tile("Dropped by the kernel"),
  name: new Tile("Up for"),
};
byId("tiles").append(...Object.values(tiles).map((tile) => tile.element));

function showMachine({ machine, archive, kernel, disks, version }) {
  const { memory, cpus, cpu_percent: cpu, load } = machine;
  const free = memory.available / memory.total;
  cpuBar.update((cpu ?? 0) / 100, cpu > 90 ? "bad" : "");
  tiles.cpu.update(percent(cpu), `${cpus} processors, load ${load.map((one) => one.toFixed(2)).join("  ")}`, cpu > 90 ? "bad" : "");
  memoryBar.update(1 - free, free < 0.05 ? "bad" : "");
  const swapped = memory.swap_total - memory.swap_free;
  const note = `${memoryText(memory.available)} of ${memoryText(memory.total)} may be had${swapped ? `, ${memoryText(swapped)} swapped` : ""}`;
  tiles.memory.update(percent(100 * (1 - free)), note, free < 0.05 ? "bad" : "");
  tiles.disk.update(...diskText(archive));
  const disk = disks.find((one) => one.holds.includes("archive"));
  diskBar.update(1 - disk.free / disk.size, archive.trouble ? "bad" : "");
  const dropped = kernel.buffers.reduce((sum, one) => sum + one.drops, 0);
  tiles.drops.update(whole.format(dropped), `of channels; ${whole.format(kernel.udp.buffer_errors)} of the machine since boot`, dropped ? "bad" : "");
  tiles.name.update(lastsText(machine.uptime_s), `${machine.name}, Linux ${machine.kernel}, SpeedData ${version}`);
}

function show(system) {
  showMachine(system);
  processes.update(system.processes);
  buffers.update(system.kernel.buffers);
  byId("noBuffers").hidden = system.kernel.buffers.length > 0;
  const { rmem_max: most, rmem_default: usual } = system.kernel;
  const limits = most === null ? "net.core.rmem_max is not shown here" : `net.core.rmem_max ${memoryText(most)}, net.core.rmem_default ${memoryText(usual ?? 0)}`;
  setText(byId("kernel"), `${limits}. Root may have more than rmem_max.`);
  const down = system.processes.filter((one) => one.state !== "active").length;
  setText(byId("state"), down ? `${down} not active` : "All active");
  byId("state").dataset.tone = down ? "bad" : "good";
}

let answeredAt = null;
let lately = ""; // what the keeper does not say, and why

function showTrouble() {
  const silent = answeredAt === null ? Infinity : performance.now() - answeredAt;
  const isOld = silent > 4 * POLL_MS;
  const away = isOld && answeredAt !== null ? `The registry does not answer: what is shown is ${lastsText(silent / 1000)} old.` : "";
  const text = [away, lately].filter(Boolean).join(" ");
  setText(byId("trouble"), text);
  byId("trouble").hidden = !text;
  byId("main").classList.toggle("old", Boolean(away));
  if (!away) return;
  setText(byId("state"), "Not known");
  byId("state").dataset.tone = "bad";
}

async function poll() {
  try {
    const system = await api.system();
    answeredAt = performance.now();
    lately = system.trouble ? `Relays are not known: ${system.trouble}.` : "";
    show(system);
  } catch (error) {
    console.warn(`registry: ${error.message}`);
    if (answeredAt === null) lately = `The registry does not answer: ${error.message}`;
  }
  showTrouble();
}

async function keepPolling() {
  if (document.visibilityState === "visible") await poll();
  setTimeout(keepPolling, POLL_MS);
}

// A command, and a button that copies it where the browser lets a page do that.
function commandRow({ words, command }) {
  const row = make("div", { class: "command" }, make("span", {}, `${words}:`), make("code", {}, command));
  if (!navigator.clipboard) return row;
  const copy = make("button", { type: "button", "aria-label": `Copy: ${command}` }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    setText(copy, "Copied");
  });
  row.append(copy);
  return row;
}

async function examine() {
  const findings = byId("findings");
  try {
    const found = await api.doctor();
    const rows = found.findings.map(({ text, mend }) => make("div", { class: "finding" }, make("p", {}, text), ...mend.map(commandRow)));
    const buffer = found.receive_buffer;
    const well = buffer ? `Nothing is to be mended: the kernel grants receive buffers of ${memoryText(buffer.granted)}.` : "";
    findings.replaceChildren(...(rows.length ? rows : [make("p", { class: "well" }, well)]));
    byId("measured").hidden = !found.packets;
    packets.update(found.packets ?? []);
  } catch (error) {
    findings.replaceChildren(make("p", { class: "finding" }, `The doctor cannot be asked: ${error.message}`));
  }
}

rememberedTheme(byId("theme"));
byId("examine").addEventListener("click", examine);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && poll());
setInterval(showTrouble, POLL_MS);
examine();
keepPolling();
