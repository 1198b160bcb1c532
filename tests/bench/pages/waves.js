// Waves of which every point is another in every frame, for all libraries alike.

// Fill `values` with a signal as it is at a time.
export function fill(values, signal, nowMs) {
  const phase = nowMs / 1000 + signal;
  const turns = (2 * Math.PI * (2 + signal)) / values.length;
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(phase + i * turns) * (1 + 0.1 * signal) + 0.2 * Math.sin(31 * phase + i);
}
