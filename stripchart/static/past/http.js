// Answers of the services over HTTP, errors in their words.

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
  if (typeof content.details === "string") return content.details === content.error ? content.error : `${content.error}: ${content.details}`;
  const details = Object.entries(content)
    .filter(([key, value]) => key !== "error" && ["string", "number"].includes(typeof value))
    .map(([key, value]) => `${key.replaceAll("_", " ")}: ${value}`);
  return details.length ? `${content.error} (${details.join(", ")})` : content.error;
}

export function sent(method, content) {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
}
