// What a chart draws beside its traces: tags as bands, records as points.

// Tags over the view, [from, to] in pixels of the plot each.
export function bandsOf(plot, { view, tags, chosen }) {
  const edge = (time) => Math.round(Math.min(1, Math.max(0, view.placeOf(time))) * plot.width);
  return [...tags, ...(chosen ? [chosen] : [])]
    .filter((tag) => tag.end >= view.start && tag.start < view.end)
    .map((tag) => [edge(tag.start), edge(tag.end)]);
}

// A dot at each column that has a record.
export function drawMarkers(raster, columns, plot, scale, pixel) {
  const radius = 2.5 * plot.dpr;
  for (let x = 0; x < plot.width; x++) {
    const slot = columns.slot(plot.width + x);
    if (slot < 0) continue;
    raster.dot(x, scale.y(columns.min[slot], plot.height - 1), radius, pixel);
    if (columns.max[slot] !== columns.min[slot]) raster.dot(x, scale.y(columns.max[slot], plot.height - 1), radius, pixel);
  }
}
