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
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  clear(pixel) {
    this.pixels.fill(pixel);
  }

  // Draw in the columns [from, to) alone from here on.
  clip(from, to) {
    this.from = Math.max(0, from);
    this.to = Math.min(this.width, to);
  }

  show() {
    this.context.putImageData(this.image, 0, 0);
  }

  row(y, pixel) {
    if (y >= 0 && y < this.height) this.pixels.fill(pixel, y * this.width, (y + 1) * this.width);
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
    if (x < this.from || x >= this.to || !(bottom > 0) || !(top < this.height)) return;
    const { pixels, width } = this;
    let y = Math.max(0, Math.floor(top));
    const last = Math.min(this.height - 1, Math.floor(bottom));
    let at = y * width + x;
    if (top > y) {
      const share = (Math.min(bottom, y + 1) - top) * 256;
      pixels[at] = mix(pixels[at], pixel, share);
      y++;
      at += width;
    }
    const whole = bottom >= last + 1 ? last : last - 1;
    for (; y <= whole; y++, at += width) pixels[at] = pixel;
    if (y === last) pixels[at] = mix(pixels[at], pixel, (bottom - last) * 256);
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
    const startMs = leftMs + this.from / pixelsPerMs;
    const endMs = leftMs + this.to / pixelsPerMs;
    const first = Math.floor(startMs / widthMs);
    const last = Math.min(Math.floor(endMs / widthMs), columns.newest);
    const isWide = widthMs * pixelsPerMs >= 2.5; // columns stand apart: lines join them
    const pen = { columns, leftMs, pixelsPerMs, scale, style, phase, isWide, x: NaN, y: 0 };
    pen.zoom = (this.height - 1) / (scale.max - scale.min);
    const before = columns.slotBeside(first, -1);
    if (before >= 0) this.node(pen, before);
    for (let n = Math.max(first, columns.oldest); n <= last; n++) {
      const slot = n % capacity;
      if (stamp[slot] === n) this.node(pen, slot);
    }
    const after = last < columns.newest ? columns.slotBeside(last, 1) : -1;
    if (after >= 0) this.node(pen, after);
  }

  // Go on to a column: join it to the one before, draw its run.
  node(pen, slot) {
    const { columns, leftMs, pixelsPerMs, scale, zoom, style } = pen;
    const y = (value) => Math.min(1e6, Math.max(-1e6, (scale.max - value) * zoom));
    const { widthMs } = columns;
    let from = Math.floor((columns.time[slot] - leftMs) * pixelsPerMs);
    let to = from + 1;
    if (!pen.isWide && columns.samples[slot] > 1) {
      const start = columns.stamp[slot] * widthMs - leftMs;
      from = Math.round(start * pixelsPerMs);
      to = Math.max(from + 1, Math.round((start + widthMs) * pixelsPerMs));
    }
    const begin = y(columns.first[slot]);
    let [top, bottom] = [y(columns.max[slot]), y(columns.min[slot])];
    if (!Number.isNaN(pen.x) && !columns.broken[slot]) {
      this.join(pen, from, begin);
      // The line from the column before ends in this one.
      const edge = style.isStep || from - pen.x <= 1 ? pen.y : begin + ((pen.y - begin) * 0.5) / (from - pen.x);
      if (to - from > 1) this.pixelRun(pen, from, Math.min(begin, edge), Math.max(begin, edge));
      else this.pixelRun(pen, from++, Math.min(top, edge), Math.max(bottom, edge));
    } else if (columns.samples[slot] === 1) {
      this.pixelRun(pen, from - 1, top, bottom); // a lone sample is a dot
    }
    const end = y(columns.last[slot]);
    if (to - from > 1 && Math.abs(end - begin) >= bottom - top - 0.01) this.slope(pen, from, to, begin, end);
    else for (; from < to; from++) this.pixelRun(pen, from, top, bottom);
    pen.x = to - 1;
    pen.y = end;
  }

  // A column of several pixels whose values only rise, or only fall.
  slope(pen, from, to, begin, end) {
    const step = (end - begin) / (to - from);
    for (let at = from; at < to; at++) {
      const [a, b] = [begin + step * (at - from), begin + step * (at - from + 1)];
      this.pixelRun(pen, at, Math.min(a, b), Math.max(a, b));
    }
  }

  // Pixels between the one where the pen is and `x`: a line, or a step that holds its value.
  join(pen, x, y) {
    const slope = pen.style.isStep ? 0 : (y - pen.y) / (x - pen.x);
    if (x - pen.x > 1) this.pixelRun(pen, pen.x, pen.y + Math.min(0, slope / 2), pen.y + Math.max(0, slope / 2));
    for (let at = Math.max(pen.x + 1, this.from); at < Math.min(x, this.to); at++) {
      const middle = pen.y + slope * (at - pen.x);
      const reach = Math.abs(slope) / 2;
      this.pixelRun(pen, at, middle - reach, middle + reach);
    }
  }

  pixelRun(pen, x, top, bottom) {
    const { half, pixel, dash } = pen.style;
    if (dash && (x + pen.phase) % (dash[0] + dash[1]) >= dash[0]) return;
    this.run(x, top + 0.5 - half, bottom + 0.5 + half, pixel);
  }
}
