// The registration API, as the page calls it.

async function call(path, options = {}) {
  return contentOf(await fetch(`/api/v1${path}`, { signal: AbortSignal.timeout(15000), ...options }));
}

// The JSON of an answer; one other than success is thrown, in the server's words and with its `status`.
export async function contentOf(answer) {
  const text = await answer.text();
  let content = null;
  try {
    content = JSON.parse(text);
  } catch {
    if (answer.ok) throw new Error("the answer is not JSON");
  }
  if (!answer.ok) throw Object.assign(new Error(explain(content, answer.status)), { status: answer.status });
  return content;
}

// What an error answer says, with the details it carries.
export function explain(content, status) {
  if (!content?.error) return `the server answered ${status}`;
  const { field, value, wanted } = content;
  if (field && wanted) return `${content.error}: ${field} is ${JSON.stringify(value)}, wanted ${wanted}`;
  const details = Object.entries(content)
    .filter(([key, value]) => key !== "error" && ["string", "number"].includes(typeof value))
    .map(([key, value]) => `${key.replaceAll("_", " ")}: ${value}`);
  return details.length ? `${content.error} (${details.join(", ")})` : content.error;
}

export function sent(method, content) {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
}

// The server's clock in ms, to the second; NaN when it does not tell.
export async function serverTime() {
  const answer = await fetch("/api/v1/health", { method: "HEAD", signal: AbortSignal.timeout(5000) });
  return Date.parse(answer.headers.get("date"));
}

const inPath = (name) => encodeURIComponent(name);

// Those with live streams: thousands of series may have none, and are looked at in the history.
export const channels = async () => (await call("/channels?live=true", { signal: AbortSignal.timeout(5000) })).channels;
export const schema = (name) => call(`/channels/${inPath(name)}/schema`);
export const services = () => call("/services");
export const remove = (name) => call(`/channels/${inPath(name)}`, { method: "DELETE" });
export const freePort = async () => (await call("/ports/available?start=26000&end=27000")).available[0];

export const register = (channel) => call("/channels", sent("POST", channel));
export const tags = async () => (await call("/tags")).tags;
export const addTag = (tag) => call("/tags", sent("POST", tag));
export const changeTag = (id, tag) => call(`/tags/${id}`, sent("PATCH", tag));
export const removeTag = (id) => call(`/tags/${id}`, { method: "DELETE" });
