"""What the history page shows at first: of a recording that goes on, of nothing at all, of what is not there."""

import contextlib
import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import history_pages
import long_archive as made
import pytest
import system as systems
from beside import beside
from history_pages import Open, drawn, view, whole
from line import wait_until
from live import EXAMPLE, Encoder, free_port
from playwright.sync_api import expect
from system import System

pytestmark = pytest.mark.browser

COMPLETE = "() => globalThis.historyStage?.isComplete"
NAMES = ("zinc", "brass", "copper")
FIRST = [f"brass.{name}" for name in ("counter", "sine_wave", "ramp", "square_wave")]


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


@contextlib.contextmanager
def sending(ports: dict[str, int]) -> Iterator[None]:
    """Send records to all ports, to some more often than to others."""
    encode, told = Encoder(EXAMPLE), {"message": "go", "ramp": 0.5, "square_wave": 1.0, "is_on": True}

    def send(stop: threading.Event) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            count = 0
            while not stop.wait(0.02):
                for every, port in enumerate(ports.values(), 1):
                    if count % (20 * every) < 10:
                        sine = float(count % 50)
                        record = encode(time=time.time_ns(), counter=count, sine_wave=sine, **told)
                        sock.sendto(record, ("127.0.0.1", port))
                count += 1

    with beside(send):
        yield


def listed(system: System) -> Any:
    """What the history service lists as signals."""
    address = f"http://127.0.0.1:{system.pivot_port}/api/v1/signals"
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def ready(system: System) -> Any:
    """What the history service lists as signals, once it answers."""

    def ask() -> Any:
        with contextlib.suppress(OSError):
            return listed(system)
        return None

    return wait_until(ask, "the history service", 30)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[System]:
    with systems.run(tmp_path / "data") as system:
        ready(system)
        yield system


def test_a_recording_that_goes_on_is_followed_from_its_beginning_each_time(
    empty: System, open_page: Open
) -> None:
    ports = {name: free_port(socket.SOCK_DGRAM) for name in NAMES}
    for name, port in ports.items():
        empty.register(name, port, EXAMPLE)

    def recorded() -> bool:
        told = listed(empty)["signals"]
        return {one["channel"] for one in told if one["first_time"]} == set(NAMES)

    with sending(ports):
        wait_until(recorded, "records of all channels", 30)
        page = None
        for _ in range(6):
            if page:
                page.close()
            page = open_page(f"http://127.0.0.1:{empty.api_port}/history", viewport=history_pages.SIZE)
            page.wait_for_function(COMPLETE)
            expect(page.locator("#state")).to_have_text("Following")
            assert page.evaluate("() => historyStage.signalNames") == FIRST
        start, end = view(page)
        page.wait_for_function("(end) => historyStage.view.end > BigInt(end) + 2n * 10n ** 9n", arg=str(end))
        assert view(page)[0] == start == int(page.evaluate("() => String(historyStage.view.first)")), (
            "it grows"
        )
        page.wait_for_function(COMPLETE)
        assert drawn(page, FIRST[1])[0][0] == 0, "from its first record on"
        assert page.url.endswith("&last=all")
        expect(page.get_by_role("button", name="All", exact=True)).to_have_attribute("aria-pressed", "true")
        expect(page.locator("[aria-pressed=true]")).to_have_count(1)
        page.get_by_role("button", name="Zoom in").click()
        expect(page.locator("#state")).to_have_text("Stored")
        page.get_by_role("button", name="All", exact=True).click()
        expect(page.locator("#state")).to_have_text("Following")


def test_where_nothing_is_recorded_it_tells_how_to_begin_and_goes_on_by_itself(
    empty: System, open_page: Open
) -> None:
    page = open_page(f"http://127.0.0.1:{empty.api_port}/history")
    expect(page.get_by_role("heading", name="Nothing to show yet")).to_be_visible()
    expect(page.locator("#state")).to_have_text("Empty")
    for part in (".picker", "#from", "#overview", "#export", "#help"):
        expect(page.locator(part)).to_be_hidden()
    assert "1970" not in page.inner_text("body")
    assert "called so" not in page.inner_text("body")
    calls = page.get_by_role("link", name="the calls of the history service")
    expect(calls).to_have_attribute("href", f"http://127.0.0.1:{empty.pivot_port}/docs")
    assert page.url.endswith("/history"), "no range of nothing in the address"
    now = time.time_ns()
    made.write(
        empty.data / "archive" / "fresh",
        made.QUICK,
        {"time": now - made.NS * made.np.arange(60, 0, -1), "vibration": made.np.arange(60.0)},
    )
    whole(page)
    expect(page.locator("#nothing")).to_be_hidden()
    expect(page.locator("#chosenCount")).to_have_text("1 of 1")
    expect(page.locator("#picker [role=status]")).to_have_text("1 signal")
    page.get_by_role("link", name="Live").click()
    expect(page.locator("#noChannels")).to_be_visible()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with history_pages.running(tmp_path_factory.mktemp("first") / "data", 600) as system:
        yield system


def test_a_signal_that_is_not_there_is_told(stored: System, open_page: Open) -> None:
    page = history_pages.opener(stored, open_page)("#signals=plant.pressure,nix.value,<b>x</b>")
    trouble = page.locator("#trouble")
    expect(trouble).to_have_text("No signals that can be drawn are called nix.value, <b>x</b>.")
    assert page.evaluate("() => historyStage.signalNames") == ["plant.pressure"]
    page.get_by_role("button", name="Week", exact=True).click()
    page.wait_for_url(re.compile("signals=plant.pressure,nix.value,.*start="))
    page.reload()
    whole(page)
    expect(trouble).to_be_visible()
    page.get_by_label("vibration").check()
    expect(trouble).to_be_hidden()
    address = f"http://127.0.0.1:{stored.api_port}/history#signals=nix.value"
    page = open_page(address)
    expect(page.locator("#trouble")).to_have_text("No signal that can be drawn is called nix.value.")
    expect(page.locator("#empty")).to_have_text("Choose a signal to see what was recorded of it.")


def test_a_signal_that_comes_later_is_shown_then(stored: System, open_page: Open) -> None:
    page = history_pages.opener(stored, open_page)("#signals=plant.pressure,later.vibration")
    expect(page.locator("#trouble")).to_be_visible()
    times = made.BEGIN + made.NS * made.np.arange(60)
    made.write(stored.data / "archive" / "later", made.QUICK, {"time": times, "vibration": times / 1e9})
    expect(page.locator("#trouble")).to_be_hidden()
    assert page.evaluate("() => historyStage.signalNames") == ["plant.pressure", "later.vibration"]
