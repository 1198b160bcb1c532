// What a chart draws beside its traces: tags as bands, records as points.

// Tags over the view, behind everything else.
export function drawBands(context, plot, palette, source) {
  const { view, tags, chosen } = source;
  const edge = (time) => plot.left + Math.min(1, Math.max(0, view.placeOf(time))) * plot.width;
  for (const tag of [...tags, ...(chosen ? [chosen] : [])]) {
    if (tag.end < view.start || tag.start >= view.end) continue;
    const [left, right] = [edge(tag.start), edge(tag.end)];
    context.fillStyle = palette.band;
    context.fillRect(left, plot.top, Math.max(right - left, plot.dpr), plot.height);
    context.fillStyle = palette.bandEdge;
    if (tag.start >= view.start) context.fillRect(Math.round(left), plot.top, plot.dpr, plot.height);
    if (tag.end < view.end) context.fillRect(Math.round(right), plot.top, plot.dpr, plot.height);
  }
}

// A dot at each column that has a record.
export function drawMarkers(context, columns, plot, scale, color) {
  const { stamp, min, max, capacity } = columns;
  const radius = 2.5 * plot.dpr;
  context.fillStyle = color;
  context.beginPath();
  for (let number = plot.width; number < 2 * plot.width; number++) {
    const slot = number % capacity;
    if (stamp[slot] !== number) continue;
    const x = plot.left + number - plot.width + 0.5;
    for (const value of min[slot] === max[slot] ? [min[slot]] : [min[slot], max[slot]]) {
      const y = scale.y(value, plot.top, plot.height);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }
  context.fill();
}
