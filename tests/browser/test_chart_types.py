"""Chart types beyond the plain one, fed at full rate through multicast and the live server."""

import contextlib
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from beside import beside
from chart_pages import add_chart
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.alone]

Open = Callable[..., Page]

RATE = 1000
ENGINE = {
    "type": "record",
    "name": "engine",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "vibration", "type": "double", "speeddata": {"unit": "m/s²"}},
        {"name": "x", "type": "double", "speeddata": {"unit": "A"}},
        {"name": "y", "type": "double", "speeddata": {"unit": "V"}},
    ],
}
DRAWN = "(index) => document.querySelectorAll('canvas.stripchart')[index]?.stripchart?.columns().drawn"
LABEL = "(index) => document.querySelectorAll('canvas.stripchart')[index].ariaLabel"
NOTES = "(index) => document.querySelectorAll('.stripchart-note')[index].textContent"
NEWEST = "() => document.querySelector('canvas').stripchart.painter.stores[0].newest"  # ms, as it came
BADGE = "() => document.querySelector('.stripchart-badge').textContent"


def engine_record(start_ns: int, number: int) -> dict[str, Any]:
    seconds = number / RATE
    return {
        "time": start_ns + number * (1_000_000_000 // RATE),
        "vibration": 0.71 * math.sin(2 * math.pi * 62.5 * seconds),  # bin 64 of 1024
        "x": math.cos(2 * math.pi * seconds),
        "y": math.sin(2 * math.pi * seconds),
    }


@contextlib.contextmanager
def running_engine(line: Any) -> Iterator[None]:
    """Send records at 1 kHz at full rate, and few of them decimated."""
    line.add("engine", ENGINE)

    def feed(stop: threading.Event) -> None:
        start_ns, sent = time.time_ns(), 0
        while not stop.wait(0.02):
            due = (time.time_ns() - start_ns) * RATE // 1_000_000_000
            records = [engine_record(start_ns, number) for number in range(sent, due)]
            for at in range(0, len(records), 500):
                line.send_all("engine at full rate", records[at : at + 500])
            line.send_all("engine", records[-1:])
            sent = due

    with beside(feed):
        yield


@pytest.fixture
def engine_page(line: Any, open_page: Open) -> Iterator[Callable[..., Page]]:
    """Open a page with charts of a running engine."""

    def open_charts(*charts: dict[str, Any]) -> Page:
        page = open_page(f"{line.registry.url}/browser/pages/empty.html")
        for attributes in charts:
            add_chart(page, {"height": 150} | attributes)
        return page

    with running_engine(line):
        yield open_charts


def test_each_type_shows_the_records_at_full_rate(engine_page: Callable[..., Page]) -> None:
    page = engine_page(
        {"type": "trigger", "signals": "engine.vibration,engine.x", "window": 0.05, "level": 0.3},
        {"type": "spectrum", "signals": "engine.vibration", "samples": 1024},
        {"type": "histogram", "signals": "engine.y", "window": 1},
        {"type": "xy", "signals": "engine.x,engine.y", "window": 1},
    )
    page.wait_for_function(f"() => ({DRAWN})(0)?.shots > 3 && ({DRAWN})(0).columns[1].length > 40")
    shot = page.evaluate(DRAWN, 0)
    assert (shot["isTriggered"], shot["end"] - shot["start"]) == (True, pytest.approx(50))
    before = [c[5] for c in shot["columns"][0] if c[1] < 10]  # last of each column before the trigger
    after = [c[2] for c in shot["columns"][0] if 10.1 < c[0] < 12]
    assert before[-1] <= 0.3 <= after[0]

    page.wait_for_function(f"() => Math.abs(({DRAWN})(1)?.signals[0].amplitude[64] - 0.71) < 1e-3")
    peak = "spectrum of engine.vibration: peak 62.50\u202fHz, 0.71"
    page.wait_for_function(f"(peak) => ({LABEL})(1).startsWith(peak)", arg=peak)
    told = r"1024 samples at (999\.\d|1000|1\.000)\u202fk?S/s, 0\.976[56]\u202fHz a bin"
    assert re.fullmatch(told, page.evaluate(NOTES, 1))

    page.wait_for_function(f"() => ({DRAWN})(2)?.signals[0].n > 1000")
    counted = page.evaluate(DRAWN, 2)["signals"][0]
    assert (sum(counted["counts"]), counted["n"]) == (1001, 1001)
    assert counted["std"] == pytest.approx(math.sqrt(0.5), abs=0.01)

    page.wait_for_function(f"() => ({DRAWN})(3)?.points[0].length > 1000")
    points = page.evaluate(DRAWN, 3)["points"][0]
    assert max(abs(math.hypot(x, y) - 1) for x, y in points) < 1e-9


def test_a_chart_of_another_type_is_paused_by_hand(engine_page: Callable[..., Page]) -> None:
    page = engine_page({"type": "trigger", "signals": "engine.vibration", "window": 0.05})
    page.wait_for_function(f"() => ({DRAWN})(0)?.shots > 1")
    plot = page.locator(".stripchart-plot")
    plot.hover()
    page.locator(".stripchart-tools").wait_for()
    assert page.get_by_role("button", name="Measure").count() == 0
    plot.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"() => ({BADGE})() === 'paused'")
    shots = page.evaluate(DRAWN, 0)["shots"]
    for key in ("ArrowLeft", "Home", "PageUp", "d", "t", "l", "c"):  # nothing that a chart of this type has
        page.keyboard.press(key)
    page.mouse.wheel(0, 100)
    newest = page.evaluate(NEWEST)
    page.wait_for_function(f"(newest) => ({NEWEST})() > newest + 300", arg=newest)
    assert page.evaluate(DRAWN, 0)["shots"] == shots
    page.keyboard.press("End")
    page.wait_for_function(f"(shots) => ({DRAWN})(0).shots > shots && ({BADGE})() === ''", arg=shots)
    page.keyboard.press("-")
    page.wait_for_function("() => document.querySelector('canvas').dataset.window === '1'")


RADIO = {
    "type": "record",
    "name": "radio",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "power", "type": {"type": "array", "items": "float"}, "speeddata": {"unit": "dB"}},
    ],
}


def test_arrays_come_as_rows(line: Any, open_page: Open) -> None:
    line.add("radio", RADIO)
    page = open_page(f"{line.registry.url}/browser/pages/empty.html")
    add_chart(page, {"type": "waterfall", "signals": "radio.power", "window": 10})

    def feed(stop: threading.Event) -> None:
        power = [float(item) for item in range(64)]
        power[40] = 99.5
        while not stop.wait(0.05):
            for name in ("radio", "radio at full rate"):
                line.send(name, time=time.time_ns(), power=power)

    with beside(feed):
        label = "waterfall of radio.power: last 10 s, largest 99.50\u202fdB at 40, live"
        page.wait_for_function(f"(label) => ({LABEL})(0) === label", arg=label)
        assert page.evaluate(DRAWN, 0)["items"] == 64
