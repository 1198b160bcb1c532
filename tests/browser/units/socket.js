import { LiveSocket } from "/static/stripchart/socket.js";
import { equal, test } from "./harness.js";

// A network of which the test says what it does.
class Wire {
  static OPEN = 1;
  static made = [];

  constructor(url) {
    this.url = url;
    Wire.made.push(this);
  }

  close() {}
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

// A socket that tried `attempts` times in vain and now waits; its clock stands at `now.ms`.
async function waiting(attempts) {
  globalThis.WebSocket = Wire;
  Wire.made = [];
  const now = { ms: 0 };
  const pauses = [];
  const handler = { open() {}, message() {}, state() {} };
  const socket = new LiveSocket(async () => "ws://here", handler, () => now.ms);
  for (let i = 0; i < attempts; i++) {
    await socket.connect();
    Wire.made.at(-1).onclose({ reason: "" });
    clearTimeout(socket.timer); // nothing comes of itself
    pauses.push(socket.retryAt - now.ms);
  }
  return { socket, now, pauses };
}

test("pauses grow, up to five seconds", async () => {
  const { socket, pauses } = await waiting(12);
  equal(pauses[0] <= 250 && pauses[11] > 3000, true, pauses);
  equal(Math.max(...pauses) <= 5000, true, pauses);
  equal([socket.state, Wire.made.length], ["reconnecting", 12]);
});

test("a reason to hope is followed at once, and pauses begin anew", async () => {
  const { socket, now } = await waiting(8);
  socket.retry();
  await settled();
  equal(Wire.made.length, 9);
  Wire.made.at(-1).onclose({ reason: "" });
  clearTimeout(socket.timer);
  equal([socket.attempt, socket.retryAt - now.ms <= 250], [1, true]);
});

test("one attempt at a time, and none while the connection stands", async () => {
  const { socket } = await waiting(3);
  socket.retry();
  socket.retry();
  await settled();
  socket.retry();
  await settled();
  equal(Wire.made.length, 4);
  Wire.made.at(-1).onopen();
  socket.retry();
  await settled();
  equal([socket.state, Wire.made.length], ["open", 4]);
  clearInterval(socket.watchdog);
});

test("an attempt that nobody answers is given up", async () => {
  const { socket, now } = await waiting(1);
  await socket.connect();
  now.ms = 6000;
  socket.checkSilence();
  clearTimeout(socket.timer);
  equal([socket.state, socket.reason, socket.isTrying], ["reconnecting", "the server does not answer", false]);
});

test("closed for good stays closed", async () => {
  const { socket } = await waiting(1);
  socket.refuse("frame of version 2");
  socket.retry();
  await settled();
  equal(Wire.made.length, 1);
});
