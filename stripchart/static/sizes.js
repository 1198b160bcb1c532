// Sizes of canvases in device pixels, told when they change.

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

// Call back with width and height, now and whenever they change; what it draws is shown in the same frame.
export function watchSize(canvas, callback) {
  callbacks.set(canvas, callback);
  try {
    observer.observe(canvas, { box: "device-pixel-content-box" });
  } catch {
    observer.observe(canvas);
  }
}

export function unwatchSize(canvas) {
  callbacks.delete(canvas);
  observer.unobserve(canvas);
}
