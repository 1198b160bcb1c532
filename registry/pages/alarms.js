// The list of alarms: signals that are or were beyond their limits, until somebody has acknowledged it.

import { sinceText, valueText } from "/static/stripchart/format.js";

import { arrange, make, setText } from "./dom.js";

const MARKS = { alarm: "▲", warn: "△" }; // by shape, not by colour alone
const SHOWN = 50;

const keyOf = ({ signal, side, via }) => `${signal} ${side} ${via}`;

// What became of it, in words.
function stateText({ state, acknowledged, by }) {
  const seen = acknowledged ? `acknowledged${by ? ` by ${by}` : ""}` : "not acknowledged";
  return `${state === "active" ? "still beyond" : "within again"}, ${seen}`;
}

function worstText({ worst, limit, unit, side, count }) {
  const value = worst === null ? "∞" : valueText(worst, unit ?? "");
  const sign = side === "high" ? ">" : "<";
  return `${value} ${sign} ${valueText(limit, unit ?? "")}, ${count.toLocaleString("en")} ${count === 1 ? "record" : "records"}`;
}

export class AlarmList {
  // `acknowledge` is called with a list of alarms.
  constructor(section, acknowledge) {
    this.section = section;
    this.acknowledge = acknowledge;
    this.alarms = [];
    this.rows = new Map();
    this.all = make("button", { type: "button", onclick: () => this.acknowledge(this.open) }, "Acknowledge all");
    this.list = make("ul", { class: "alarms" });
    this.rest = make("p", { class: "faint", hidden: "" });
    section.querySelector("h2").after(this.all);
    section.append(this.list, this.rest);
  }

  // Those that wait for somebody.
  get open() {
    return this.alarms.filter(({ acknowledged }) => !acknowledged);
  }

  // Take what the registry tells: alarms, the most severe first, and what could not be checked.
  update({ alarms, unchecked }) {
    this.alarms = alarms;
    const shown = alarms.slice(0, SHOWN);
    const keys = new Set(shown.map(keyOf));
    for (const [key, { row }] of this.rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.rows.delete(key);
    }
    arrange(this.list, shown.map((alarm) => this.row(alarm)));
    const notes = [alarms.length > SHOWN && `${alarms.length - SHOWN} more`, ...unchecked.map(uncheckedText)].filter(Boolean);
    setText(this.rest, notes.join(". "));
    this.rest.hidden = !notes.length;
    this.all.hidden = this.open.length < 2;
    this.section.hidden = !alarms.length && !notes.length;
  }

  row(alarm) {
    const key = keyOf(alarm);
    let made = this.rows.get(key);
    if (!made) this.rows.set(key, (made = this.makeRow()));
    made.alarm = alarm;
    made.row.dataset.level = alarm.level;
    made.row.dataset.state = alarm.state;
    setText(made.mark, `${MARKS[alarm.level]} ${alarm.level}`);
    setText(made.name, alarm.signal);
    setText(made.what, worstText(alarm));
    setText(made.when, `since ${sinceText(new Date(alarm.since), new Date())}`);
    setText(made.state, stateText(alarm));
    made.button.hidden = alarm.acknowledged;
    made.button.setAttribute("aria-label", `Acknowledge ${alarm.signal}, ${alarm.side}`);
    return made.row;
  }

  makeRow() {
    const part = (name) => make("span", { class: name });
    const made = { mark: part("mark"), name: part("name"), what: part("what"), when: part("when"), state: part("state") };
    made.button = make("button", { type: "button", onclick: () => this.acknowledge([made.alarm]) }, "Acknowledge");
    made.row = make("li", {}, made.mark, made.name, made.what, made.when, made.state, made.button);
    return made;
  }
}

const uncheckedText = ({ channel, reason, blocks }) =>
  `Not checked${channel ? ` of ${channel}` : ""}: ${reason ?? `${blocks} blocks, for which the decimator came too late`}`;
