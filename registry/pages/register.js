// The form that registers a channel.

import * as api from "./api.js";

// What the form asks for as the API wants it; throws an Error that says what is missing or wrong.
export function channelOf(fields) {
  const text = fields.schema.trim();
  const path = fields.path.trim();
  if (!text && !path) throw new Error("A schema is needed: a path, its text or a file.");
  if (text && path) throw new Error("Give either a path or the schema itself, not both.");
  let schema = path;
  if (text) {
    try {
      schema = JSON.parse(text);
    } catch (error) {
      throw new Error(`The schema is not JSON: ${error.message}`);
    }
  }
  const channel = { name: fields.name.trim(), port: Number(fields.port), schema };
  if (fields.decimation) channel.config = { decimation: Number(fields.decimation) };
  return channel;
}

export class RegisterForm {
  constructor(form, answer, onRegistered) {
    this.form = form;
    this.answer = answer;
    this.onRegistered = onRegistered;
    form.addEventListener("submit", (event) => this.submit(event));
    form.elements.file.addEventListener("change", () => this.readFile());
    this.suggestPort();
  }

  async suggestPort() {
    try {
      this.form.elements.port.value = (await api.freePort()) ?? "";
    } catch {
      this.form.elements.port.value = ""; // a suggestion only: the user types one
    }
  }

  async readFile() {
    const file = this.form.elements.file.files[0];
    if (file) this.form.elements.schema.value = await file.text();
  }

  async submit(event) {
    event.preventDefault();
    const button = this.form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      const channel = channelOf(Object.fromEntries(new FormData(this.form)));
      await api.register(channel);
      this.say(`Channel ${channel.name} is registered: send its records to UDP port ${channel.port}.`, "good");
      this.form.reset();
      this.suggestPort();
      this.onRegistered();
    } catch (error) {
      this.say(error.message, "bad");
    } finally {
      button.disabled = false;
    }
  }

  say(text, tone) {
    this.answer.textContent = text;
    this.answer.dataset.tone = tone;
  }
}
