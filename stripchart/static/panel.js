// A panel below a chart: made empty, shown and closed.

export class Panel {
  constructor(chart, hand, name) {
    this.chart = chart;
    this.hand = hand;
    this.root = document.createElement("div");
    this.root.className = "stripchart-panel";
    this.root.setAttribute("role", "region");
    this.root.setAttribute("aria-label", name);
    this.root.hidden = true;
    this.timer = 0;
    chart.box.append(this.root);
  }

  get isOpen() {
    return !this.root.hidden;
  }

  open(everyMs = 0) {
    this.root.hidden = false;
    clearInterval(this.timer);
    if (everyMs) this.timer = setInterval(() => (this.chart.canvas.isConnected ? this.fill() : clearInterval(this.timer)), everyMs);
    this.fill();
  }

  close() {
    clearInterval(this.timer);
    this.root.hidden = true;
  }

  fill() {}

  // Show rows of cells, the first as heads.
  put(rows, caption) {
    const table = document.createElement("table");
    table.createCaption().textContent = caption;
    for (const [index, cells] of rows.entries()) {
      const row = table.insertRow();
      for (const [place, text] of cells.entries()) {
        const cell = document.createElement(index === 0 || place === 0 ? "th" : "td");
        if (index === 0) cell.scope = "col";
        else if (place === 0) cell.scope = "row";
        cell.textContent = text;
        row.append(cell);
      }
    }
    this.root.replaceChildren(table);
  }
}
