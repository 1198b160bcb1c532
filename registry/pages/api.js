// The registration API, as the page calls it.

async function call(path, options = {}) {
  const answer = await fetch(`/api/v1${path}`, { signal: AbortSignal.timeout(15000), ...options });
  const text = await answer.text();
  let content = null;
  try {
    content = JSON.parse(text);
  } catch {
    if (answer.ok) throw new Error("the answer is not JSON");
  }
  if (!answer.ok) throw new Error(explain(content, answer.status));
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

const inPath = (name) => encodeURIComponent(name);

export const channels = async () => (await call("/channels", { signal: AbortSignal.timeout(5000) })).channels;
export const schema = (name) => call(`/channels/${inPath(name)}/schema`);
export const services = () => call("/services");
export const remove = (name) => call(`/channels/${inPath(name)}`, { method: "DELETE" });
export const freePort = async () => (await call("/ports/available?start=26000&end=27000")).available[0];

export function register(channel) {
  return call("/channels", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(channel),
  });
}
