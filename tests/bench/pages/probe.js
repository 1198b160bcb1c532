// How long a page's own code takes: per animation frame, and per message from the server. A classic script, before all others,
// so that it is the same for every library; what they leave to microtasks counts, too.

globalThis.probe = (() => {
  const KEPT = 20_000;
  const made = () => ({ values: new Float32Array(KEPT), count: 0 });
  const series = { frame: made(), interval: made(), message: made() };
  const add = (kept, value) => (kept.values[kept.count++ % KEPT] = value);
  let framedAt = NaN;
  let spent = 0;

  const requestFrame = globalThis.requestAnimationFrame.bind(globalThis);
  // Each library has one callback a frame; this page's own, as a driver's, are added to it.
  globalThis.requestAnimationFrame = (callback) =>
    requestFrame((now) => {
      const begun = performance.now();
      callback(now);
      queueMicrotask(() => {
        const took = performance.now() - begun;
        if (now === framedAt) {
          spent += took;
          series.frame.values[(series.frame.count - 1) % KEPT] = spent;
          return;
        }
        if (!Number.isNaN(framedAt)) add(series.interval, now - framedAt);
        add(series.frame, took);
        framedAt = now;
        spent = took;
      });
    });

  const Native = globalThis.WebSocket;
  globalThis.WebSocket = class extends Native {
    set onmessage(handler) {
      super.onmessage = (event) => {
        const begun = performance.now();
        handler(event);
        add(series.message, performance.now() - begun);
      };
    }
  };

  return {
    begin() {
      for (const kept of Object.values(series)) kept.count = 0;
    },
    // Milliseconds by kind.
    end: () => Object.fromEntries(Object.entries(series).map(([name, { values, count }]) => [name, Array.from(values.slice(0, Math.min(count, KEPT)))])),
  };
})();
