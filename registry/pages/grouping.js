// Which signals of a channel share a chart: those of one unit, at most six; many of one unit part by the names' stems.

const PER_CHART = 6;

// "cpu" of "cpu_3", "cpu.3" and "cpu_core[3]"; "network" of "network_in".
export function stem(path) {
  const plain = path.replace(/\[\d+\]$|[._]?\d+$/, "");
  const cut = plain.search(/[._]/);
  return cut > 0 ? plain.slice(0, cut) : plain;
}

function groupBy(items, keyOf) {
  return [...Map.groupBy(items, keyOf).values()];
}

function chunks(items) {
  const made = [];
  const count = Math.ceil(items.length / PER_CHART);
  const size = Math.ceil(items.length / count);
  for (let i = 0; i < items.length; i += size) made.push(items.slice(i, i + size));
  return made;
}

// Whole numbers without a unit are counters and codes: their scale is not that of measured values.
function scaleOf(signal) {
  if (signal.type === "boolean") return "boolean";
  if (signal.type === "enum") return `enum ${signal.name}`; // its words stand at the axis
  if (signal.unit) return `unit ${signal.unit}`;
  return signal.type === "int" || signal.type === "long" ? "whole" : "real";
}

function split(signals) {
  if (signals.length <= PER_CHART) return [signals];
  const families = groupBy(signals, (signal) => stem(signal.name.slice(signal.channel.length + 1)));
  const single = families.filter((family) => family.length === 1).flat();
  return [...families.filter((family) => family.length > 1), ...(single.length ? [single] : [])].flatMap(chunks);
}

// Give lists of signals, a list per chart. Time and sequence are no curves to look at.
export function groups(signals) {
  const drawn = signals.filter((signal) => signal.number && !signal.role);
  return groupBy(drawn, scaleOf).flatMap(split);
}
