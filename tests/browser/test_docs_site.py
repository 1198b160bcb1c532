"""The documents' site, opened from its files by a browser without a network."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from docs_site import build
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_it_opens_from_a_file_and_is_searched(open_page: Callable[..., Page], tmp_path: Path) -> None:
    expect.set_options(timeout=20_000)
    done = build(tmp_path / "site")
    assert done.returncode == 0, done.stderr
    front = (tmp_path / "site/index.html").as_uri()
    page = open_page(front, offline=True, color_scheme="light")
    expect(page.get_by_role("heading", name="SpeedData", exact=False).first).to_be_visible()
    light = background(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("(light) => getComputedStyle(document.body).backgroundColor !== light", arg=light)
    page.keyboard.press("/")
    page.keyboard.type("retention")
    found = page.locator(".md-search-result__link")
    expect(found.first).to_be_visible()
    page.locator(".md-search__input").clear()
    page.keyboard.type("first hour")
    link = page.locator('.md-search-result__link[href*="first-hour.html"]').first
    expect(link).to_be_visible()
    link.click()
    expect(page).to_have_url(re.compile(r"^file://.*/first-hour\.html"))
    expect(page.get_by_role("heading", name="First hour")).to_be_visible()
    assert background(page) != light
