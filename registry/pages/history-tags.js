// Tags: named ranges, shown as bands with their names over the charts, made, changed and deleted.

import * as api from "./api.js";
import { arrange, make, setText } from "./dom.js";
import { fieldText, isoText, lengthText, parseTime, stampText } from "/static/stripchart/past/time.js";

const LANES = 3;
const LANE_PX = 24;
const NAME_PX = 120; // that a name needs beside another

export class TagLane {
  constructor(element, source, onOpen) {
    this.element = element;
    this.source = source;
    this.onOpen = onOpen;
    this.buttons = new Map(); // by id of the tag
    this.more = make("span", { class: "more", hidden: "" });
    element.append(this.more);
  }

  // Names over the view, in as few lines as they fit in; `inset` is how far the plot is from the sides, in pixels.
  draw({ left, right }) {
    const { view, tags, zone } = this.source;
    const shown = tags.filter((tag) => tag.end >= view.start && tag.start < view.end);
    const width = this.element.clientWidth - left - right;
    const ends = [];
    const made = [];
    let more = 0;
    for (const tag of shown) {
      const [from, to] = [tag.start, tag.end].map((time) => Math.min(1, Math.max(0, view.placeOf(time))) * width);
      const at = Math.min(from, width - 24);
      let lane = ends.findIndex((end) => end <= at);
      if (lane < 0) lane = ends.length;
      if (lane >= LANES) {
        more++;
        continue;
      }
      ends[lane] = Math.max(to, at + NAME_PX) + 2;
      made.push(this.button(tag, zone, left + at, Math.max(24, to - at), width - at, lane));
    }
    this.element.style.height = `${Math.max(1, ends.length) * LANE_PX + 2}px`;
    this.element.hidden = !made.length;
    this.more.hidden = !more;
    this.more.textContent = `+${more}`;
    arrange(this.element, made);
    for (const [id, button] of this.buttons) {
      if (made.includes(button)) continue;
      button.remove();
      this.buttons.delete(id);
    }
  }

  // The button of a tag stays the same one while it is shown, so that it can be focused.
  button(tag, zone, left, width, room, lane) {
    let button = this.buttons.get(tag.id);
    if (!button) this.buttons.set(tag.id, (button = make("button", { type: "button", class: "tag", onclick: () => this.open(tag.id) })));
    const title = `${tag.name}: ${stampText(tag.start, 1e9, zone)}, ${lengthText(tag.end - tag.start)}${tag.note && `\n${tag.note}`}`;
    setText(button, tag.name);
    if (button.title !== title) {
      button.title = title;
      button.ariaLabel = `Tag ${title}`;
    }
    const { style } = button;
    style.left = `${left}px`;
    style.minWidth = `${width}px`;
    style.maxWidth = `${Math.max(width, Math.min(room, NAME_PX))}px`;
    style.top = `${lane * LANE_PX}px`;
    return button;
  }

  open(id) {
    this.onOpen(this.source.tags.find((tag) => tag.id === id));
  }
}

// A tag of the API with its times as numbers.
export const known = (tag) => ({ ...tag, start: parseTime(tag.start), end: parseTime(tag.end) });

// All tags about any of these channels, by start.
export async function loadTags(channels) {
  const names = new Set(channels);
  const tags = (await api.tags()).map(known).filter((tag) => !tag.channels || tag.channels.some((name) => names.has(name)));
  return tags.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.id - b.id));
}

// The dialog that makes or changes one.
export class TagDialog {
  // `actions`: changed() after something did, show(start, end), and closed().
  constructor(dialog, source, actions) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.source = source;
    this.actions = actions;
    this.answer = dialog.querySelector("[role=status]");
    this.form.addEventListener("submit", (event) => this.submit(event));
    dialog.addEventListener("close", () => actions.closed());
    const on = (name, action) => this.form.elements[name].addEventListener("click", action);
    on("cancel", () => dialog.close());
    on("remove", () => this.run(() => api.removeTag(this.tag.id)));
    on("zoom", () => {
      dialog.close();
      const beside = (this.tag.end - this.tag.start) / 20n + 1n;
      actions.show(this.tag.start - beside, this.tag.end + beside);
    });
  }

  // `tag` without an id is a new one.
  open(tag, title = tag.id ? "Tag" : "Tag this range") {
    const { elements } = this.form;
    const { zone } = this.source;
    this.tag = tag;
    this.channels = tag.channels ?? (tag.id ? null : this.source.channels);
    this.say("");
    this.dialog.querySelector("h2").textContent = title;
    elements.name.value = tag.name ?? "";
    elements.note.value = tag.note ?? "";
    elements.start.value = fieldText(tag.start, zone);
    elements.end.value = fieldText(tag.end, zone);
    this.fields = { start: elements.start.value, end: elements.end.value };
    const these = (tag.channels ?? this.source.channels).join(", ");
    const options = [["these", these], ["all", "all channels"]].filter(([, text]) => text);
    elements.about.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
    elements.about.value = this.channels ? "these" : "all";
    for (const name of ["remove", "zoom"]) elements[name].hidden = !tag.id;
    this.dialog.showModal();
    elements.name.focus();
  }

  // A time as it is to be: exactly what it was where the field still shows that.
  time(name) {
    const { value } = this.form.elements[name];
    if (value === this.fields[name]) return this.tag[name];
    const time = parseTime(value, this.source.zone);
    if (time === null) throw new Error(`The ${name} is not a time, such as 2026-01-31 12:00:00.`);
    return time;
  }

  submit(event) {
    event.preventDefault();
    this.run(() => {
      const { name, note, about } = this.form.elements;
      if (!name.value.trim()) throw new Error("A name is needed.");
      const [start, end] = [this.time("start"), this.time("end")];
      if (end < start) throw new Error("The end is before the start.");
      const channels = about.value === "all" ? null : (this.tag.channels ?? this.source.channels);
      const tag = { name: name.value.trim(), note: note.value, start: isoText(start), end: isoText(end), channels };
      return this.tag.id ? api.changeTag(this.tag.id, tag) : api.addTag(tag);
    });
  }

  async run(work) {
    const { elements } = this.form;
    const buttons = [elements.save, elements.remove];
    for (const button of buttons) button.disabled = true;
    try {
      await work();
      this.dialog.close();
      this.actions.changed();
    } catch (error) {
      this.say(error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  say(text) {
    this.answer.textContent = text;
    this.answer.dataset.tone = "bad";
  }
}
