// Shows the OpenAPI document, and tries its calls. Text is set as text, never as markup.

const make = (tag, text = "", kind = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
};

// What stands between backticks is code.
const fill = (element, text) => {
  const parts = text.split(/`([^`]+)`/);
  element.replaceChildren(...parts.map((part, place) => (place % 2 ? make("code", part) : part)));
  return element;
};

const table = (heads, rows) => {
  const body = make("table");
  for (const [cells, cell] of [[heads, "th"], ...rows.map((row) => [row, "td"])]) {
    const line = make("tr");
    for (const content of cells) {
      const place = make(cell);
      place.append(content);
      line.append(place);
    }
    body.append(line);
  }
  return body;
};

const address = (path, inputs) => {
  const query = new URLSearchParams();
  let filled = path;
  for (const [name, input] of inputs) {
    if (path.includes(`{${name}}`)) filled = filled.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value) query.set(name, input.value);
  }
  return query.size ? `${filled}?${query}` : filled;
};

const attempt = async (path, method, inputs, body, link, answer) => {
  const target = address(path, inputs);
  link.textContent = target;
  if (method === "get") link.href = target;
  const content = body?.value ? { body: body.value, headers: { "content-type": "application/json" } } : {};
  const response = await fetch(target, { method: method.toUpperCase(), ...content });
  const type = response.headers.get("content-type") ?? "";
  const status = `${response.status} ${response.statusText}`;
  if (type.startsWith("application/json")) {
    answer.textContent = `${status}\n${JSON.stringify(await response.json(), null, 2)}`;
  } else {
    await response.body?.cancel();
    answer.textContent = `${status}\n${type}, ${response.headers.get("content-length") ?? "?"} bytes: save it by the link`;
  }
  answer.hidden = false;
};

const describe = (path, method, operation) => {
  const article = make("article");
  const head = make("h2");
  head.append(make("span", method.toUpperCase(), "method"), make("span", path, "path"));
  article.append(head, fill(make("p"), operation.description ?? operation.summary ?? ""));
  const inputs = new Map();
  const rows = (operation.parameters ?? []).map((parameter) => {
    const input = make("input");
    input.setAttribute("aria-label", parameter.name);
    inputs.set(parameter.name, input);
    return [make("code", parameter.name), fill(make("span"), parameter.description ?? ""), input];
  });
  if (rows.length) article.append(make("h3", "Parameters"), table(["Name", "Meaning", "Value"], rows));
  const answers = Object.entries(operation.responses ?? {}).map(([status, response]) => [
    make("code", status),
    fill(make("span"), response.description ?? ""),
    Object.keys(response.content ?? {}).join(", "),
  ]);
  article.append(make("h3", "Answers"), table(["Status", "Meaning", "Type"], answers));
  article.append(...trial(path, method, operation, inputs));
  return article;
};

const trial = (path, method, operation, inputs) => {
  const types = Object.keys(operation.requestBody?.content ?? {});
  const body = types.includes("application/json") ? make("textarea") : null;
  body?.setAttribute("aria-label", "Body, JSON");
  const button = make("button", "Try it");
  const link = make("a");
  const answer = make("pre");
  answer.hidden = true;
  button.addEventListener("click", () => {
    attempt(path, method, inputs, body, link, answer).catch((error) => {
      answer.textContent = String(error);
      answer.hidden = false;
    });
  });
  const line = make("p");
  line.append(button, " ", link);
  const head = types.length ? [make("h3", "Body"), make("p", types.join(", "))] : [];
  return [...head, ...(body ? [body] : []), line, answer];
};

const show = async () => {
  const operations = document.getElementById("operations");
  const response = await fetch("/openapi.json");
  const api = await response.json();
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  fill(document.getElementById("description"), api.info.description ?? "");
  operations.replaceChildren();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) operations.append(describe(path, method, operation));
  }
};

show().catch((error) => {
  document.getElementById("operations").textContent = `The document could not be loaded: ${error}`;
});
