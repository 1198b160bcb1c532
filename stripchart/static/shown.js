// What a chart shows of a signal, whether it is live or stands still: the extremes of a span, and every column and record with its time.

// Times of what is live are known to the microsecond.
const nanos = (ms) => BigInt(Math.round(ms * 1e3)) * 1000n;

// Nanoseconds that the clock of a channel's source is ahead of the times shown: the history has the times of the source.
export function skewOf(chart, channel) {
  return chart.view?.skewOf(channel) ?? nanos(chart.feed.channels.get(channel)?.skew ?? 0);
}

// Widen `out` = [min, max] by what is drawn of a signal in [from, to) ms. A chart that stands still has a column per pixel of its
// view, the first of them at its width.
export function extremesOf(chart, signal, from, to, out) {
  const columns = chart.columnsOf(signal);
  if (!chart.view) return columns?.extremes(from, to, out);
  const [start, end] = chart.painter.range;
  const { width } = chart.picture.area;
  const at = (time) => width * (1 + Math.min(1, Math.max(0, (time - start) / (end - start))));
  return columns?.extremes(at(from), at(to), out);
}

// Each column or record that is shown, in order: {time (ns), first, min, max, last, samples, each, of}. `each` is what a line is where
// it stands for several ("columns of 20 ms"), else "", and `of` what it was made of.
export function rowsOf(chart, signal) {
  if (chart.view) return chart.view.rows(signal);
  const columns = chart.columnsOf(signal);
  return columns ? heldRows(columns, signal, ...chart.painter.range) : [];
}

// The same of columns that the page holds, those that touch [from, to) in ms. Those that came as one wide one are one line: all but the
// first of them have no samples of their own.
export function heldRows(columns, { isRaw, way }, from, to) {
  const { widthMs, first, min, max, last, samples, time } = columns;
  const of = way.stream === "full" ? "records at full rate" : "samples as decimated";
  const eachOf = (count) => `columns of ${+(count * widthMs).toFixed(6)} ms`;
  const rows = [];
  let n = Math.max(Math.floor(from / widthMs), columns.oldest);
  while (n > columns.oldest && samples[columns.slot(n)] === 0) n--;
  for (let begun = n; n <= columns.newest && n * widthMs < to; n++) {
    const s = columns.slot(n);
    if (s < 0) continue;
    const wide = rows.at(-1);
    if (!samples[s] && wide && columns.slot(n - 1) >= 0 && wide.min === min[s] && wide.max === max[s]) {
      Object.assign(wide, { last: last[s], each: eachOf(n - begun + 1) });
      continue;
    }
    begun = n;
    const isOne = isRaw && samples[s] === 1; // columns that the server made do not tell when in them a sample was
    const at = nanos(isOne ? time[s] : n * widthMs);
    rows.push({ time: at, first: first[s], min: min[s], max: max[s], last: last[s], samples: samples[s], each: isOne ? "" : eachOf(1), of });
  }
  return rows;
}
