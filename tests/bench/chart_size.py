"""How large the code is that a page with one strip chart loads, compressed as servers do: with comments and indentation, without
them, and with names made short as well, as libraries are when their size is told.
"""

import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser
from rjsmin import jsmin

SERVED = "/static/stripchart/"
STATIC = Path(__file__).parents[2] / "stripchart/static"
IDLE = "decor.js"  # loaded when the page is idle, with what only that needs
IMPORT = re.compile(r'^import (?:[^"]* from )?"([^"]+)"', re.M)


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


def needed(path: Path) -> set[Path]:
    """A module, and those that it imports before it runs."""
    found: set[Path] = set()
    left = [path.resolve()]
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left += [(module.parent / name).resolve() for name in IMPORT.findall(module.read_text())]
    return found


def shortened(path: Path, modules: Path) -> str:
    """A module with short names."""
    command = [modules / ".bin/terser", path, "--module", "--compress", "--mangle"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def packed_kb(texts: list[str]) -> str:
    return f"{len(gzip.compress(chr(10).join(texts).encode(), 9)) / 1e3:.1f} KB"


def measure(browser: Browser, url: str, modules: Path) -> Iterator[tuple[str, str, str, str]]:
    """Lines of the table: what is loaded until a chart is live, and what comes when the page is idle as well."""
    paths = loaded(browser, url)
    when_idle = needed(STATIC / IDLE) - needed(STATIC / "main.js")
    core = [path for path in paths if path.resolve() not in when_idle]
    for what, some in (
        (f"{len(core)} modules until a chart is live", core),
        (f"{len(paths)} with what comes when the page is idle", paths),
    ):
        texts = [path.read_text() for path in some]
        yield f"{what}: as they are, gzip -9", packed_kb(texts), "", ""
        yield (
            "without comments and indentation (rjsmin)",
            packed_kb([str(jsmin(text)) for text in texts]),
            "<= 20 KB",
            "",
        )
        if (modules / ".bin/terser").exists():
            yield (
                "with short names as well (terser)",
                packed_kb([shortened(path, modules) for path in some]),
                "<= 20 KB",
                "uPlot 22.0 KB, so packed",
            )
