// A schema that is typed, pasted or read from a file, and the signals that the server finds in it.

import { explain } from "/static/stripchart/past/http.js";
import { countText } from "/static/stripchart/past/words.js";

import { make, setText } from "./dom.js";

const SHOWN = 60; // signals; a schema may have thousands

// The schema that a text stands for, null for none; throws an Error where the text is no JSON.
export function schemaOf(text) {
  if (!text.trim()) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The schema is not JSON: ${error.message}`);
  }
}

// "double", "long, time in ms", "double in V".
export function signalText({ type, unit, role, nullable }, timeUnit) {
  const words = [nullable ? `${type} or null` : type];
  if (unit) words.push(`in ${unit}`);
  if (role) words.push(role === "time" ? `(time${timeUnit ? ` in ${timeUnit}` : ""})` : `(${role})`);
  return words.join(" ");
}

export class SchemaField {
  // `fields`: the form's elements, of which `schema` and `file` are used; `changed` is called when there is another schema.
  constructor(fields, found, changed) {
    this.fields = fields;
    this.count = make("p", { role: "status" });
    this.list = make("ul");
    this.element = found;
    found.append(this.count, this.list);
    fields.file.addEventListener("change", async () => {
      const file = fields.file.files[0];
      if (!file) return;
      fields.schema.value = await file.text();
      changed();
    });
  }

  // Show what the server found; null: nothing can be found as yet.
  show(schema) {
    const signals = schema?.signals ?? [];
    const guess = schema && !schema.time_unit ? "; the unit of its time is told by the first record" : "";
    setText(this.count, schema ? `${countText(signals.length, "signal")} found${guess}` : "");
    const shown = signals.slice(0, SHOWN).map((one) => make("li", {}, make("b", {}, one.name), ` ${signalText(one, schema.time_unit)}`));
    if (signals.length > SHOWN) shown.push(make("li", {}, `and ${signals.length - SHOWN} more`));
    this.list.replaceChildren(...shown);
    this.element.hidden = !schema;
  }
}

// Calls `look` a moment after the last of several calls.
export function later(look, ms = 250) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(look, ms);
  };
}

// What the server would refuse a field with, in few words.
export function problemText(problem) {
  const { error, field, wanted, details } = problem;
  return details && !(field && wanted) ? `${error}: ${details}` : explain(problem);
}

// What is wrong with a field stands below it, and is read out with it; "": nothing.
export function mark(field, problem, text) {
  setText(problem, text);
  problem.hidden = !text;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}
