"""How long the history page takes from a step of the view to its first and to its whole drawing, from a year to a millisecond.

    .venv/bin/python -P tests/bench/history_page.py [--records 1_000_000]

The figures are the page's own: from the event to the end of the frame that draws what stands in, and all that is exact.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import history_pages
import long_archive as made
from browser import browsing
from playwright.sync_api import Page

YEAR_S = 365 * 86400
TAKE = """() => {
    const told = performance.getEntriesByType("measure").map(({ name, duration }) => [name, duration]);
    performance.clearMeasures();
    const sizes = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/query?"));
    performance.clearResourceTimings();
    return { told: Object.fromEntries(told), asked: sizes.length, slowest: Math.max(0, ...sizes.map((one) => one.duration)),
             length: Number(historyStage.view.length) / 1e9 };
}"""


def take(page: Page, step: str, rows: list[dict[str, float]]) -> None:
    """Wait for the end of a step, print and keep its figures."""
    history_pages.whole(page)
    page.wait_for_timeout(300)  # what is prefetched comes meanwhile
    got = page.evaluate(TAKE)
    first, whole = (got["told"].get(name, float("nan")) for name in ("history-first", "history-whole"))
    rows.append({"first": first, "whole": whole})
    print(
        f"{step:>10} {got['length']:>16.6f} s  first {first:6.1f} ms  whole {whole:6.1f} ms  "
        f"{got['asked']:3d} requests, slowest {got['slowest']:6.1f} ms",
        flush=True,
    )


def pan(page: Page, rows: list[dict[str, float]]) -> None:
    """There and back again."""
    for by in (0.6, 0.6, 0.6, -1.8):
        page.evaluate("(by) => historyStage.view.pan(by)", by)
        take(page, "pan", rows)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    step_s = max(1, YEAR_S // parser.parse_args().records)
    target = made.BURST + 7 * made.NS
    rows: list[dict[str, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        history_pages.running(Path(folder) / "data", step_s) as system,
        browsing() as browser,
    ):
        page = browser.new_page(viewport=history_pages.SIZE)
        signals = "plant.temperature,plant.inlet,plant.pressure,quick.vibration"
        page.goto(f"http://127.0.0.1:{system.api_port}/history#signals={signals}")
        take(page, "opened", rows)
        opened = rows.pop()
        for _ in range(40):
            if history_pages.view(page)[1] - history_pages.view(page)[0] <= 1_000_000:
                break
            history_pages.wheel(page, -3, target)
            take(page, "in", rows)
        pan(page, rows)
        for _ in range(40):
            if history_pages.view(page)[1] - history_pages.view(page)[0] > 300 * made.DAY:
                break
            history_pages.wheel(page, 3, target)
            take(page, "out", rows)
        page.evaluate(
            "() => historyStage.view.show(historyStage.view.start, historyStage.view.start + 30n * 86400n * 10n ** 9n)"
        )
        take(page, "30 days", rows)
        pan(page, rows)
        print(f"Chromium {browser.version}, opened: whole after {opened['whole']:.0f} ms")
    for name in ("first", "whole"):
        values = sorted(row[name] for row in rows if row[name] == row[name])
        p95 = values[int(len(values) * 0.95)]
        print(
            f"{name}: {len(values)} steps, median {statistics.median(values):.1f} ms, p95 {p95:.1f} ms, max {values[-1]:.1f} ms"
        )


if __name__ == "__main__":
    main()
