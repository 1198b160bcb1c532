// An axis below a plot that is not one of times: values, frequencies, distances from a trigger.

import { tickText } from "../format.js";
import { Scale } from "../scale.js";

const LABEL_GAP_PX = 90;

export class LowerAxis {
  constructor() {
    this.scale = new Scale();
    this.unit = "";
    this.isLog = false; // then the scale's ends are over 0
    this.ticks = []; // [x, text]
    this.laid = [0, 0, 0, 0, false]; // what the ticks were made for
  }

  // Where along the axis a value is, 0 to 1.
  share(value) {
    const { min, max } = this.scale;
    return this.isLog ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
  }

  // Pixel column, with its parts, of a value in a plot so wide.
  x(value, width) {
    return this.share(value) * (width - 1);
  }

  value(x, width) {
    const { min, max } = this.scale;
    const share = x / (width - 1);
    return this.isLog ? min * (max / min) ** share : min + share * (max - min);
  }

  // Its labels, made anew only when something moved.
  place(width, dpr) {
    const { min, max } = this.scale;
    const { laid } = this;
    if (laid[0] === min && laid[1] === max && laid[2] === width && laid[3] === dpr && laid[4] === this.isLog) return this.ticks;
    this.laid = [min, max, width, dpr, this.isLog];
    this.ticks.length = 0;
    if (this.isLog) this.placeDecades(width, dpr);
    else this.placeSteps(width, dpr);
    return this.ticks;
  }

  placeSteps(width, dpr) {
    const { scale } = this;
    const step = scale.step(width / (LABEL_GAP_PX * dpr));
    const largest = Math.max(Math.abs(scale.min), Math.abs(scale.max));
    for (let i = Math.ceil(scale.min / step - 1e-6); i * step <= scale.max + step * 1e-6; i++) {
      this.ticks.push([Math.round(this.x(i * step, width)), tickText(i * step, step, largest)]);
    }
  }

  // 1, 2 and 5 of each power of ten where there is room, else powers alone, all or every so many.
  placeDecades(width, dpr) {
    const { min, max } = this.scale;
    const decades = Math.log10(max / min);
    const room = width / (LABEL_GAP_PX * dpr);
    const digits = decades * 3 <= room * 1.5 ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil(decades / room));
    for (let power = Math.floor(Math.log10(min) / every) * every; power <= Math.log10(max); power += every) {
      for (const digit of digits) {
        const value = digit * 10 ** power;
        if (value < min * 0.999999 || value > max * 1.000001) continue;
        this.ticks.push([Math.round(this.x(value, width)), decadeText(value)]);
      }
    }
  }
}

function decadeText(value) {
  if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (value >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  return value >= 1e-3 ? String(+value.toPrecision(3)) : value.toExponential(0);
}
