"""The demo's gallery, and the control page beside it, as `make run` shows them; `make proof PART=charts` watches them for longer."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import chart_soak
import pytest
import system
from playwright.sync_api import Browser, Page, expect
from system import System

pytestmark = pytest.mark.browser

GALLERY = Path(__file__).parents[2] / "examples/pages/gallery.html"
PHONE = {"width": 390, "height": 844}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system.demo(tmp_path_factory.mktemp("demo") / "data") as started:
        yield started


def test_all_charts_are_live_and_nothing_fails(demo: System, chromium: Browser) -> None:
    told = chart_soak.run(demo, chromium, 6)
    assert told["records_per_s"] > 500


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gallery_fits_a_phone(scheme: Literal["light", "dark"], demo: System, open_page: Open) -> None:
    page = open_page(
        f"http://127.0.0.1:{demo.api_port}/pages/gallery.html", viewport=PHONE, color_scheme=scheme
    )
    page.wait_for_function(chart_soak.ALL_LIVE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    told = [words for _, _, words in page.evaluate(chart_soak.STATES)]
    assert set(told) <= {"", "untriggered", "Waiting for data"}, told
    expect(page.locator("speed-value").first).to_have_text(re.compile(r"\d"))


def test_the_gallery_shows_every_type() -> None:
    types = {
        path.stem.removeprefix("type-")
        for path in (GALLERY.parents[2] / "stripchart/static").glob("type-*.js")
    }
    assert types - set(re.findall(r'data-type="(\w+)"', GALLERY.read_text())) <= {"line"}
