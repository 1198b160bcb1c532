// The form that registers a channel. While it is filled in the server tells what it would say to it.

import * as api from "./api.js";
import { SchemaField, later, mark, problemText, schemaOf } from "./schema-field.js";

// What the form asks for as the API wants it; throws an Error that says what is missing or wrong.
export function channelOf(fields) {
  const path = fields.path.trim();
  const text = schemaOf(fields.schema);
  if (!text && !path) throw new Error("A schema is needed: a path, its text or a file.");
  if (text && path) throw new Error("Give either a path or the schema itself, not both.");
  const channel = { name: fields.name.trim(), schema: text ?? path };
  if (fields.port) channel.port = Number(fields.port);
  if (fields.decimation) channel.config = { decimation: Number(fields.decimation) };
  return channel;
}

// As much of it as there is yet, for the server to look at.
export function draftOf(fields) {
  const draft = { name: fields.name.trim(), port: Number(fields.port) }; // 0: any
  const path = fields.path.trim();
  const schema = schemaOf(fields.schema) ?? path;
  if (schema) draft.schema = schema;
  if (fields.decimation) draft.config = { decimation: Number(fields.decimation) };
  return draft;
}

export class RegisterForm {
  constructor(form, answer, onRegistered) {
    this.form = form;
    this.answer = answer;
    this.onRegistered = onRegistered;
    this.turn = 0; // of asking; what was asked before the last time is of no interest any more
    const look = later(() => this.look());
    this.schema = new SchemaField(form.elements, form.querySelector(".found"), look);
    form.addEventListener("submit", (event) => this.submit(event));
    form.addEventListener("input", () => {
      this.say("");
      look();
    });
    this.suggestPort();
  }

  async suggestPort() {
    try {
      this.form.elements.port.value = (await api.freePort()) ?? "";
    } catch {
      this.form.elements.port.value = ""; // a suggestion only: the user types one
    }
  }

  get values() {
    return Object.fromEntries(new FormData(this.form));
  }

  // Have the server look at what is there, and show what it finds.
  async look() {
    const turn = ++this.turn;
    const { values } = this;
    let problems = {};
    let schema = null;
    try {
      ({ problems, schema } = await api.validate(draftOf(values)));
    } catch (error) {
      problems = { schema: error.message };
    }
    if (turn !== this.turn) return;
    const words = (field) => (typeof problems[field] === "object" ? problemText(problems[field]) : (problems[field] ?? ""));
    this.mark("name", words("name"));
    this.mark("port", words("port"));
    this.mark("decimation", words("config"));
    const isPath = values.path.trim() && !values.schema.trim();
    this.mark("path", isPath ? words("schema") : "");
    this.mark("schema", isPath ? "" : words("schema"));
    this.schema.show(schema);
  }

  mark(field, text) {
    mark(this.form.elements[field], this.form.querySelector(`#${field}Problem`), text);
  }

  async submit(event) {
    event.preventDefault();
    const button = this.form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      const channel = await api.register(channelOf(this.values));
      this.turn++;
      this.form.reset();
      for (const field of ["name", "port", "decimation", "path", "schema"]) this.mark(field, "");
      this.schema.show(null);
      this.say(`Channel ${channel.name} is registered: send its records to UDP port ${channel.port}.`, "good");
      this.suggestPort();
      this.onRegistered();
    } catch (error) {
      this.say(error.message, "bad");
    } finally {
      button.disabled = false;
    }
  }

  say(text, tone = "") {
    this.answer.textContent = text;
    this.answer.dataset.tone = tone;
  }
}
