"""The JavaScript modules by themselves: tests in units/, run in the browser."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from live import Registry
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HELPERS = {"feeder", "harness", "run", "still"}
NAMES = sorted(
    file.stem for file in (Path(__file__).parent / "units").glob("*.js") if file.stem not in HELPERS
)


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with closing(Registry()) as opened:
        yield opened


@pytest.mark.alone
def test_animation_frames_come(registry: Registry, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{registry.url}/browser/pages/units.html?of=raster")
    count = page.evaluate(
        """() => new Promise((resolve) => {
            let count = 0;
            const step = () => { count++; requestAnimationFrame(step); };
            requestAnimationFrame(step);
            setTimeout(() => resolve(count), 1000);
        })"""
    )
    assert count >= 30, f"this Chromium gives {count} animation frames a second: no chart test can pass"


@pytest.mark.parametrize("name", NAMES)
def test_unit(registry: Registry, open_page: Callable[..., Page], name: str) -> None:
    page = open_page(f"{registry.url}/browser/pages/units.html?of={name}")
    page.wait_for_function("() => globalThis.results")
    results = page.evaluate("() => results")
    assert results["failed"] == []
    assert results["count"] > 0
