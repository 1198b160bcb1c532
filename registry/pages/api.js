// The registration API, as the page calls it.

import { contentOf, sent } from "/static/stripchart/past/http.js";

import { loginPage } from "./next-page.js";

async function ask(path, options = {}) {
  return contentOf(await fetch(`/api/v1${path}`, { signal: AbortSignal.timeout(15000), ...options }));
}

// Who is not known, as when the session has ended, goes to log in and comes back.
async function call(path, options) {
  try {
    return await ask(path, options);
  } catch (error) {
    if (error.status === 401) location.replace(loginPage(location.pathname + location.search + location.hash));
    throw error;
  }
}

// The server's clock in ms, to the second; NaN when it does not tell.
export async function serverTime() {
  const answer = await fetch("/api/v1/health", { method: "HEAD", signal: AbortSignal.timeout(5000) });
  return Date.parse(answer.headers.get("date"));
}

const inPath = (name) => encodeURIComponent(name);

// Those with live streams: thousands of series may have none, and are looked at in the history.
export const channels = async () => (await call("/channels?live=true", { signal: AbortSignal.timeout(5000) })).channels;
export const channel = (name) => call(`/channels/${inPath(name)}`);
export const status = () => call("/status");
export const system = () => call("/system", { signal: AbortSignal.timeout(5000) });
export const doctor = () => call("/doctor");
export const schema = (name) => call(`/channels/${inPath(name)}/schema`);
export const services = () => call("/services");
export const remove = (name) => call(`/channels/${inPath(name)}`, { method: "DELETE" });
export const freePort = async () => (await call("/ports/available?start=26000&end=27000")).available[0];

export const register = (channel) => call("/channels", sent("POST", channel));
export const validate = (channel) => call("/channels/validate", sent("POST", channel));
export const change = (name, changes) => call(`/channels/${inPath(name)}`, sent("PATCH", changes));
export const addSchema = (name, schema, force) => call(`/channels/${inPath(name)}/schemas`, sent("POST", { schema, force }));
export const restart = (name) => call(`/channels/${inPath(name)}/restart`, { method: "POST" });
export const tags = async () => (await call("/tags")).tags;
export const addTag = (tag) => call("/tags", sent("POST", tag));
export const changeTag = (id, tag) => call(`/tags/${id}`, sent("PATCH", tag));
export const removeTag = (id) => call(`/tags/${id}`, { method: "DELETE" });
export const alarms = () => call("/alarms", { signal: AbortSignal.timeout(5000) });
export const acknowledge = (signals) => call("/alarms/acknowledge", sent("POST", { signals }));

export const logIn = (token) => ask("/login", sent("POST", { token }));
export const logOut = () => ask("/logout", { method: "POST" });
export const who = () => call("/who");
