// Drawing of signals from their columns: a path each, one vertical run per column.

const STALE_SHARE = "35%"; // of its colour, in that of a trace that is dimmed; the rest is the background's

// How each of `count` traces looks: its colour, the same dimmed, and whether it is dashed, as colours repeat from there.
export function traceStyles(palette, colors, count) {
  return Array.from({ length: count }, (_, index) => {
    const color = colors[index % colors.length];
    const dimmed = `color-mix(in srgb, ${color} ${STALE_SHARE}, ${palette.background})`;
    return { color, dimmed, isDashed: index >= colors.length };
  });
}

// Have `draw` draw traces: clipped to the plot, with their pen.
export function inPlot(context, plot, draw) {
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top - plot.dpr, plot.width, plot.height + 2 * plot.dpr);
  context.clip();
  context.lineWidth = Math.max(1, Math.round(1.25 * plot.dpr));
  context.lineJoin = "round";
  draw();
  context.restore();
}

// Draw the columns [left, left + count) of one signal. Dimmed by colour, not by alpha: that adds up where a path crosses
// itself.
export function drawTrace(context, columns, left, count, plot, scale, style, isDim) {
  context.strokeStyle = isDim ? style.dimmed : style.color;
  context.setLineDash(style.isDashed ? plot.dash : plot.solid);
  context.beginPath();
  addTrace(context, columns, left, count, plot, scale);
  context.stroke();
}

// Widen `out` = [min, max] by the columns [left, left + count).
export function extremes(columns, left, count, out) {
  const { stamp, min, max, capacity } = columns;
  let slot = left % capacity;
  for (let column = left; column < left + count; column++) {
    if (stamp[slot] === column) {
      if (min[slot] < out[0]) out[0] = min[slot];
      if (max[slot] > out[1]) out[1] = max[slot];
    }
    if (++slot === capacity) slot = 0;
  }
}

// Add the trace of columns [left, left + count) to the path: column `left` is at x = plot.left.
export function addTrace(path, columns, left, count, plot, scale) {
  const { stamp, first, min, max, last, broken, capacity } = columns;
  const zoom = plot.height / (scale.max - scale.min);
  const bottom = plot.top + plot.height + scale.min * zoom; // pixel of the value 0
  const before = columns.slotBefore(left);
  let isJoined = before >= 0;
  if (isJoined) path.moveTo(plot.left + stamp[before] - left + 0.5, bottom - last[before] * zoom);
  let slot = left % capacity;
  for (let i = 0; i < count; i++) {
    if (stamp[slot] === left + i) {
      const x = plot.left + i + 0.5;
      const y = bottom - first[slot] * zoom;
      if (!isJoined || broken[slot]) path.moveTo(x - 0.5, y); // a lone sample is a dot
      path.lineTo(isJoined && !broken[slot] ? x : x + 0.5, y);
      if (min[slot] !== max[slot]) {
        path.lineTo(x, bottom - min[slot] * zoom);
        path.lineTo(x, bottom - max[slot] * zoom);
        path.lineTo(x, bottom - last[slot] * zoom);
      }
      isJoined = true;
    }
    if (++slot === capacity) slot = 0;
  }
}
