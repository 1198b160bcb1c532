"""A browser without a window and without a graphics card: Chromium's headless shell, which draws no window's frame either."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = ["--no-sandbox", "--disable-gpu"]


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """Run it. As long as it runs, nothing else in this process can run a loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
