// Where the live server is: the registry of the host that this script came from tells.

const DEFAULT_BASE = "http://localhost:8080"; // for pages opened as a file
const DEFAULT_PORT = 8081;
const ANY_HOST = new Set(["", "0.0.0.0", "::", "[::]", "localhost", "127.0.0.1", "::1", "[::1]"]);

// Base address of the registry.
export const base = import.meta.url.startsWith("http") ? new URL(import.meta.url).origin : DEFAULT_BASE;

// An address that a service tells of itself, as it is reached from here: a host that means "any" or "this one" is the
// host that the registry was reached by.
export function reachable(service, scheme) {
  const host = ANY_HOST.has(service.host ?? "") ? new URL(base).hostname : service.host;
  return `${scheme}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${service.port}`;
}

export async function services() {
  const answer = await fetch(`${base}/api/v1/services`, { signal: AbortSignal.timeout(3000) });
  if (!answer.ok) throw new Error(`services: ${answer.status}`);
  return answer.json();
}

let known = null; // where the live server was when the registry last told

// Address of the live server. A page may name another by <meta name="speeddata-live" content="ws://host:port">.
export async function liveAddress() {
  const named = document.querySelector('meta[name="speeddata-live"]')?.content;
  if (named) return named;
  const scheme = base.startsWith("https") ? "wss" : "ws";
  try {
    known = reachable((await services()).websocket, scheme);
  } catch {
    known ??= reachable({ port: DEFAULT_PORT }, scheme);
  }
  return known;
}
