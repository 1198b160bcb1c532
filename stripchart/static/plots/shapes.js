// Lines in any direction and filled cells, into the pixels of a raster.

import { mix } from "../raster.js";

// A rectangle of whole columns [from, to), from row `top` to `bottom`, with `share` of 256 of a colour.
export function cell(raster, from, to, top, bottom, pixel, share = 256) {
  const { pixels, width } = raster;
  const first = Math.max(0, Math.round(top));
  const last = Math.min(raster.height, Math.round(bottom));
  for (let y = first; y < last; y++) {
    for (let x = Math.max(raster.from, from), at = y * width + x; x < Math.min(to, raster.to); x++, at++) {
      pixels[at] = share >= 256 ? pixel : mix(pixels[at], pixel, share);
    }
  }
}

// A line between two points, `half` of its thickness to each side: column by column where it is flat, row by row where it is steep.
export function segment(raster, x0, y0, x1, y1, half, pixel) {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const most = 4 * Math.max(raster.width, raster.height);
  if (!(Math.abs(x0) < most && Math.abs(y0) < most && Math.abs(x1) < most && Math.abs(y1) < most)) return;
  const reach = half + 0.5;
  if (Math.abs(dx) >= Math.abs(dy)) {
    const slope = dx ? dy / dx : 0;
    const left = Math.min(x0, x1);
    const right = Math.max(x0, x1);
    for (let x = Math.round(left); x <= right + 0.5; x++) {
      const middle = y0 + slope * (Math.min(right, Math.max(left, x)) - x0) + 0.5;
      raster.run(x, middle - reach, middle + reach, pixel);
    }
    return;
  }
  const slope = dx / dy;
  const top = Math.min(y0, y1);
  const bottom = Math.max(y0, y1);
  const last = Math.min(raster.height - 1, bottom + 0.5);
  for (let y = Math.max(0, Math.round(top)); y <= last; y++) {
    const middle = x0 + slope * (Math.min(bottom, Math.max(top, y)) - y0) + 0.5;
    rowRun(raster, y, middle - reach, middle + reach, pixel);
  }
}

// Pixels of a row from `left` to `right`, parts of a pixel at its ends.
function rowRun(raster, y, left, right, pixel) {
  const { pixels } = raster;
  const row = y * raster.width;
  const first = Math.floor(left);
  const last = Math.ceil(right) - 1;
  for (let x = Math.max(raster.from, first); x <= last && x < raster.to; x++) {
    const at = row + x;
    if (pixels[at] === pixel) continue;
    if (x === first) pixels[at] = mix(pixels[at], pixel, (Math.min(right, x + 1) - left) * 256);
    else if (x === last) pixels[at] = mix(pixels[at], pixel, (right - x) * 256);
    else pixels[at] = pixel;
  }
}

// A dashed line over all of a row or column of the plot.
export function dashedRow(raster, y, pixel, dash) {
  for (let x = 0; x < raster.width; x += 2 * dash) cell(raster, x, x + dash, y, y + 1, pixel);
}

export function dashedColumn(raster, x, pixel, dash) {
  for (let y = 0; y < raster.height; y += 2 * dash) cell(raster, x, x + 1, y, y + dash, pixel);
}
