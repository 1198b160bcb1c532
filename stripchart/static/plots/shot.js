// The samples of an oscilloscope's shot as columns, with the points where its lines leave the window.

// Samples as columns since `start`; where the line to a sample beside leaves the window there is a point on it.
export function fillColumns(columns, { x: time, y: value, n }, start, end, holds) {
  for (let i = 0; i < n; i++) {
    if (time[i] < start) continue;
    if (i && time[i - 1] < start) columns.push(0, between(time, value, i, start, holds));
    if (time[i] < end) columns.push(time[i] - start, value[i]);
    else if (i) columns.push(end - start - 1e-9, between(time, value, i, end, holds));
  }
}

// Value at a time just before sample i.
function between(time, value, i, at, holds) {
  if (holds) return value[i - 1];
  const span = time[i] - time[i - 1];
  return span ? value[i - 1] + ((at - time[i - 1]) / span) * (value[i] - value[i - 1]) : value[i - 1];
}
