"""The demo with its pages open: charts stay live, nothing fails, and pages and servers hold no more in the end than at first."""

import json
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from page_watch import Watch
from playwright.sync_api import Browser, Page
from soak_vitals import Vitals
from system import System

CHANNELS = {"host", "example", "machine", "machine_spectrum"}
PAGES = ("/", "/pages/gallery.html")
VIEW = {"width": 1300, "height": 1000}
LOOK_EVERY_S = 5.0
LONG_S = 1800.0  # a soak that tells of memory
FILL_S = 1200.0  # until the live server's rings have been filled once and moved: ten minutes are kept, with as much room beside
HEAP_GROWTH_MB = 1.0
READY_MS = 60_000
# What each chart of a page says of itself, by what it declares; the gallery has one whose signal is misspelled, to show what
# it says. One out of sight is not drawn, but knows its state.
STATES = """() => [...document.querySelectorAll("canvas.stripchart:not([data-signals*=vibratoin])")].map((canvas) => {
    const words = [canvas.dataset.type ?? "line", canvas.dataset.signals ?? canvas.dataset.channel, canvas.dataset.mode ?? ""];
    return [words.join(" ").trim(), canvas.dataset.state, canvas.stripchart?.notice.badge.title ?? ""];
})"""
ALL_LIVE = f"() => {{ const all = ({STATES})(); return all.length > 3 && all.every(([, state]) => state === 'live'); }}"


@dataclass
class Open:
    """An open page and what its heap held at each look."""

    page: Page
    path: str
    heap_mb: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cdp = self.page.context.new_cdp_session(self.page)

    def look(self) -> None:
        """Each chart is live; note what the heap holds after a collection."""
        states = self.page.evaluate(STATES)
        assert all(state == "live" for _, state, _ in states), (self.path, states)
        self.cdp.send("HeapProfiler.collectGarbage")
        told = self.cdp.send("Runtime.getHeapUsage")
        parts = ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
        self.heap_mb.append(sum(told.get(name, 0) for name in parts) / 1e6)

    def quarters(self) -> tuple[float, float]:
        """What the heap held in the second quarter of the looks and in the last, in MB: medians."""
        size = max(1, len(self.heap_mb) // 4)
        second, last = self.heap_mb[size : 2 * size] or self.heap_mb, self.heap_mb[-size:]
        return statistics.median(second), statistics.median(last)


def run(system: System, browser: Browser, seconds: float) -> dict[str, Any]:
    """Watch a running demo; figures of it. Fails where a page had an error or something grew (in a long run)."""
    watch, opened = Watch(), []
    for path in PAGES:
        page = browser.new_page(viewport=VIEW)
        watch.attach(page)
        page.goto(f"http://127.0.0.1:{system.api_port}{path}")
        page.wait_for_function(ALL_LIVE, timeout=READY_MS)
        opened.append(Open(page, path))
    status = system.processes()
    pids = {one["name"]: one["pid"] for one in status["services"]} | {"keeper": status["keeper"]["pid"]}
    vitals, begin_s = Vitals(), time.monotonic()
    before = records(system)
    while time.monotonic() - begin_s < seconds:
        opened[0].page.wait_for_timeout(min(LOOK_EVERY_S, seconds / 3) * 1000)
        if seconds < LONG_S or time.monotonic() - begin_s > FILL_S:
            vitals.look(pids)
        for one in opened:
            one.look()
        watch.check()
    took_s = time.monotonic() - begin_s
    rate = (records(system) - before) / took_s
    heaps = {one.path: one.quarters() for one in opened}
    told = {
        "seconds": round(took_s),
        "records_per_s": round(rate),
        "heap_mb": {path: [round(one, 2) for one in told] for path, told in heaps.items()},
        "rss_mib": {role: told["rss_mib"] for role, told in vitals.figures().items()},
    }
    print(json.dumps(told))
    if seconds >= LONG_S:
        vitals.check_flat()
        for path, (early, late) in heaps.items():
            assert late <= early + HEAP_GROWTH_MB, f"{path}: its heap grows from {early:.2f} to {late:.2f} MB"
    return told


def records(system: System) -> int:
    """How many records of the demo were received."""
    channels = system.get("/channels")["channels"]
    found = {one["name"]: (one["stats"] or {}).get("records", 0) for one in channels}
    assert set(found) == CHANNELS, found
    return int(sum(found.values()))
