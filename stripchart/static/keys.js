// Keys of a chart that has the focus.

const STEP_PX = 1;
const LEAP_PX = 20;
const ZOOM = 2;

const KEYS = {
  " ": ["pause or go on", (hand) => (hand.isPaused ? hand.resume() : hand.pause())],
  ArrowLeft: ["cursor back (Shift: faster)", (hand, event) => hand.step(event.shiftKey ? -LEAP_PX : -STEP_PX)],
  ArrowRight: ["cursor on (Shift: faster)", (hand, event) => hand.step(event.shiftKey ? LEAP_PX : STEP_PX)],
  PageUp: ["back by half a window", (hand) => hand.pan(-0.5)],
  PageDown: ["on by half a window", (hand) => hand.pan(0.5)],
  "+": ["zoom in", (hand) => hand.zoom(1 / ZOOM, hand.cursor.place ?? 1)],
  "=": ["", (hand) => hand.zoom(1 / ZOOM, hand.cursor.place ?? 1)],
  "-": ["zoom out", (hand) => hand.zoom(ZOOM, hand.cursor.place ?? 1)],
  Home: ["to the beginning of the recording", (hand) => hand.isStrip && hand.still().goToFirst()],
  End: ["live", (hand) => hand.resume()],
  l: ["lock or free the cursor", (hand) => (hand.cursor.isLocked = hand.cursor.place !== null && !hand.cursor.isLocked)],
  t: ["cursor stays at its time, or at its place", (hand) => pin(hand)],
  y: ["lock or free the value axes", (hand) => lockScales(hand)],
  d: ["measure from the cursor; again: to the cursor", (hand) => hand.bar.act("measure")],
  m: ["mark the cursor's time", (hand) => hand.bar.act("mark")],
  s: ["save a picture", (hand) => hand.bar.act("picture")],
  c: ["save the values shown as CSV", (hand) => hand.bar.act("csv")],
  v: ["values as a table", (hand) => hand.bar.act("table")],
  i: ["age of the data, speed of drawing", (hand) => hand.bar.act("info")],
  "?": ["these keys", (hand) => hand.bar.act("help")],
  Escape: ["free the cursor, end measuring", (hand) => hand.bar.act("escape")],
};

function pin(hand) {
  const { cursor } = hand;
  if (cursor.place === null || !hand.isStrip) return;
  cursor.isPinned = !cursor.isPinned;
  cursor.isLocked ||= cursor.isPinned;
  cursor.time = hand.timeAt(cursor.place);
}

function lockScales({ chart, bar }) {
  const isLocked = !chart.axes[0]?.scale.isLocked;
  for (const { scale } of chart.axes) {
    scale.isLocked = isLocked;
    if (isLocked) scale.setFixed(scale.min, scale.max);
    else scale.setAuto();
  }
  chart.wake();
  bar.speak(isLocked ? "value axes locked" : "value axes follow the data");
}

const OF_ALL = [" ", "+", "-", "End", "y", "s", "i", "?"]; // what charts of other types follow

// [key, what it does] of each that a chart follows.
export function helpOf(hand) {
  const own = Object.entries(KEYS).filter(([key, [words]]) => words && (hand.isStrip || OF_ALL.includes(key)));
  return own.map(([key, [words]]) => [key === " " ? "Space" : key.replace("Arrow", ""), words]);
}

export function handleKey(event, hand) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target !== hand.box) return;
  const key = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!key) return;
  event.preventDefault();
  key[1](hand, event);
}
