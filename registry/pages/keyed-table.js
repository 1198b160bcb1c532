// A table whose rows are kept up to date in place: a row by key, a cell by column.

import { arrange, make, setText } from "./dom.js";

export class KeyedTable {
  // `columns`: [label, (item) => [text, tone]]; the first one names the row. `chips`: labels whose texts stand in chips.
  constructor(table, keyOf, columns, chips = []) {
    this.table = table;
    this.body = table.tBodies[0];
    this.keyOf = keyOf;
    this.columns = columns;
    this.chips = new Set(chips);
    this.rows = new Map();
  }

  update(items) {
    const keys = new Set(items.map(this.keyOf));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    arrange(this.body, items.map((item) => this.row(item)));
    this.table.hidden = !items.length;
  }

  row(item) {
    const key = this.keyOf(item);
    if (!this.rows.has(key)) this.rows.set(key, this.newRow());
    const { element, cells } = this.rows.get(key);
    this.columns.forEach(([, textOf], place) => {
      const [text, tone] = textOf(item);
      setText(cells[place], text);
      if (cells[place].dataset.tone !== tone) cells[place].dataset.tone = tone;
    });
    return element;
  }

  newRow() {
    const cells = [];
    const boxes = this.columns.map(([label], place) => {
      const isChip = this.chips.has(label);
      const box = place ? make("td", { "data-label": label, class: isChip ? "" : "number" }) : make("th", { scope: "row" });
      cells.push(isChip ? make("span", { class: "chip" }) : box);
      if (isChip) box.append(cells.at(-1));
      return box;
    });
    return { element: make("tr", {}, ...boxes), cells };
  }
}
