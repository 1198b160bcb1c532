"""A running system with a channel of its own and pages of charts, and hands on them."""

import json
import random
import socket
import time
import urllib.request
from typing import Any

from live import EXAMPLE, Encoder, free_port
from playwright.sync_api import Page, expect

Samples = list[tuple[int, float]]  # times in ns, values
RATE_HZ = 1000
PEAK = 77.0
PAGE = """<!doctype html><title>{title}</title>
<style>body {{ margin: 0; }}</style>
<script type="module" src="/static/stripchart/main.js"></script>
{charts}"""
# Where the view is: its start and end in ns, the left edge and the width of its plot in pixels.
VIEW = """() => {
    const [start, end] = document.querySelector("canvas").stripchart.painter.range;
    const { left, width } = document.querySelector(".stripchart-clip").getBoundingClientRect();
    return [start * 1e6, end * 1e6, left, width];
}"""


class Stand:
    """A running system with a channel, and what was sent to it."""

    def __init__(self, running: Any) -> None:
        self.running = running
        limits = {"warn": [-70, 70], "alarm": [None, 75]}
        schema = json.loads(json.dumps(EXAMPLE))
        schema["fields"][3]["speeddata"]["limits"] = limits
        self.port = self.register("stand", schema)
        self.samples: Samples = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.running.api_port}"

    def register(self, name: str, schema: dict[str, Any]) -> int:
        """Register a channel; its port."""
        port = free_port(socket.SOCK_DGRAM)
        body = json.dumps({"name": name, "port": port, "schema": schema}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/api/v1/channels", body, headers)
        assert urllib.request.urlopen(request, timeout=20).status == 201
        return port

    def page(self, name: str, **content: str) -> str:
        """Write a page of one's own; its address."""
        (self.running.data / "pages" / name).write_text(PAGE.format(**content))
        return f"{self.address}/pages/{name}"

    def send(self, seconds: float) -> None:
        """Send noise, 1,000 records a second in packets of 10, one of them with a peak."""
        encode, rng = Encoder(EXAMPLE), random.Random(7)
        count = int(seconds * RATE_HZ)
        told = {"message": "m", "counter": 0, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
        start = time.time_ns()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for first in range(0, count, 10):
                numbers = range(first, first + 10)
                new = [
                    (start + n * 10**9 // RATE_HZ, PEAK if n == count // 2 else rng.gauss(0, 1))
                    for n in numbers
                ]
                time.sleep(max(0.0, (new[-1][0] - time.time_ns()) / 1e9))
                sock.sendto(
                    b"".join(encode(time=at, sine_wave=value, **told) for at, value in new),
                    ("127.0.0.1", self.port),
                )
                self.samples += new


def paused(page: Page) -> None:
    """Have a chart stand still, its newest at the right edge."""
    plot = page.locator(".stripchart-plot")
    plot.hover()
    expect(page.locator(".stripchart-tools")).to_be_visible()
    plot.focus()
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('canvas').stripchart.view?.archive.loaders.size")


def drag_back(page: Page, time_ns: int) -> None:
    """Drag the trace to the right until a time is in the middle."""
    box = page.locator(".stripchart-plot").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    for _ in range(300):
        start, end, left, width = page.evaluate(VIEW)
        # Where the time is, in pixels from the middle.
        off = ((time_ns - start) / (end - start) - 0.5) * width
        by = max(-0.9 * width, min(0.9 * width, -off))
        if abs(by) < 5:  # less is a click
            return
        x = left + (0.05 if by > 0 else 0.95) * width
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by / 2, y)
        page.mouse.move(x + by, y)
        page.mouse.up()
    raise AssertionError(f"it is still {off} pixels away")
