// What the address of a page asks for: ?channel=raw2000&signals=8&charts=1&window=60&width=1200&height=300&moving=0.

const asked = new URLSearchParams(location.search);
const number = (name, usual) => Number(asked.get(name) ?? usual);

export const channel = asked.get("channel") ?? "raw2000";
export const signals = number("signals", 8); // of each chart
export const charts = number("charts", 1);
export const windowS = number("window", 60);
export const width = number("width", 1200);
export const height = number("height", 300);
export const points = number("points", 0); // a signal, all made anew for every frame; 0: what the server sends is shown
export const names = (chart) => Array.from({ length: signals }, (_, signal) => `${channel}.s${chart * signals + signal}`);
export const live = `ws://${location.host}`;
export const COLORS = ["#0000FF", "#FF0000", "#00AA00", "#D96C00", "#8000FF", "#008080", "#0000FF", "#FF0000"];
