import { Legend, sharedUnit } from "/static/stripchart/legend.js";
import { equal, test } from "./harness.js";

const signal = (unit, more) => ({ error: "", channel: "a", isNumber: true, unit, value: 1, isWhole: false, ...more });

test("one unit of all, or none, or several", () => {
  equal(sharedUnit([signal("V"), signal("V")]), "V");
  equal(sharedUnit([signal(""), signal("")]), "");
  equal(sharedUnit([signal("V"), signal("A")]), null);
  equal(sharedUnit([signal("V"), signal("")]), null);
  equal(sharedUnit([signal("V"), signal("", { channel: "" }), signal("", { isNumber: false })]), "V");
  equal(sharedUnit([]), "");
});

test("mixed units stand behind the names", () => {
  const legend = new Legend(document.createElement("div"));
  const units = (...given) => {
    legend.build(given.map((_, i) => `a.s${i}`), given.map(() => ({ color: "red", isDashed: false })));
    legend.update(given.map((unit) => signal(unit)), () => false, "");
    return [...legend.root.querySelectorAll(".stripchart-unit")].map((element) => element.textContent);
  };
  equal(units("V", "A", ""), ["(V)", "(A)", ""]);
  equal(units("V", "V"), ["", ""]);
});

test("what a signal is shown as goes before its value", () => {
  const legend = new Legend(document.createElement("div"));
  legend.build(["a.s"], [{ color: "red", isDashed: true }]);
  legend.update([signal("V", { reading: "1 to 2 V" })], () => false, "");
  equal(legend.root.querySelector(".stripchart-value").textContent, "1 to 2 V");
  equal(legend.root.querySelector(".stripchart-mark").className, "stripchart-mark dashed");
});

test("a press hides a trace and tells so", () => {
  const pressed = [];
  const legend = new Legend(document.createElement("div"), (name) => pressed.push(name));
  legend.build(["a.s", "a.t"], [{ color: "red" }, { color: "blue" }], "Title", new Set(["a.t"]));
  const items = [...legend.root.querySelectorAll("button")];
  items[0].click();
  equal([pressed, items.map((item) => item.getAttribute("aria-pressed"))], [["a.s"], ["true", "false"]]);
  equal(legend.root.querySelector(".stripchart-title").textContent, "Title");
});
