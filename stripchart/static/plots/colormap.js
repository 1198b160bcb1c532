// Colours for numbers, in an order that the eye sees: lightness goes one way in equal steps, so that it reads in grey and
// whatever colours one can tell apart. Made in OKLab (B. Ottosson, "A perceptual color space for image processing", 2020).

const STEPS = 256;
const LIGHTNESS = [0.2, 0.95];
const HUE = [295, 100]; // degrees: violet by blue and green to yellow
const CHROMA = [0.1, 0.09, 0.088, 0.12, 0.05]; // at equal distances: as much as screens have at these hues

const isLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const made = new Map();

const between = (from, to, share) => from + (to - from) * share;

// Red, green and blue, 0 to 255, at `share` of the map from 0 to 1.
export function colorAt(share) {
  const at = share * (CHROMA.length - 1);
  const below = Math.min(Math.floor(at), CHROMA.length - 2);
  const chroma = between(CHROMA[below], CHROMA[below + 1], at - below);
  const hue = (between(...HUE, share) * Math.PI) / 180;
  return fromOklab(between(...LIGHTNESS, share), chroma * Math.cos(hue), chroma * Math.sin(hue));
}

function fromOklab(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((part) => Math.round(255 * encoded(Math.min(1, Math.max(0, part)))));
}

// The transfer function of sRGB (IEC 61966-2-1).
const encoded = (part) => (part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055);

// The map as pixels, from the smallest value to the largest: the larger the farther from the ground, dark or light.
export function colorPixels(isDark) {
  if (!made.has(isDark)) {
    const pixels = Uint32Array.from({ length: STEPS }, (_, i) => {
      const [r, g, b] = colorAt((isDark ? i : STEPS - 1 - i) / (STEPS - 1));
      return (isLittle ? (255 << 24) | (b << 16) | (g << 8) | r : (r << 24) | (g << 16) | (b << 8) | 255) >>> 0;
    });
    made.set(isDark, pixels);
  }
  return made.get(isDark);
}
