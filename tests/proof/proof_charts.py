"""Half an hour of the demo with its pages open: no chart falters, no error, and memory is flat. SOAK_S=n: so many seconds."""

import os

import chart_soak
import system
from browser import browsing

SECONDS = float(os.environ.get("SOAK_S", "1800"))


def test_charts(tmp_path):
    with browsing() as browser, system.demo(tmp_path / "data") as running:
        chart_soak.run(running, browser, SECONDS)
