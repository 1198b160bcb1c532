"""No page, in any state of it, may fail what axe-core looks for: names, roles, contrast, order, keyboard."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import requests
import system
from axe_playwright_python.base import AXE_SCRIPT
from line import NUMBERED, wait_until
from playwright.sync_api import Page, expect
from ports import free_port
from system import System

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PHONE = {"width": 390, "height": 844}
# A page, what is pressed on it, and the dialog that is then open.
DIALOGS: list[tuple[str, str, str]] = [
    ("/", "Tag last 5 min: engine", "The last 5 min are tagged"),
    ("/", "Export a range of engine", "Export a range"),
    ("/", "Edit: engine", "Edit engine"),
    ("/", "Schema: engine", "Schema of engine"),
    ("/", "Remove: engine", "Remove channel engine?"),
    ("/history", "Tag", "Tag this range"),
    ("/history", "Export", "Export"),
]
FINDING = {"name": "x", "text": "a finding", "mend": [{"words": "mend it with", "command": "true"}]}


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system.run(tmp_path_factory.mktemp("axe") / "data") as started:
        started.register("engine", free_port(), NUMBERED)
        started.processes()
        record = {"time": time.time_ns(), "n": 1, "value": math.pi}
        pivot = f"http://127.0.0.1:{started.pivot_port}/api/v1"
        wait_until(lambda: ingested(pivot, record), "the history service")
        yield started


def ingested(pivot: str, record: dict[str, Any]) -> bool:
    """Whether a record was taken, so that the history page has something to show."""
    try:
        body = {"channel": "engine", "rows": [record]}
        return requests.post(f"{pivot}/ingest", json=body, timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


def check(page: Page, what: str) -> None:
    """Fail where axe finds anything serious in the page as it is, by day or by night, naming it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    bad = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
        bad += [
            f"{what}, {scheme}: {one['id']}: {node['html'][:200]}: {node['failureSummary']}"
            for one in found
            for node in one["nodes"]
            if one["impact"] in ("serious", "critical")
        ]
    assert not bad, "\n".join(bad)


def open_front(page: Page) -> None:
    """Open everything that opens on the page at /, with what can go wrong in a form."""
    page.get_by_role("button", name="Details of engine").click()
    expect(page.locator("#details-engine dd").first).to_be_visible()
    page.locator("#register > summary").click()
    page.locator("#registerForm [name=name]").fill("engine")
    page.locator("#registerForm [name=schema]").fill('{"type": "record"}')
    expect(page.locator("#nameProblem")).to_be_visible()
    expect(page.locator("#schemaProblem")).to_be_visible()


def test_the_front_page_and_its_dialogs(running: System, open_page: Open) -> None:
    page = open_page(f"http://127.0.0.1:{running.api_port}/")
    expect(page.locator("#export")).to_be_visible()
    open_front(page)
    check(page, "/")
    look_at_dialogs(page, "/")
    mark = "(id) => document.getElementById(id).classList.add('old')"
    for part in ("channelTable", "tiles"):
        page.evaluate(mark, part)
    check(page, "/ with old numbers")


def look_at_dialogs(page: Page, path: str) -> None:
    for where, button, name in DIALOGS:
        if where == path:
            page.get_by_role("button", name=button, exact=True).click()
            expect(page.get_by_role("dialog", name=name, exact=True)).to_be_visible()
            check(page, f"the dialog {name!r}")
            page.keyboard.press("Escape")


def test_the_history_page_and_its_dialogs(running: System, open_page: Open) -> None:
    page = open_page(f"http://127.0.0.1:{running.api_port}/history")
    expect(page.locator("#tag")).to_be_enabled()
    check(page, "/history")
    look_at_dialogs(page, "/history")


def test_the_system_page(running: System, open_page: Open) -> None:
    page = open_page(f"http://127.0.0.1:{running.api_port}/system")
    expect(page.locator("#processTable tbody tr").last).to_be_visible()
    page.route("**/api/v1/doctor", lambda route: route.fulfill(json={"findings": [FINDING]}))
    # The page's own first look may still be going on.
    expect(page.locator("#findings")).not_to_be_empty()
    page.get_by_role("button", name="Examine again").click()
    expect(page.locator(".finding")).to_have_count(1)
    check(page, "/system")
    page.locator("#main").evaluate("(main) => main.classList.add('old')")
    check(page, "/system with old numbers")


@pytest.mark.parametrize("path", ["/", "/system"])
def test_on_a_phone(running: System, open_page: Open, path: str) -> None:
    page = open_page(f"http://127.0.0.1:{running.api_port}{path}", viewport=PHONE)
    expect(page.locator("#channelTable tbody tr, #processTable tbody tr").first).to_be_visible()
    if path == "/":
        open_front(page)
    check(page, f"{path} on a phone")
    assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]


def test_something_serious_would_be_found(open_page: Open, running: System) -> None:
    page = open_page(f"http://127.0.0.1:{running.api_port}/system")
    page.locator("#examine").evaluate("(button) => { button.textContent = ''; }")
    with pytest.raises(AssertionError, match="button-name"):
        check(page, "a button without a name")
