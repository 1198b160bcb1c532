// The bar of buttons at a chart's top, and what they do; the less usual is loaded when it is asked for.

const ACTIONS = [
  ["pause", "Pause", "Pause or go on (Space)"],
  ["measure", "Measure", "Measure between two places (D)"],
  ["mark", "Mark", "Mark the cursor's time with a note (M)"],
  ["picture", "PNG", "Save a picture (S)"],
  ["csv", "CSV", "Save the values shown as CSV (C)"],
  ["table", "Table", "The values shown as a table (V)"],
  ["info", "Info", "How old the data is, how fast it is drawn (I)"],
  ["help", "Keys", "Keys of a chart (?)"],
];
const OF_TIME = ["measure", "mark", "csv", "table"]; // of charts that have time along them
const SPEAK_MS = 400;

export class Toolbar {
  constructor(chart, hand) {
    this.chart = chart;
    this.hand = hand;
    this.root = document.createElement("div");
    this.root.className = "stripchart-tools";
    this.root.setAttribute("role", "toolbar");
    this.root.setAttribute("aria-label", "Chart");
    this.buttons = new Map(ACTIONS.map(([action, text, title]) => [action, this.button(action, text, title)]));
    this.spoken = document.createElement("p");
    this.spoken.className = "stripchart-spoken";
    this.spoken.setAttribute("role", "status");
    chart.box.prepend(this.root);
    chart.box.append(this.spoken);
    this.panels = new Map();
    this.later = 0;
    this.update();
  }

  button(action, text, title) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: text, title });
    button.addEventListener("click", () => this.act(action));
    this.root.append(button);
    return button;
  }

  update() {
    const { isPaused } = this.hand;
    for (const action of OF_TIME) this.buttons.get(action).hidden = !this.hand.isStrip;
    const pause = this.buttons.get("pause");
    if (pause.ariaPressed === String(isPaused)) return;
    pause.textContent = isPaused ? "Live" : "Pause";
    pause.ariaPressed = String(isPaused);
  }

  // Say something to who cannot see the chart, once it is quiet.
  speak(text) {
    clearTimeout(this.later);
    this.later = setTimeout(() => (this.spoken.textContent = text), SPEAK_MS);
  }

  async act(action) {
    const { hand, chart } = this;
    if (this.buttons.get(action)?.hidden) return undefined;
    if (action === "pause") return hand.isPaused ? hand.resume() : hand.pause();
    if (action === "escape") return this.escape();
    const time = hand.timeAt(hand.cursor.place ?? 1); // now: what is loaded for it may take a moment
    if (action === "measure") return (await this.panel("measure")).act(time);
    if (["table", "info", "help"].includes(action)) return (await this.panel(action)).toggle();
    if (action === "mark") return (await import("./marks.js")).addMark(hand, time);
    const files = await import("./files.js");
    return action === "picture" ? files.savePicture(chart) : files.saveValues(chart);
  }

  escape() {
    this.hand.cursor.clear();
    for (const panel of this.panels.values()) panel.close();
  }

  // A panel below the chart, made when it is first asked for.
  async panel(name) {
    if (!this.panels.has(name)) {
      const module = await import(`./panel-${name}.js`);
      if (!this.panels.has(name)) this.panels.set(name, new module.default(this.chart, this.hand));
    }
    return this.panels.get(name);
  }
}
