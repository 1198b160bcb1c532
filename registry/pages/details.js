// What a row of the table opens to: who sends, and everything that is known of the channel.

import { ageText, whole } from "./amounts.js";
import { arrange, make, setText } from "./dom.js";
import { factsOf } from "./facts.js";

const COLUMNS = [
  ["Source", (one) => `${one.address}:${one.port}`],
  ["Packets", (one) => whole.format(one.packets)],
  ["Records", (one) => whole.format(one.records)],
  ["Refused", (one) => whole.format(one.refused)],
  ["Gaps", (one) => whole.format(one.gaps)],
  ["Late", (one) => whole.format(one.reordered)],
  ["Twice", (one) => whole.format(one.duplicates)],
  ["Last packet", (one, nowS) => `${ageText(nowS - Date.parse(one.last) / 1000)} ago`],
];
const ALARMING = new Set(["Refused", "Gaps"]);

// A table of sources, a row each, kept up to date in place.
class Sources {
  constructor(name) {
    this.rows = new Map(); // by address
    this.body = make("tbody");
    const heads = COLUMNS.map(([label], place) => make("th", { scope: "col", class: place ? "number" : "" }, label));
    this.table = make("table", { "aria-label": `Sources of ${name}` }, make("thead", {}, make("tr", {}, ...heads)), this.body);
    this.note = make("p", { class: "empty" });
    this.element = make("section", { class: "sources" }, make("h3", {}, "Sources"), make("div", { class: "wide-table" }, this.table), this.note);
  }

  update(sources, forgotten, nowS) {
    const shown = sources.map((one) => this.row(one, nowS));
    for (const [key, row] of this.rows) {
      if (shown.includes(row)) continue;
      row[0].remove();
      this.rows.delete(key);
    }
    arrange(this.body, shown.map(([element]) => element));
    this.table.hidden = !sources.length;
    const more = forgotten ? `${whole.format(forgotten)} that were silent longest are not followed any more.` : "";
    setText(this.note, sources.length ? more : "No packet has come yet.");
    this.note.hidden = !this.note.textContent;
  }

  row(one, nowS) {
    const key = `${one.address}:${one.port}`;
    let row = this.rows.get(key);
    if (!row) {
      const cells = COLUMNS.map(([label], place) => (place ? make("td", { class: "number", "data-label": label }) : make("th", { scope: "row" })));
      this.rows.set(key, (row = [make("tr", {}, ...cells), cells]));
    }
    COLUMNS.forEach(([label, text], place) => {
      const words = text(one, nowS);
      setText(row[1][place], words);
      row[1][place].classList.toggle("alert", ALARMING.has(label) && words !== "0");
    });
    return row;
  }
}

// A section of labels and values; built anew only when other labels come.
class Facts {
  constructor(title) {
    this.labels = "";
    this.values = [];
    this.list = make("dl");
    this.element = make("section", {}, make("h3", {}, title), this.list);
  }

  update(facts) {
    const labels = facts.map(([label]) => label).join("\n");
    if (labels !== this.labels) {
      this.labels = labels;
      this.values = facts.map(() => make("dd"));
      this.list.replaceChildren(...facts.map(([label], place) => make("div", {}, make("dt", {}, label), this.values[place])));
    }
    facts.forEach(([, text, tone], place) => {
      setText(this.values[place], text);
      this.values[place].classList.toggle("alert", tone === "bad");
    });
  }
}

export class Details {
  // `actions`: what can be done with a channel, by name.
  constructor(name, columns, actions) {
    this.sources = new Sources(name);
    this.sections = new Map(); // by title
    this.facts = make("div", { class: "facts" });
    this.restart = this.button("Restart relay", name, () => actions.restart(name));
    const buttons = [
      this.button("Tag last 5 min", name, () => actions.tag("PT5M", [name])),
      this.button("Edit", name, () => actions.edit(name)),
      this.button("Schema", name, () => actions.schema(name)),
      this.restart,
      this.button("Remove", name, () => actions.remove(name), "danger"),
    ];
    const cell = make("td", { colspan: columns }, make("div", { class: "rowActions" }, ...buttons), this.sources.element, this.facts);
    this.element = make("tr", { class: "details", id: `details-${name}` }, cell);
  }

  button(text, name, action, className = "") {
    return make("button", { type: "button", class: className, "aria-label": `${text}: ${name}`, onclick: action }, text);
  }

  update(channel) {
    const { stats, sources } = channel;
    this.restart.hidden = !channel.port;
    this.sources.element.hidden = !channel.port;
    if (sources) this.sources.update(sources, stats?.sources?.forgotten ?? 0, (stats?.heartbeat ?? Date.now() * 1e6) / 1e9);
    const told = factsOf(channel);
    for (const [title, facts] of told) {
      if (!this.sections.has(title)) this.sections.set(title, new Facts(title));
      this.sections.get(title).update(facts);
    }
    const titles = new Set(told.map(([title]) => title));
    for (const [title, section] of this.sections) section.element.hidden = !titles.has(title);
    arrange(this.facts, told.map(([title]) => this.sections.get(title).element));
  }
}
