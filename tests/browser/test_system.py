"""The page on the whole running system: register, send by UDP, see it live, export, remove."""

import json
import random
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import system
from live import EXAMPLE, Encoder, free_port
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PEAK = 123.5
DRAWN = """() => document.querySelector('canvas[data-signals="engine.sine_wave"]')
    ?.stripchart.columns().signals[0].columns.map((column) => [column[3], column[4]]) ?? []"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with system.run(tmp_path_factory.mktemp("system") / "data") as started:
        yield started


def send(port: int, seconds: float) -> None:
    """Send noise at about 1,000 records/s, with one peak of a single record in it."""
    encode, rng = Encoder(EXAMPLE), random.Random(5)
    told = {"message": "go", "ramp": 0.0, "square_wave": 1.0, "is_on": True}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for n in range(int(seconds * 1000)):
            value = PEAK if n == int(seconds * 500) else rng.uniform(-1, 1)
            record = encode(time=time.time_ns(), counter=n, sine_wave=value, **told)
            sock.sendto(record, ("127.0.0.1", port))
            if n % 10 == 9:
                time.sleep(0.01)


def test_from_udp_to_pixels(running: Any, open_page: Callable[..., Page]) -> None:
    expect.set_options(timeout=20_000)
    port = free_port(socket.SOCK_DGRAM)
    # High enough for the charts: those out of sight are not drawn.
    page = open_page(f"http://127.0.0.1:{running.api_port}/", viewport={"width": 1000, "height": 1400})
    form = page.locator("#registerForm")
    form.get_by_label("Name").fill("engine")
    form.get_by_label("UDP port").fill(str(port))
    form.locator("[name=schema]").fill(json.dumps(EXAMPLE))
    form.get_by_role("button", name="Register").click()
    expect(page.locator("#registerAnswer")).to_contain_text("Channel engine is registered")
    expect(page.locator("canvas.stripchart")).to_have_count(4)
    page.locator("#register > summary").click()
    send(port, 3)
    columns = page.wait_for_function(
        f"(peak) => {{ const all = ({DRAWN})(); return all.some((c) => c[1] === peak) && all; }}", arg=PEAK
    ).json_value()
    assert sum(high == PEAK for _, high in columns) == 1, "one record in 3,000 is one column"
    assert all(-1 <= low <= 1 for low, _ in columns)
    expect(page.locator('[data-signal="engine.message"]')).to_have_text("go")
    expect(page.locator("#channelTable tbody td").nth(2)).to_have_text(re.compile(r"^3,000since \d\d:\d\d$"))


def test_the_last_minutes_are_downloaded(
    running: Any, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(f"http://127.0.0.1:{running.api_port}/")
    page.get_by_role("button", name="Export a range of engine").click()
    dialog = page.get_by_role("dialog", name="Export a range")
    dialog.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "engine.h5")
    assert (tmp_path / "engine.h5").read_bytes()[:4] == b"\x89HDF"


def test_a_channel_is_removed(running: Any, open_page: Callable[..., Page]) -> None:
    page = open_page(f"http://127.0.0.1:{running.api_port}/")
    page.get_by_role("button", name="Details of engine").click()
    page.get_by_role("button", name="Remove: engine").click()
    page.locator("#removeDialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#noChannels")).to_be_visible()
    expect(page.locator("canvas.stripchart")).to_have_count(0)
    assert running.get("/channels")["channels"] == []
