// Run the tests of the file that the address names.

import { run } from "./harness.js";

await import(`./${new URLSearchParams(location.search).get("of")}.js`);
globalThis.results = await run();
