// What a chart says beside its traces: a badge in the corner while there is a trace to see, else words in its place.

export class Notice {
  constructor(parent) {
    this.words = document.createElement("div");
    this.words.className = "stripchart-words";
    this.badge = document.createElement("div");
    this.badge.className = "stripchart-badge";
    parent.append(this.words, this.badge);
    this.tell("", "", false, false);
  }

  // `hasTrace`: there is one in sight; `isQuiet`: nothing is wrong.
  tell(words, badge, hasTrace, isQuiet) {
    this.show(this.words, hasTrace ? "" : words);
    this.show(this.badge, hasTrace ? badge : "");
    this.words.classList.toggle("quiet", isQuiet);
    if (this.badge.title !== words) this.badge.title = words;
  }

  show(element, text) {
    if (element.textContent !== text) element.textContent = text;
    element.hidden = !text;
  }
}
