// Loads a page again when its file changes: for pages that users write, as soon as they save them.

import { base } from "./address.js";

const LOOK_MS = 700;

let revision = "";

async function look() {
  try {
    const answer = await fetch(`${base}/api/v1/pages?revision=${revision}`, { signal: AbortSignal.timeout(3000) });
    if (answer.status === 200) {
      const told = await answer.json();
      if (revision && told.revision !== revision) location.reload();
      revision = told.revision;
    }
  } catch {
    // The registry is away; the charts tell so.
  }
}

// Look while the page is in sight and the registry answers, as far as `isWanted` knows.
export async function watchFile(isWanted) {
  for (;;) {
    if (document.visibilityState === "visible" && isWanted()) await look();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
