// Traces straight into pixels. A trace has one run of pixels per column of the picture, from the smallest to the largest value in it, so
// that it needs no path: several times cheaper than stroking one where no graphics card helps.

const isLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const probe = globalThis.document?.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = new Map();

// A CSS colour as the 32 bits of a pixel.
export function pixelOf(color) {
  let pixel = known.get(color);
  if (pixel !== undefined) return pixel;
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
  pixel = (isLittle ? (a << 24) | (b << 16) | (g << 8) | r : (r << 24) | (g << 16) | (b << 8) | a) >>> 0;
  known.set(color, pixel);
  return pixel;
}

// `part` of 256 of one pixel over another.
export function mix(under, over, part) {
  const share = part | 0; // a fraction of one would spill into the colour beside
  const rest = 256 - share;
  const odd = (((under >>> 8) & 0xff00ff) * rest + ((over >>> 8) & 0xff00ff) * share) & 0xff00ff00;
  const even = ((((under & 0xff00ff) * rest + (over & 0xff00ff) * share) >>> 8) & 0xff00ff);
  return (odd | even) >>> 0;
}

export class Raster {
  constructor(context) {
    this.context = context;
    this.pen = { columns: null, leftMs: 0, pixelsPerMs: 1, isWide: false, highest: 0, zoom: 1, style: null, phase: 0, x: NaN, y: 0, top: 0, bottom: 0 };
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  // Move everything left; what was at the right edge stays there, to be drawn over.
  move(count) {
    this.pixels.copyWithin(0, count);
  }

  // Draw in the columns [from, to) alone from here on.
  clip(from, to) {
    this.from = Math.max(0, from);
    this.to = Math.min(this.width, to);
  }

  clear(pixel) {
    if (this.from === 0 && this.to === this.width) this.pixels.fill(pixel);
    else for (let y = 0; y < this.height; y++) this.row(y, pixel);
  }

  show() {
    this.context.putImageData(this.image, 0, 0);
  }

  row(y, pixel) {
    if (y >= 0 && y < this.height) this.pixels.fill(pixel, y * this.width + this.from, y * this.width + this.to);
  }

  // Columns [from, to) with `share` of 256 of a colour; with `hatch`, stripes of so many pixels.
  band(from, to, pixel, share, hatch = 0) {
    const { pixels, width, height } = this;
    for (let x = Math.max(this.from, from); x < Math.min(to, this.to); x++) {
      for (let y = 0, at = x; y < height; y++, at += width) {
        if (!hatch || (x + y) % (2 * hatch) < hatch) pixels[at] = mix(pixels[at], pixel, share);
      }
    }
  }

  // Pixels of column x from `top` to `bottom`, parts of a pixel at its ends.
  run(x, top, bottom, pixel) {
    const { pixels, width, height } = this;
    if (x < this.from || x >= this.to || !(bottom > 0) || !(top < height)) return;
    let y = top > 0 ? top | 0 : 0;
    const last = bottom < height ? bottom | 0 : height - 1;
    let at = y * width + x;
    if (top > y) {
      pixels[at] = mix(pixels[at], pixel, ((bottom < y + 1 ? bottom : y + 1) - top) * 256);
      y++;
      at += width;
    }
    const end = (bottom >= last + 1 ? last + 1 : last) * width;
    for (; at < end; at += width) pixels[at] = pixel;
    if (bottom < last + 1 && y <= last) {
      at = last * width + x;
      pixels[at] = mix(pixels[at], pixel, (bottom - last) * 256);
    }
  }

  // A disc round the middle of a pixel.
  dot(x, y, radius, pixel) {
    for (let dx = -Math.floor(radius); dx <= radius; dx++) {
      const half = Math.sqrt(radius * radius - dx * dx);
      this.run(x + dx, y + 0.5 - half, y + 0.5 + half, pixel);
    }
  }

  // Draw a trace: `leftMs` is the time at x = 0, `scale` has min and max of the value axis. `style` is {pixel, half (of
  // its thickness), dash: [on, off] or null, isStep}; `phase` shifts dashes so that they move with the trace.
  trace(columns, leftMs, pixelsPerMs, scale, style, phase = 0) {
    const { widthMs, stamp, capacity } = columns;
    const { pen } = this;
    const first = Math.floor((leftMs + this.from / pixelsPerMs) / widthMs);
    const last = Math.min(Math.floor((leftMs + this.to / pixelsPerMs) / widthMs), columns.newest);
    pen.columns = columns;
    pen.leftMs = leftMs;
    pen.pixelsPerMs = pixelsPerMs;
    pen.isWide = widthMs * pixelsPerMs >= 2.5; // columns stand apart: lines join them
    pen.highest = scale.max;
    pen.zoom = (this.height - 1) / (scale.max - scale.min);
    pen.style = style;
    pen.phase = phase;
    pen.x = NaN;
    const before = columns.slotBeside(first, -1);
    if (before >= 0) this.node(before);
    let n = Math.max(first, columns.oldest);
    for (let slot = n % capacity; n <= last; n++) {
      if (stamp[slot] === n) this.node(slot);
      if (++slot === capacity) slot = 0;
    }
    const after = last < columns.newest ? columns.slotBeside(last, 1) : -1;
    if (after >= 0) this.node(after);
  }

  // Go on to a column: join it to the one before, draw its run.
  node(slot) {
    const { pen } = this;
    const { columns, leftMs, pixelsPerMs } = pen;
    const isOne = columns.samples[slot] === 1;
    let from = Math.floor((columns.time[slot] - leftMs) * pixelsPerMs);
    let to = from + 1;
    if (!pen.isWide && !isOne) {
      const start = columns.stamp[slot] * columns.widthMs - leftMs;
      from = Math.round(start * pixelsPerMs);
      to = Math.max(from + 1, Math.round((start + columns.widthMs) * pixelsPerMs));
    }
    const begin = this.rowOf(columns.first[slot]);
    const top = this.rowOf(columns.max[slot]);
    const bottom = this.rowOf(columns.min[slot]);
    if (pen.x === pen.x && !columns.broken[slot]) {
      this.join(from, begin);
      // The line from the column before ends in this one.
      const edge = pen.style.isStep || from - pen.x <= 1 ? pen.y : begin + ((pen.y - begin) * 0.5) / (from - pen.x);
      if (to - from > 1) this.pixelRun(from, Math.min(begin, edge), Math.max(begin, edge));
      else this.pixelRun(from++, Math.min(top, edge), Math.max(bottom, edge));
    } else if (isOne) {
      this.pixelRun(from - 1, top, bottom); // a lone sample is a dot
    }
    const end = this.rowOf(columns.last[slot]);
    if (to - from > 1 && Math.abs(end - begin) >= bottom - top - 0.01 && this.isApart(begin, end)) this.slope(from, to, begin, end);
    else for (; from < to; from++) this.pixelRun(from, top, bottom);
    pen.x = to - 1;
    pen.y = end;
    pen.top = top;
    pen.bottom = bottom;
  }

  // Whether the column before, if any, is on the other side of where this one begins, as where values but rise or fall. In
  // noise the first value is the largest now and then, and the last the smallest: no slope is to be seen there.
  isApart(begin, end) {
    const { x, top, bottom } = this.pen;
    if (x !== x) return true;
    const slack = Math.abs(end - begin) / 4;
    return end > begin ? bottom <= begin + slack : top >= begin - slack;
  }

  // Pixel row of a value; what is far beyond the picture stays there.
  rowOf(value) {
    return Math.min(1e6, Math.max(-1e6, (this.pen.highest - value) * this.pen.zoom));
  }

  // A column of several pixels whose values only rise, or only fall.
  slope(from, to, begin, end) {
    const step = (end - begin) / (to - from);
    for (let at = from; at < to; at++) {
      const a = begin + step * (at - from);
      const b = begin + step * (at - from + 1);
      this.pixelRun(at, Math.min(a, b), Math.max(a, b));
    }
  }

  // Pixels between the one where the pen is and `x`: a line, or a step that holds its value.
  join(x, y) {
    const { pen } = this;
    if (x - pen.x <= 1) return;
    const slope = pen.style.isStep ? 0 : (y - pen.y) / (x - pen.x);
    const reach = Math.abs(slope) / 2;
    this.pixelRun(pen.x, pen.y + Math.min(0, slope / 2), pen.y + Math.max(0, slope / 2));
    const end = Math.min(x, this.to);
    for (let at = Math.max(pen.x + 1, this.from); at < end; at++) {
      const middle = pen.y + slope * (at - pen.x);
      this.pixelRun(at, middle - reach, middle + reach);
    }
  }

  pixelRun(x, top, bottom) {
    const { half, pixel, dash } = this.pen.style;
    if (dash && (x + this.pen.phase) % (dash[0] + dash[1]) >= dash[0]) return;
    this.run(x, top + 0.5 - half, bottom + 0.5 + half, pixel);
  }
}
