"""What charts and values say when they are not live, and how they come to be live again."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart_pages import INK, STATE, WORDS, drawn, wait_state
from live import LiveProcess
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]

NO_RETRY = """async () => {
    const { feed } = await import("/static/stripchart/main.js");
    Object.defineProperty(feed.socket, "timer", { get: () => null, set: (timer) => clearTimeout(timer) });
}"""
IDLE = """async () => {
    const { feed } = await import("/static/stripchart/main.js");
    return feed.socket.state === "reconnecting" && !feed.socket.isTrying;
}"""


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


def test_23_a_stale_trace_is_dimmed_and_not_written_over(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave", "window": 6, "colors": "#0000FF", "theme": "light"})
    badge = page.locator(".stripchart-badge")
    with line.feeding():
        page.wait_for_function(f"() => {{ const ink = ({INK})(); return ink.full > 100 && !ink.words; }}")
        expect(badge).to_be_hidden()
    wait_state(page, "stale")
    page.wait_for_function(
        f"() => {{ const ink = ({INK})(); return ink.dim > 100 && !ink.full && !ink.words; }}"
    )
    expect(badge).to_have_text(re.compile(r"^stale [2-6] s$"))
    expect(badge).to_be_visible()
    page.wait_for_function(f"() => ({INK})().words")
    expect(badge).to_be_hidden()
    assert re.fullmatch(r"stale: no data for \d+ s", page.evaluate(WORDS))
    with line.feeding():
        wait_state(page, "live")
        expect(badge).to_be_hidden()


def test_23_a_lost_connection_leaves_the_trace(line: Any, chart_page: Open, watch: Any) -> None:
    watch.forgive("WebSocket connection")
    page = chart_page({"signals": "example.sine_wave", "window": 60, "colors": "#0000FF", "theme": "light"})
    with line.feeding():
        page.wait_for_function(f"() => ({INK})().full > 20")
    line.process.stop()
    wait_state(page, "reconnecting")
    expect(page.locator(".stripchart-badge")).to_have_text(re.compile(r"^no connection \d+ s$"))
    page.wait_for_function(
        f"() => {{ const ink = ({INK})(); return ink.dim > 20 && !ink.full && !ink.words; }}"
    )


@pytest.mark.parametrize(
    "event",
    ["window.dispatchEvent(new Event('online'))", "document.dispatchEvent(new Event('visibilitychange'))"],
)
def test_23_a_reason_to_hope_is_followed_at_once(line: Any, chart_page: Open, watch: Any, event: str) -> None:
    watch.forgive("WebSocket connection")
    page = chart_page({"signals": "example.sine_wave", "window": 10})
    wait_state(page, "waiting")
    page.evaluate(NO_RETRY)
    line.process.stop()
    page.wait_for_function(IDLE)
    again = LiveProcess(line.registry.url)
    try:
        line.registry.services["websocket"]["port"] = again.port()
        page.evaluate(f"() => {event}")
        wait_state(page, "waiting")
    finally:
        again.stop()


def test_23_a_server_that_freezes_does_not_look_live(line: Any, chart_page: Open, watch: Any) -> None:
    watch.forgive("WebSocket connection")
    page = chart_page({"signals": "example.sine_wave", "window": 10})
    with line.feeding():
        wait_state(page, "live")
        line.process.process.send_signal(signal.SIGSTOP)
        try:
            page.wait_for_function(f"() => ['stale', 'reconnecting'].includes(({STATE})())")
            wait_state(page, "reconnecting")
            assert "No connection to the live server (the server fell silent)" in page.evaluate(WORDS)
            expect(page.locator(".stripchart-badge")).to_have_text(re.compile(r"^no connection \d+ s$"))
        finally:
            line.process.process.send_signal(signal.SIGCONT)
        wait_state(page, "live")


def test_23_a_new_server_is_found_and_the_window_filled_again(
    line: Any, chart_page: Open, watch: Any
) -> None:
    watch.forgive("WebSocket connection")
    page = chart_page({"signals": "example.sine_wave", "window": 10})
    with line.feeding():
        wait_state(page, "live")
        line.process.stop()
        wait_state(page, "reconnecting")
        assert "reconnecting" in page.evaluate(WORDS)
        again = LiveProcess(line.registry.url)
        try:
            line.registry.services["websocket"]["port"] = again.port()
            wait_state(page, "live")
            before = len(drawn(page))
            page.wait_for_function(
                "(n) => document.querySelector('canvas').stripchart.columns().signals[0].columns.length > n + 20",
                arg=before,
            )
        finally:
            again.stop()


def test_frames_of_another_version_are_refused_with_a_reason(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave"})
    with line.feeding():
        wait_state(page, "live")
        golden = Path(__file__).parents[1] / "stripchart/golden/bad_version.bin"
        page.evaluate(
            """async (bytes) => {
                const { feed } = await import("/static/stripchart/main.js");
                feed.message(new Uint8Array(bytes).buffer);
            }""",
            list(golden.read_bytes()),
        )
        wait_state(page, "closed")
    assert page.evaluate(WORDS) == "frame of version 1, this page reads version 2"


def test_values_of_before_a_restart_are_told_with_their_age(line: Any, open_page: Open, watch: Any) -> None:
    watch.forgive("WebSocket connection")
    page = open_page(line.registry.url)
    number = page.locator('.values [data-signal="example.sine_wave"]')
    text = page.locator('.values [data-signal="example.message"]')
    with line.feeding(sine_wave=0.5, message="word"):
        expect(text).to_have_text("word")
        expect(number).to_have_text("0.5000\u202fV")
        expect(number).not_to_have_attribute("data-age", re.compile(""))
    line.process.stop()
    again = LiveProcess(line.registry.url)
    try:
        line.registry.services["websocket"]["port"] = again.port()
        expect(page.locator("#connection")).to_have_text("Live")
        expect(page.locator("canvas[data-state=stale]")).to_have_count(4)
        for element, told in ((number, "0.5000\u202fV"), (text, "word")):
            expect(element).to_have_text(told)
            expect(element).to_have_class("data stale")
            expect(element).to_have_attribute("data-age", re.compile(r"^\d+ s$"))
    finally:
        again.stop()
