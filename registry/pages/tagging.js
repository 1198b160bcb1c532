// Tagging what has just happened: the first click makes the tag, so that it covers what was meant however long the note takes.

import { fieldText, isoText, lengthText, now, parseDuration } from "/static/stripchart/past/time.js";

import * as api from "./api.js";
import { TagDialog, known } from "./history-tags.js";

export class Tagging {
  // `told` is given words for the screen reader and for trouble.
  constructor(dialog, told) {
    this.told = told;
    this.dialog = new TagDialog(dialog, { zone: "local", channels: [] }, { changed: () => {}, show: toHistory, closed: () => {} });
  }

  // Tag the last `duration` of some channels, null: of all; then ask for a note.
  async tag(duration, channels = null) {
    const length = lengthText(parseDuration(duration));
    try {
      const name = `${length} to ${fieldText(now(), "local").slice(0, 19)}`;
      const tag = known(await api.addTag({ name, last: duration, channels }));
      this.told("");
      this.dialog.open(tag, `The last ${length} ${length.startsWith("1 ") ? "is" : "are"} tagged`);
      this.dialog.form.elements.note.focus();
    } catch (error) {
      this.told(`The last ${length} could not be tagged: ${error.message}`);
    }
  }
}

function toHistory(start, end) {
  location.assign(`/history#start=${isoText(start)}&end=${isoText(end)}`);
}
