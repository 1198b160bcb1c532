// Entry: mounts every <canvas class="stripchart"> and every element that shows a value, now and later, and draws them. What a
// page needs only when somebody points at a chart, or for other types of charts, is loaded then.

import { base, liveAddress } from "./address.js";
import { NAMES } from "./attributes.js";
import { Chart } from "./chart.js";
import { Feed } from "./feed.js";
import { checkResolution, unwatchSize, watchSize } from "./sizes.js";
import { LiveSocket } from "./socket.js";
import { onThemeChange } from "./theme.js";

const REFRESH_MS = 200; // of texts
const IDLE_MS = 2000; // a page that is never idle gets the rest all the same
const CHARTS = "canvas.stripchart";
const VALUES = ".data, speed-value, speed-status";
const ATTRIBUTES = [...NAMES.map((name) => `data-${name}`), "data-signal", "data-channel", "data-decimals", "id"];

const socket = new LiveSocket(liveAddress, {
  open: () => feed.open(),
  message: (data) => feed.message(data),
  state: () => feed.state(),
});
export const feed = new Feed(socket);
export const charts = new Map(); // by canvas
let values = null; // of the page's elements, once there is one
let tools = null; // for hands and keys, once there is one at a chart
let decor = null; // marks and limits, once the page is up

const views = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const chart = charts.get(target);
    if (chart) chart.isVisible = isIntersecting;
    chart?.wake();
  }
});

function mountChart(canvas) {
  if (charts.has(canvas)) return;
  const chart = new Chart(canvas, feed);
  charts.set(canvas, chart);
  chart.configure();
  tools?.attach(chart);
  decor?.decorate(chart);
  watchSize(canvas, (width, height) => {
    chart.resize(width, height);
    if (chart.hasFailed) chart.configure(); // at another size it may do
    else chart.draw(performance.now()); // before the emptied canvas is shown
  });
  views.observe(canvas);
}

function unmountChart(canvas) {
  const chart = charts.get(canvas);
  if (!chart || canvas.isConnected) return;
  charts.delete(canvas);
  unwatchSize(canvas);
  views.unobserve(canvas);
  chart.unmount();
}

let valuesModule = null;

async function mountValue(element) {
  valuesModule ??= import("./values.js");
  const { Values } = await valuesModule;
  values ??= new Values(feed);
  if (element.isConnected) values.mount(element);
}

function each(node, selector, callback) {
  if (!(node instanceof Element)) return;
  if (node.matches(selector)) callback(node);
  node.querySelectorAll(selector).forEach(callback);
}

function handleMutations(mutations) {
  const changed = new Set();
  for (const { type, target, addedNodes, removedNodes } of mutations) {
    if (type === "attributes") changed.add(target);
    for (const node of removedNodes) {
      each(node, CHARTS, unmountChart);
      each(node, VALUES, (element) => element.isConnected || values?.unmount(element));
    }
    for (const node of addedNodes) {
      each(node, CHARTS, (canvas) => canvas.isConnected && mountChart(canvas));
      each(node, VALUES, mountValue);
    }
  }
  for (const target of changed) {
    charts.get(target)?.configure();
    if (target.matches(VALUES)) mountValue(target);
  }
}

async function loadDecor() {
  decor = await import("./decor.js");
  const isServed = location.origin === base;
  decor.decorateAll(charts, feed, isServed);
  if (matchMedia("(hover: none)").matches) loadTools();
  if (isServed && location.pathname.startsWith("/pages/")) (await import("./reload.js")).watchFile(() => socket.state === "open");
}

// Cursor, keys, and all that comes with them: loaded when a chart is pointed at or has the focus, and where there is no
// pointer to announce itself, once the page is up.
async function loadTools(event) {
  for (const type of ["pointerover", "focusin"]) removeEventListener(type, wantTools, true);
  const early = []; // keys that are pressed before there is anything to follow them
  const keep = (key) => isAtChart(key) && early.push(key);
  addEventListener("keydown", keep, true);
  const { Tools } = await import("./tools.js");
  removeEventListener("keydown", keep, true);
  if (tools) return;
  tools = new Tools(feed, charts);
  for (const chart of charts.values()) tools.attach(chart);
  if (event) tools.begin(event);
  for (const key of early) key.target.dispatchEvent(new KeyboardEvent("keydown", key));
}

const isAtChart = ({ target }) => target instanceof Element && target.closest(".stripchart-box") !== null;

function wantTools(event) {
  if (isAtChart(event)) loadTools(event);
}

function addStyle() {
  const href = new URL("stripchart.css", import.meta.url).href;
  if ([...document.styleSheets].some((sheet) => sheet.href === href)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}

let refreshedAt = -Infinity;

let drawings = 0; // since the last refresh, and how long they took
let drawingMs = 0;

function refresh(localMs) {
  const seconds = (localMs - refreshedAt) / 1000;
  feed.drawn = { fps: Math.round(drawings / seconds) || 0, ms: drawings ? +(drawingMs / drawings).toFixed(2) : 0 };
  drawings = drawingMs = 0;
  refreshedAt = localMs;
  checkResolution();
  for (const chart of charts.values()) guard(chart, () => chart.refresh(localMs));
  values?.refresh(feed.clock.known ? feed.clock.now(localMs) : NaN);
}

// What fails at one chart is said in its place, and stops no other.
function guard(chart, work) {
  try {
    return work();
  } catch (error) {
    if (!chart.error) console.error("stripchart:", error, chart.canvas);
    chart.hasFailed = true;
    chart.error ||= `Cannot be drawn: ${error.message}`;
    chart.canvas.dataset.state = "error";
    chart.notice.tell(chart.error, "", false, false);
    return false;
  }
}

// The one animation loop of the page.
function animate(localMs) {
  requestAnimationFrame(animate);
  feed.delays.frame(feed.clock.estimate(localMs));
  if (localMs - refreshedAt >= REFRESH_MS) refresh(localMs);
  let isDrawn = false;
  for (const chart of charts.values()) isDrawn = guard(chart, () => chart.draw(localMs)) || isDrawn;
  tools?.draw();
  if (isDrawn) {
    drawings++;
    drawingMs += performance.now() - localMs;
  }
}

addStyle();
each(document.documentElement, CHARTS, mountChart);
each(document.documentElement, VALUES, mountValue);
new MutationObserver(handleMutations).observe(document.documentElement, {
  childList: true,
  subtree: true,
  attributeFilter: ATTRIBUTES,
});
for (const type of ["pointerover", "focusin"]) addEventListener(type, wantTools, true);
addEventListener("online", () => socket.retry());
document.addEventListener("visibilitychange", () => {
  const isHidden = document.visibilityState === "hidden";
  feed.look(isHidden, performance.now());
  if (!isHidden) socket.retry();
});
onThemeChange(() => charts.forEach((chart) => chart.paint()));
socket.connect();
(globalThis.requestIdleCallback ?? setTimeout)(loadDecor, { timeout: IDLE_MS });
requestAnimationFrame(animate);
