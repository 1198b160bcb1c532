// What a chart says beside its traces: a badge in the corner while there is a trace to see, else words in its place.

export class Notice {
  constructor(parent) {
    this.words = "";
    this.badge = "";
    this.element = document.createElement("div");
    this.element.className = "stripchart-badge";
    this.element.hidden = true;
    parent.append(this.element);
  }

  // Take what there is to say; true when the words are others than before.
  tell(words, badge) {
    const isNew = words !== this.words;
    this.words = words;
    this.badge = badge;
    if (this.element.textContent !== badge) this.element.textContent = badge;
    if (this.element.title !== words) this.element.title = words;
    return isNew;
  }

  draw(context, plot, palette, hasTrace, isQuiet) {
    const isHidden = !hasTrace || !this.badge;
    if (this.element.hidden !== isHidden) this.element.hidden = isHidden;
    if (isHidden && this.words) drawWords(context, plot, palette.background, isQuiet ? palette.faint : palette.alert, this.words);
  }
}

function drawWords(context, plot, ground, color, words) {
  const lines = words.split("\n");
  const line = 20 * plot.dpr;
  context.font = `600 ${Math.round(14 * plot.dpr)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const x = plot.left + plot.width / 2;
  const width = Math.max(...lines.map((text) => context.measureText(text).width)) + line;
  const y = plot.top + plot.height / 2;
  const height = lines.length * line + line / 2;
  context.fillStyle = ground;
  context.fillRect(x - width / 2, y - height / 2, width, height);
  context.fillStyle = color;
  lines.forEach((text, i) => context.fillText(text, x, y + (i - (lines.length - 1) / 2) * line, plot.width));
}
