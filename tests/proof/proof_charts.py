"""Half an hour of the demo with its pages open: no chart falters, no error, and memory is flat. SOAK_S=n: so many seconds."""

import os

import chart_soak
import system
from playwright.sync_api import sync_playwright

SECONDS = float(os.environ.get("SOAK_S", "1800"))


def test_charts(tmp_path):
    with sync_playwright() as playwright, system.demo(tmp_path / "data") as running:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        chart_soak.run(running, browser, SECONDS)
        browser.close()
