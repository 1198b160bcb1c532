// The dialog that changes a registered channel: how its live stream is made, and the next version of its schema.

import * as api from "./api.js";
import { SchemaField, later, mark, problemText, schemaOf } from "./schema-field.js";

const RATE_HZ = 50;

// What the fields show for a channel.
export function fieldsOf({ config, decimation }) {
  if (config?.decimation === undefined) return { how: "", by: "rate_hz", number: "" };
  const { enabled, algorithm, factor, rate_hz: rate } = decimation;
  if (!enabled) return { how: "every", by: "rate_hz", number: "" };
  return { how: algorithm, by: factor ? "factor" : "rate_hz", number: String(factor ?? rate) };
}

// The decimation that the fields stand for, null for that of the configuration; throws an Error where a number is missing.
export function decimationOf({ how, by, number }) {
  if (!how) return null;
  if (how === "every") return { enabled: false };
  const key = how === "downsample" ? "factor" : by;
  const value = Number(number);
  if (!number.trim() || !Number.isFinite(value)) throw new Error(key === "factor" ? "How many records? A number is needed." : "How often? A number is needed.");
  return { algorithm: how, [key]: value };
}

export class EditDialog {
  constructor(dialog, changed) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.answer = dialog.querySelector(".answer");
    this.changed = changed;
    this.turn = 0;
    const look = later(() => this.look());
    this.schema = new SchemaField(this.form.elements, dialog.querySelector(".found"), look);
    this.form.elements.schema.addEventListener("input", look);
    for (const name of ["how", "by"]) this.form.elements[name].addEventListener("change", () => this.chosen());
    this.form.elements.cancel.addEventListener("click", () => dialog.close());
    this.form.addEventListener("submit", (event) => this.submit(event));
  }

  open(channel) {
    const { elements } = this.form;
    this.channel = channel;
    this.form.reset();
    this.turn++;
    this.before = fieldsOf(channel);
    for (const [name, value] of Object.entries(this.before)) elements[name].value = value;
    this.dialog.querySelector("h2").textContent = `Edit ${channel.name}`;
    const hasVersions = channel.framing === "single_object" || !channel.port;
    elements.versions.hidden = elements.versions.disabled = !hasVersions;
    this.dialog.querySelector("#oneVersion").hidden = hasVersions;
    this.mark("");
    this.schema.show(null);
    this.say("");
    this.chosen();
    this.dialog.showModal();
    elements.how.focus();
  }

  // Ask for the number that the choice needs.
  chosen() {
    const { how, by, number } = this.form.elements;
    const counts = how.value === "downsample" || by.value === "factor";
    const isFixed = how.value === "" || how.value === "every";
    by.parentElement.hidden = isFixed || how.value === "downsample";
    number.parentElement.hidden = isFixed;
    number.step = counts ? "1" : "any";
    number.min = counts ? "1" : "0.001";
    if (!isFixed && !number.value) number.value = counts ? "10" : String(RATE_HZ);
    this.dialog.querySelector("#numberLabel").textContent = counts ? "Records" : "Spans a second";
  }

  get fields() {
    const { how, by, number } = this.form.elements;
    return { how: how.value, by: by.value, number: number.value };
  }

  // Have the server look at the schema.
  async look() {
    const turn = ++this.turn;
    let found = { problems: {}, schema: null };
    let text = "";
    try {
      const schema = schemaOf(this.form.elements.schema.value);
      if (schema) found = await api.validate({ schema });
      if (found.problems.schema) text = problemText(found.problems.schema);
    } catch (error) {
      text = error.message;
    }
    if (turn !== this.turn) return;
    this.mark(text);
    this.schema.show(found.schema);
  }

  mark(text) {
    mark(this.form.elements.schema, this.dialog.querySelector("#versionProblem"), text);
  }

  async submit(event) {
    event.preventDefault();
    const { save } = this.form.elements;
    const { name } = this.channel;
    save.disabled = true;
    try {
      const schema = schemaOf(this.form.elements.schema.value);
      if (JSON.stringify(this.fields) !== JSON.stringify(this.before)) {
        await api.change(name, { decimation: decimationOf(this.fields) });
        this.before = this.fields;
      }
      if (schema) await api.addSchema(name, schema, this.form.elements.force.checked);
      this.dialog.close();
      this.changed(`${name} is changed, its relay has gone over to it.`);
    } catch (error) {
      this.say(error.message);
    } finally {
      save.disabled = false;
    }
  }

  say(text) {
    this.answer.textContent = text;
    this.answer.dataset.tone = "bad";
  }
}
