// The connection to the live server: opened again with growing pauses, watched for silence, its state told.

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
const SILENCE_MS = 5000; // the server sends at least once a second, and welcomes at once
const STEADY_MS = 5000; // a connection that held this long was a good one

export class LiveSocket {
  // `address` gives a promise of the address; `handler` has open(), message(data), state().
  constructor(address, handler, clock = () => performance.now()) {
    this.address = address;
    this.handler = handler;
    this.clock = clock;
    this.state = "connecting"; // connecting, open, reconnecting (waits), closed (for good)
    this.reason = "";
    this.attempt = 0;
    this.retryAt = 0;
    this.isTrying = false; // an attempt is under way
    this.heardAt = 0;
    this.openedAt = 0;
    this.socket = null;
    this.timer = null;
    this.watchdog = null;
  }

  async connect() {
    clearTimeout(this.timer);
    this.isTrying = true;
    const url = await this.address();
    if (this.state === "closed") return;
    let socket;
    try {
      socket = new WebSocket(url);
    } catch (error) {
      this.handleClose(this.socket, { reason: error.message }); // as when the page may not connect to it
      return;
    }
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.handleOpen();
    socket.onmessage = (event) => this.handleMessage(event.data);
    socket.onclose = (event) => this.handleClose(socket, event);
    this.socket = socket;
    this.heardAt = this.clock();
    this.watchdog = setInterval(() => this.checkSilence(), 1000);
  }

  // Try at once, as there is reason to think that the server is back; should it fail, pauses start from the first again.
  retry() {
    if (this.state !== "reconnecting") return;
    this.attempt = 0;
    if (!this.isTrying) this.connect();
  }

  handleOpen() {
    this.heardAt = this.openedAt = this.clock();
    this.isTrying = false;
    this.setState("open");
    this.handler.open();
  }

  handleMessage(data) {
    this.heardAt = this.clock();
    this.handler.message(data);
  }

  handleClose(socket, event) {
    if (socket !== this.socket) return;
    clearInterval(this.watchdog);
    this.socket = null;
    this.isTrying = false;
    if (this.state === "closed") return;
    if (this.state === "open" && this.clock() - this.openedAt > STEADY_MS) this.attempt = 0;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.attempt, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 4);
    this.attempt++;
    this.retryAt = this.clock() + pause;
    this.reason = event.reason;
    this.setState("reconnecting");
    this.timer = setTimeout(() => this.connect(), pause);
  }

  // A connection that says nothing is dead, whatever TCP thinks.
  checkSilence() {
    if (this.clock() - this.heardAt < SILENCE_MS) return;
    const socket = this.socket;
    if (!socket) return;
    this.handleClose(socket, { reason: this.state === "open" ? "the server fell silent" : "the server does not answer" });
    socket.close();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  // Give up for good, telling why.
  refuse(reason) {
    this.reason = reason;
    this.setState("closed");
    clearInterval(this.watchdog);
    this.socket?.close(4000, reason.slice(0, 120));
  }

  setState(state) {
    this.state = state;
    this.handler.state();
  }
}
