// The dialog that exports a range: made in the background, its progress, then the link to the file.

import { cancelExport, exportAddress, exportState, startExport } from "/static/stripchart/past/query.js";
import { isoText, lengthText } from "/static/stripchart/past/time.js";
import { countText } from "/static/stripchart/past/words.js";

import { sizeText } from "./amounts.js";
import { make, setText } from "./dom.js";

const ASK_MS = 400;
const SIMPLE = 5n * 60n * 1_000_000_000n; // a range that is exported while one waits

function progressText({ progress, records, eta_s: left }) {
  return `${Math.round(progress * 100)} %, ${countText(records, "record")}${left ? `, ${Math.ceil(left)} s to go` : ""}`;
}

// What dialogs that export have in common. One that extends it gives `length`, how long the range is in ns, and `params` of the
// export; both throw an Error where what was typed is none.
export class Exporter {
  // `source.pivot` is the address of the history service.
  constructor(dialog, source) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.answer = dialog.querySelector("[role=status]");
    this.bar = dialog.querySelector("progress");
    this.source = source;
    this.job = null;
    this.turn = 0; // another one each time the dialog was closed
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.form.elements.cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.abandon());
  }

  show() {
    this.say("");
    this.bar.hidden = true;
    this.rest();
    this.dialog.showModal();
  }

  async submit(event) {
    event.preventDefault();
    const { source, turn } = this;
    this.form.elements.start.disabled = true;
    this.say("Starting…");
    try {
      const { length, params } = this;
      if (length <= SIMPLE) this.offer(exportAddress(source.pivot, params), "Download");
      else await this.follow(await startExport(source.pivot, params), turn);
    } catch (error) {
      if (turn !== this.turn) return;
      this.say(error.message, "bad");
      this.bar.hidden = true;
    }
    if (turn === this.turn) this.rest();
  }

  // Nothing is being made.
  rest() {
    setText(this.form.elements.cancel, "Close");
    this.form.elements.start.disabled = false;
  }

  // Wait for a job.
  async follow(job, turn) {
    if (turn !== this.turn) return this.cancel(job);
    this.job = job;
    this.bar.hidden = false;
    setText(this.form.elements.cancel, "Cancel");
    for (let told = job; this.job === job; told = await exportState(this.source.pivot, job.id)) {
      if (told.state === "done") {
        this.job = null;
        this.bar.value = 1;
        const damage = told.damages ? `, without ${countText(told.damages, "damaged place")}` : "";
        this.offer(this.source.pivot + told.file, `Download ${sizeText(told.bytes)}`, ` ${told.name}${damage}`);
        return;
      }
      if (told.error || ["failed", "cancelled"].includes(told.state)) throw new Error(told.error ?? "The export was cancelled.");
      this.bar.value = told.progress;
      this.say(told.state === "queued" ? "Waiting for other exports…" : progressText(told));
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  }

  offer(address, text, more = "") {
    this.answer.dataset.tone = "good";
    const link = make("a", { href: address, class: "button main", download: "" }, text);
    this.answer.replaceChildren(link, more);
    link.focus();
  }

  say(text, tone = "") {
    this.answer.dataset.tone = tone;
    setText(this.answer, text);
  }

  // Nobody waits for it any more.
  abandon() {
    this.turn++;
    if (this.job) this.cancel(this.job);
    this.job = null;
  }

  cancel(job) {
    cancelExport(this.source.pivot, job.id).catch(() => {});
  }
}

// That of the history page: exports what is shown.
export class ExportDialog extends Exporter {
  open() {
    const { view } = this.source;
    this.range = [view.start, view.end];
    setText(this.dialog.querySelector(".range"), `${this.source.rangeText()} (${lengthText(view.length)})`);
    this.show();
  }

  get length() {
    const [start, end] = this.range;
    return end - start;
  }

  get params() {
    const { format, scope } = this.form.elements;
    const [start, end] = this.range;
    return {
      start: isoText(start),
      end: isoText(end - 1n), // exports include their end
      channels: this.source.channels.join(","),
      format: format.value,
      ...(scope.value === "shown" ? { signals: this.source.signalNames.join(",") } : {}),
    };
  }
}
