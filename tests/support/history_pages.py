"""The history page as tests open it, move it and read what it drew."""

import contextlib
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import long_archive as made
from line import wait_until
from playwright.sync_api import Locator, Page
from system import System, run

from speeddata.times import format_time

PLANT = "plant.temperature"
SIZE = {"width": 1280, "height": 900}
Open = Callable[..., Page]


@contextlib.contextmanager
def running(data: Path, step_s: int = 60) -> Iterator[System]:
    """A system with a year of a plant and a burst, whose history service answers."""
    made.write_year(data / "archive", step_s)
    made.write_burst(data / "archive")
    with run(data) as system:
        address = f"http://127.0.0.1:{system.pivot_port}/api/v1/signals"
        wait_until(lambda: _answers(address), "the history service", 30)
        yield system


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=10) as answer:
        return bool(answer.status == 200)
    return False


def opener(system: System, open_page: Open) -> Open:
    """Opens the page at what its address says, and waits until all of it is drawn."""

    def open_history(hash: str = "", **options: Any) -> Page:
        page = open_page(f"http://127.0.0.1:{system.api_port}/history{hash}", **{"viewport": SIZE} | options)
        whole(page)
        return page

    return open_history


def at(signals: str, start: int, end: int) -> str:
    """The address of a view."""
    return f"#signals={signals}&start={format_time(start)}&end={format_time(end)}"


def whole(page: Page, within: tuple[int, int] | None = None) -> None:
    """Wait until every chart has all that its view needs, and rests; the view as given, if it is."""
    page.wait_for_function(
        """(wanted) => {
            const stage = globalThis.historyStage;
            if (!stage?.isComplete || stage.isBusy || performance.now() - stage.changedAt < 300) return false;
            return !wanted || (String(stage.view.start) === wanted[0] && String(stage.view.end) === wanted[1]);
        }""",
        arg=within and [str(stamp) for stamp in within],
    )


def view(page: Page) -> tuple[int, int]:
    """What is shown."""
    start, end = page.evaluate("() => [historyStage.view.start, historyStage.view.end].map(String)")
    return int(start), int(end)


def drawn(page: Page, name: str = PLANT) -> list[list[float]]:
    """The columns of a signal: [pixel, first, min, max, last, broken]."""
    told = page.evaluate("() => historyStage.charts.flatMap((chart) => chart.drawn())")
    return next(one["columns"] for one in told if one["name"] == name)


def chart(page: Page, place: int = 0) -> Locator:
    return page.locator(".history-plot").nth(place)


def x_of(page: Page, time_ns: int) -> float:
    """Where on the page a time is."""
    return float(
        page.evaluate(
            """(time) => {
                const { view, charts: [{ plot, canvas }] } = historyStage;
                return canvas.getBoundingClientRect().left + (plot.left + view.placeOf(BigInt(time)) * plot.width) / plot.dpr;
            }""",
            str(time_ns),
        )
    )


def y_of(page: Page) -> float:
    """Halfway up the first chart."""
    box = chart(page).bounding_box()
    assert box
    return box["y"] + box["height"] / 2


def wheel(page: Page, turns: int, time_ns: int) -> None:
    """Turn the wheel over a time; by no turns the pointer only goes there."""
    page.mouse.move(x_of(page, time_ns), y_of(page))
    for _ in range(abs(turns)):
        page.mouse.wheel(0, 300 if turns > 0 else -300)
