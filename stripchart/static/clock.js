// The server's clock as seen from here: charts move by it, steadily, whatever the rhythm of the data.

const SLOT_MS = 5000; // the best observation of each slot is kept, for SLOTS slots
const SLOTS = 4;
const STEP_MS = 1000; // a larger difference is a step of a clock, not drift
const SLEW = 0.02; // else the estimate moves at most 20 ms per second: no visible hitch

export class ServerClock {
  constructor() {
    this.best = new Float64Array(SLOTS).fill(-Infinity);
    this.slot = 0;
    this.slotStart = 0;
    this.offset = NaN; // what now() adds to local time
    this.target = NaN; // what it is moving to
    this.slewedAt = 0;
  }

  get known() {
    return !Number.isNaN(this.offset);
  }

  // A message stamped `serverMs` arrived at local time `localMs`. The least delayed of them tells the offset best. While all
  // are known to be late, what was seen before is not forgotten: else lateness would come to pass for the clock's error.
  observe(serverMs, localMs, isLate = false) {
    const seen = serverMs - localMs;
    if (this.known && Math.abs(seen - this.target) > STEP_MS && seen > this.target) this.restart();
    if (!isLate && localMs - this.slotStart > SLOT_MS) {
      this.slot = (this.slot + 1) % SLOTS;
      this.best[this.slot] = -Infinity;
      this.slotStart = localMs;
    }
    if (seen > this.best[this.slot]) this.best[this.slot] = seen;
    let target = -Infinity;
    for (let i = 0; i < SLOTS; i++) if (this.best[i] > target) target = this.best[i];
    this.target = target;
    if (!this.known || Math.abs(target - this.offset) > STEP_MS) {
      this.offset = target;
      this.slewedAt = localMs;
    }
  }

  // Believe no earlier observation any more; time goes on by the last estimate until the next one.
  restart() {
    this.best.fill(-Infinity);
  }

  // The same by the best that is known, which may jump.
  estimate(localMs) {
    return localMs + this.target;
  }

  // Milliseconds since 1970 at the server; NaN before the first message.
  now(localMs) {
    const allowed = SLEW * Math.max(0, localMs - this.slewedAt);
    const wanted = this.target - this.offset;
    this.offset += Math.max(-allowed, Math.min(allowed, wanted));
    this.slewedAt = localMs;
    return localMs + this.offset;
  }
}
