"""How large the code is that a page with one strip chart loads: without comments and indentation, compressed as servers do."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser
from rjsmin import jsmin

SERVED = "/static/stripchart/"
STATIC = Path(__file__).parents[2] / "stripchart/static"


def loaded(browser: Browser, url: str) -> list[Path]:
    """The modules that a page has loaded once its chart is live, nobody having pointed at it."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(f"{url}/ours.html?signals=1")
    page.wait_for_function("() => globalThis.bench?.isReady()")
    page.wait_for_function(
        "() => [...bench.charts.values()].every((chart) => chart.marks)"
    )  # what is loaded when idle
    page.close()
    return [
        STATIC / path.removeprefix(SERVED)
        for path in asked
        if path.startswith(SERVED) and path.endswith(".js")
    ]


def measure(browser: Browser, url: str) -> Iterator[tuple[str, str, str]]:
    """Lines of the table."""
    texts = [path.read_text() for path in loaded(browser, url)]
    small = len(gzip.compress("\n".join(map(str, map(jsmin, texts))).encode(), 9))
    whole = len(gzip.compress("\n".join(texts).encode(), 9))
    yield (
        f"{len(texts)} modules of a page with a strip chart, minified by rjsmin, gzip -9",
        f"{small / 1e3:.1f} KB",
        "<= 20 KB",
    )
    yield (
        "the same with comments and indentation",
        f"{whole / 1e3:.1f} KB ({sum(map(len, texts)) / 1e3:.1f} KB as they are)",
        "",
    )
