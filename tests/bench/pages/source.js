// The same frames for the rivals: read by the same reader and kept as they want them, times and values in typed arrays of
// which a window is shown.

import { FLAG_RESET, KIND_TIMES, parseFrame } from "/static/stripchart/frame.js";
import { live, names, signals, windowS } from "./options.js";

export class Source {
  // `take(times, values, first)`: called with samples as they come, of each signal one after the other.
  constructor(take) {
    this.take = take;
    this.newestMs = NaN;
    this.offset = -Infinity; // of the server's clock to the page's
    const socket = new WebSocket(live);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(JSON.stringify({ type: "subscribe", feed: 0, window: windowS, columns: 20, signals: names(0) }));
    socket.onmessage = ({ data }) => typeof data !== "string" && this.read(parseFrame(data));
    socket.onclose = () => console.error("the player is gone");
    this.socket = socket;
  }

  read({ serverTime, blocks }) {
    this.offset = Math.max(this.offset, serverTime - performance.now());
    let times = null;
    let signal = 0;
    for (const block of blocks) {
      if (block.kind === KIND_TIMES) {
        times = block.data;
        signal = 0;
      } else this.take(times, block.data, signal++, block.flags & FLAG_RESET);
    }
    if (times?.length) this.newestMs = times.at(-1);
  }

  // The server's time.
  now(localMs) {
    return localMs + this.offset;
  }
}

// Samples of all signals with one axis of time, in seconds: twice the window fits, so that what is old is moved out seldom.
export class Table {
  constructor(capacity) {
    this.capacity = capacity;
    this.rows = Array.from({ length: signals + 1 }, () => new Float64Array(2 * capacity));
    this.end = 0;
  }

  append(times, values, signal) {
    const count = times.length;
    if (signal === 0) {
      if (this.end + count > 2 * this.capacity) this.compact();
      const row = this.rows[0];
      for (let i = 0; i < count; i++) row[this.end + i] = times[i] / 1000;
    }
    this.rows[signal + 1].set(values, this.end);
    if (signal === signals - 1) this.end += count;
  }

  compact() {
    for (const row of this.rows) row.copyWithin(0, this.end - this.capacity, this.end);
    this.end = this.capacity;
  }

  // Views of the newest.
  data() {
    const start = Math.max(0, this.end - this.capacity);
    return this.rows.map((row) => row.subarray(start, this.end));
  }
}
