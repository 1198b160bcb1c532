// A small curve of what was lately, beside the number that says what is. For the eye alone: the number is what is read out.

const SVG = "http://www.w3.org/2000/svg";
const SPAN_S = 60;
const HEIGHT = 20;

// The line through points [time in ms, value] over the last minute, as an SVG path in SPAN_S by HEIGHT; "" for none.
export function linePath(points, nowMs) {
  const top = Math.max(...points.map(([, value]) => value), Number.MIN_VALUE);
  const place = ([time, value]) => {
    const x = SPAN_S - (nowMs - time) / 1000;
    return `${x.toFixed(1)} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`;
  };
  return points.length > 1 ? `M${points.map(place).join("L")}` : "";
}

export class Sparkline {
  constructor() {
    this.points = [];
    this.element = document.createElementNS(SVG, "svg");
    const [ground, path] = ["ground", "curve"].map((name) => this.line(name));
    ground.setAttribute("d", `M0 ${HEIGHT - 1}H${SPAN_S}`);
    this.path = path;
    const attributes = { class: "sparkline", viewBox: `0 0 ${SPAN_S} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" };
    for (const [name, value] of Object.entries(attributes)) this.element.setAttribute(name, value);
  }

  line(name) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("vector-effect", "non-scaling-stroke");
    this.element.append(path);
    return path;
  }

  // Take in a value at a time; null: it is not known, and nothing is drawn there.
  add(timeMs, value) {
    if (value !== null) this.points.push([timeMs, value]);
    while (this.points.length && timeMs - this.points[0][0] > SPAN_S * 1000) this.points.shift();
    this.path.setAttribute("d", linePath(this.points, timeMs));
  }
}
