// Where a signal passes a level: the trigger of an oscilloscope. Pure: samples in, times of triggers out.

export class Trigger {
  // `edge` is rising, falling or both.
  constructor(level, edge) {
    this.level = level;
    this.edge = edge;
    this.hysteresis = 0; // the signal must have been so far on the other side, so that noise at the level is one edge
    this.holds = false; // a value holds until the next one
    this.reset();
  }

  // Forget what went before: the next sample passes nothing.
  reset() {
    this.canRise = false;
    this.canFall = false;
    this.time = NaN; // of the sample before
    this.value = NaN;
  }

  // Time at which the signal passed the level between the sample before and this one: on a straight line, or where the next
  // value begins if values hold; NaN: it did not.
  push(time, value) {
    const { level, hysteresis } = this;
    if (Number.isNaN(value)) {
      this.reset();
      return NaN;
    }
    const rises = this.canRise && value >= level;
    const falls = this.canFall && value <= level;
    if (value >= level) this.canRise = false;
    if (value <= level) this.canFall = false;
    if (value < level - hysteresis) this.canRise = true;
    if (value > level + hysteresis) this.canFall = true;
    const share = (level - this.value) / (value - this.value);
    const at = this.holds ? time : this.time + share * (time - this.time);
    this.time = time;
    this.value = value;
    return (rises && this.edge !== "falling") || (falls && this.edge !== "rising") ? at : NaN;
  }
}
