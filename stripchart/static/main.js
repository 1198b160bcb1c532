// Entry: mounts every <canvas class="stripchart"> and every element of class "data", now and later, and draws them.

import { liveAddress } from "./address.js";
import { NAMES } from "./attributes.js";
import { Chart } from "./chart.js";
import { Feed } from "./feed.js";
import { unwatchSize, watchSize } from "./sizes.js";
import { LiveSocket } from "./socket.js";
import { onThemeChange } from "./theme.js";
import { Values } from "./values.js";

const REFRESH_MS = 200; // of texts
const CHARTS = "canvas.stripchart";
const VALUES = ".data";

const socket = new LiveSocket(liveAddress, {
  open: () => feed.open(),
  message: (data) => feed.message(data),
  state: () => feed.state(),
});
export const feed = new Feed(socket);
export const charts = new Map(); // by canvas
const values = new Values(feed);

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
  watchSize(canvas, (width, height) => {
    chart.resize(width, height);
    chart.draw(performance.now()); // before the emptied canvas is shown
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
      each(node, VALUES, (element) => element.isConnected || values.unmount(element));
    }
    for (const node of addedNodes) {
      each(node, CHARTS, (canvas) => canvas.isConnected && mountChart(canvas));
      each(node, VALUES, (element) => element.isConnected && values.mount(element));
    }
  }
  for (const target of changed) {
    charts.get(target)?.configure();
    if (target.matches(VALUES)) values.mount(target);
  }
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

function refresh(localMs) {
  refreshedAt = localMs;
  for (const chart of charts.values()) chart.refresh(localMs);
  values.refresh(feed.clock.known ? feed.clock.now(localMs) : NaN);
}

// The one animation loop of the page.
function animate(localMs) {
  if (localMs - refreshedAt >= REFRESH_MS) refresh(localMs);
  for (const chart of charts.values()) chart.draw(localMs);
  requestAnimationFrame(animate);
}

addStyle();
each(document.documentElement, CHARTS, mountChart);
each(document.documentElement, VALUES, (element) => values.mount(element));
new MutationObserver(handleMutations).observe(document.documentElement, {
  childList: true,
  subtree: true,
  attributeFilter: [...NAMES, "data-signal", "id"],
});
addEventListener("online", () => socket.retry());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && socket.retry());
onThemeChange(() => charts.forEach((chart) => chart.paint()));
socket.connect();
requestAnimationFrame(animate);
