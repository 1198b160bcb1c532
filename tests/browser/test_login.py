"""Logging in: once on the page, and the live data and the history at their ports know who it is."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import system
from page_watch import Watch
from playwright.sync_api import Page, expect
from ports import free_port

from speeddata.tokens import TokenFile

pytestmark = pytest.mark.browser

SCHEMA = {
    "type": "record",
    "name": "engine",
    "fields": [{"name": "time", "type": "double"}, {"name": "speed", "type": "double"}],
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[system.System]:
    """A system that asks who one is, with a channel."""
    data: Path = tmp_path_factory.mktemp("login") / "data"
    data.mkdir()
    with system.run(data, "--set=global.access.required=true") as started:
        started.register("engine", free_port(), SCHEMA)
        started.processes()
        yield started


def test_who_logs_in_once_sees_everything(
    guarded: system.System, open_page: Callable[..., Page], watch: Watch
) -> None:
    watch.forgive("401")  # the browser tells of the token that was wrong
    token = TokenFile(guarded.data / "tokens.json").add("ann", "read")
    page = open_page(f"http://localhost:{guarded.api_port}/history?x=1")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("This token is not in force.")
    page.get_by_label("Token").fill(token)
    with page.expect_response(lambda answer: "/api/v1/signals" in answer.url) as asked:
        page.get_by_role("button", name="Log in").click()
    assert asked.value.status == 200
    expect(page).to_have_url(re.compile(r"/history\?x=1"))
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("link", name="Live").click()
    expect(page.locator("#connection")).to_have_text("Live", timeout=20_000)
    expect(page.get_by_role("button", name="Log out")).to_have_attribute("title", "ann may look")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.goto(f"http://localhost:{guarded.api_port}/system")
    expect(page).to_have_url(re.compile(r"/login\?next="))


def test_where_a_session_has_ended_the_page_asks_again(
    guarded: system.System, open_page: Callable[..., Page], watch: Watch
) -> None:
    watch.forgive("401", "403", "WebSocket")
    file = TokenFile(guarded.data / "tokens.json")
    token = file.add("bob", "admin")
    page = open_page(f"http://localhost:{guarded.api_port}/login")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#connection")).to_have_text("Live", timeout=20_000)
    file.remove("bob")
    expect(page).to_have_url(re.compile(r"/login\?next=%2F$"), timeout=20_000)


def test_every_service_asks(guarded: system.System) -> None:
    for port, path in (
        (guarded.api_port, "/api/v1/channels"),
        (guarded.websocket_port, "/status"),
        (guarded.pivot_port, "/api/v1/signals"),
    ):
        answer = requests.get(f"http://127.0.0.1:{port}{path}", timeout=10)
        assert answer.status_code == 401, answer.text
        assert answer.headers["WWW-Authenticate"] == "Bearer"
