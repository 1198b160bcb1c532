// Tests of modules, run in the browser: a page imports a file of them and reports what failed.

const tests = [];

export function test(name, body) {
  tests.push({ name, body });
}

const text = (value) => JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part));

export function equal(actual, expected, what = "") {
  const [a, e] = [text(actual), text(expected)];
  if (a !== e) throw new Error(`${what} expected ${e}, got ${a}`);
}

export function near(actual, expected, tolerance = 1e-9, what = "") {
  if (!(Math.abs(actual - expected) <= tolerance)) throw new Error(`${what} expected ${expected}, got ${actual}`);
}

export function throws(body, pattern) {
  try {
    body();
  } catch (error) {
    if (pattern.test(error.message)) return;
    throw new Error(`expected an error like ${pattern}, got ${error.message}`);
  }
  throw new Error(`expected an error like ${pattern}`);
}

// A generator of numbers in [0, 1) that gives the same ones each time (mulberry32).
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export async function run() {
  const failed = [];
  for (const { name, body } of tests) {
    try {
      await body();
    } catch (error) {
      failed.push(`${name}: ${error.stack}`);
    }
  }
  return { count: tests.length, failed };
}
