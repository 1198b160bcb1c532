// What can be done with channels, and the dialogs that ask about it.

import * as api from "./api.js";
import { EditDialog } from "./edit.js";
import { RangeExport } from "./export.js";
import { Tagging } from "./tagging.js";

const byId = (id) => document.getElementById(id);

export class Actions {
  // `page`: source.pivot, tell(trouble), say(words), poll(), names() of all channels.
  constructor(page) {
    this.page = page;
    this.tagging = new Tagging(byId("tagDialog"), page.tell);
    this.exporter = new RangeExport(byId("exportDialog"), page.source);
    this.editor = new EditDialog(byId("editDialog"), (words) => this.done(words));
  }

  // Something was done.
  done(words) {
    this.page.tell("");
    this.page.say(words);
    this.page.poll();
  }

  // Do it, or tell that it was not done.
  async run(work, words, failure) {
    try {
      await work();
      this.done(words);
    } catch (error) {
      this.page.tell(`${failure}: ${error.message}`);
    }
  }

  opened() {
    this.page.poll();
  }

  tag(duration, channels = null) {
    return this.tagging.tag(duration, channels);
  }

  exportRange(name = null) {
    if (!this.page.source.pivot) this.page.tell("The history service, which exports, does not run.");
    else this.exporter.open(this.page.names(), name);
  }

  async edit(name) {
    try {
      this.editor.open(await api.channel(name));
      this.page.tell("");
    } catch (error) {
      this.page.tell(`${name} cannot be edited: ${error.message}`);
    }
  }

  async schema(name) {
    byId("schemaHeading").textContent = `Schema of ${name}`;
    try {
      byId("schemaText").textContent = JSON.stringify(await api.schema(name), null, 2);
    } catch (error) {
      byId("schemaText").textContent = error.message;
    }
    byId("schemaDialog").showModal();
  }

  restart(name) {
    return this.run(() => api.restart(name), `The relay of ${name} was replaced.`, `The relay of ${name} was not restarted`);
  }

  remove(name) {
    const dialog = byId("removeDialog");
    byId("removeHeading").textContent = `Remove channel ${name}?`;
    dialog.returnValue = "";
    const work = () => this.run(() => api.remove(name), `${name} is removed.`, `${name} was not removed`);
    dialog.addEventListener("close", () => dialog.returnValue === "remove" && work(), { once: true });
    dialog.showModal();
  }
}
