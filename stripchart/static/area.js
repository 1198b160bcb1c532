// Where in a canvas the plot is, in device pixels. Neither labels nor values ever move it.

const AXIS_PX = 54; // a value axis
const RIGHT_PX = 10;
const TOP_PX = 22; // room for units and the badge
const BOTTOM_PX = 24;
export const SMALL_PX = 11; // text

// `rights` is how many value axes stand at the right side; one stands at the left.
export function plotArea(width, height, dpr, rights = 0) {
  const left = Math.round(AXIS_PX * dpr);
  const top = Math.round(TOP_PX * dpr);
  const right = width - Math.round((rights ? AXIS_PX * rights : RIGHT_PX) * dpr);
  const bottom = height - Math.round(BOTTOM_PX * dpr);
  const font = `${Math.round(SMALL_PX * dpr)}px system-ui, sans-serif`;
  return { left, top, width: Math.max(8, right - left), height: Math.max(8, bottom - top), dpr, font, axis: AXIS_PX * dpr };
}
