// Sizes of canvases in device pixels, told when they change: by layout, by zoom, or by going to another screen.

const callbacks = new Map(); // by canvas

// A size in device pixels: what the browser says, as long as it fits the page's own figure (an emulated screen may not).
const whole = (exact, reckoned) => (Math.abs(exact - reckoned) <= 1 ? exact : Math.round(reckoned));

const observer = new ResizeObserver((entries) => {
  for (const { target, devicePixelContentBoxSize, contentRect } of entries) {
    const width = contentRect.width * devicePixelRatio;
    const height = contentRect.height * devicePixelRatio;
    const exact = devicePixelContentBoxSize?.[0];
    callbacks.get(target)?.(whole(exact?.inlineSize, width), whole(exact?.blockSize, height));
  }
});

function observe(canvas) {
  try {
    observer.observe(canvas, { box: "device-pixel-content-box" });
  } catch {
    observer.observe(canvas);
  }
}

let resolution = globalThis.devicePixelRatio;

// Tell sizes again if the page went to a screen of another resolution: not every browser says so.
export function checkResolution() {
  if (resolution === devicePixelRatio) return;
  resolution = devicePixelRatio;
  observer.disconnect();
  for (const canvas of callbacks.keys()) observe(canvas);
}

// Call back with width and height, now and whenever they change; what it draws is shown in the same frame.
export function watchSize(canvas, callback) {
  callbacks.set(canvas, callback);
  observe(canvas);
}

export function unwatchSize(canvas) {
  callbacks.delete(canvas);
  observer.unobserve(canvas);
}
