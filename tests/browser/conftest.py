"""A browser, and pages in it that may not fail unseen."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import browsing
from chart_pages import CHART, SINE, add_chart, wait_state
from live import Registry, running
from live_line import Line
from page_watch import Watch
from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start a browser. Not for the whole session: as long as Playwright runs, no other test can run a loop."""
    with browsing() as browser:
        yield browser


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fail a test whose pages had an error or asked another host."""
    made = Watch()
    yield made
    made.check()


Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, watch: Watch) -> Iterator[Open]:
    """Open pages, with options of a browser context; `init_script` runs before any script of theirs."""
    contexts: list[BrowserContext] = []

    def open_one(address: str, **options: Any) -> Page:
        script = options.pop("init_script", None)
        context = chromium.new_context(
            viewport=options.pop("viewport", {"width": 1000, "height": 700}), **options
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        watch.attach(page)
        page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def line() -> Iterator[Line]:
    """Give a running line with the channel `example`."""
    with contextlib.closing(Registry()) as registry, running(registry) as (process, _):
        made = Line(registry, process)
        made.add("example")
        yield made
        made.close()


@pytest.fixture
def chart_page(line: Any, open_page: Open) -> Callable[..., Page]:
    """Open a page with one chart, declared by attributes."""

    def open_chart(attributes: dict[str, Any], **options: Any) -> Page:
        page = open_page(f"{line.registry.url}/browser/pages/empty.html", **options)
        add_chart(page, attributes)
        return page

    return open_chart


@pytest.fixture(scope="module")
def fed() -> Iterator[Line]:
    """Give a running line whose channel `example` is sent 50 records a second."""
    with contextlib.closing(Registry()) as registry, running(registry) as (process, _):
        registry.services["pivot"] = None
        line = Line(registry, process)
        line.add("example")
        with line.feeding():
            yield line
        line.close()


@pytest.fixture
def live(fed: Line, open_page: Open) -> Callable[..., Page]:
    """Open a page with charts that are live, each declared by attributes."""

    def open_live(*charts: dict[str, Any], **options: Any) -> Page:
        page = open_page(f"{fed.registry.url}/browser/pages/empty.html", **options)
        for attributes in charts or [SINE]:
            add_chart(page, attributes)
        wait_state(page, "live")
        page.wait_for_function(f"() => {CHART}.columns().signals[0].columns.length > 5")
        return page

    return open_live
