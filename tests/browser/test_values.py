"""Elements that show the newest value of a signal, or how a channel does."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from live_line import Line
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
MAKE = """(elements) => {
    for (const [tag, attributes] of elements) {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        document.body.append(element);
    }
}"""


def test_values_have_unit_and_decimals_and_mistakes_are_told(fed: Line, open_page: Open) -> None:
    page = open_page(f"{fed.registry.url}/browser/pages/empty.html")
    signal = {"data-signal": "example.sine_wave"}
    elements: list[tuple[str, dict[str, Any]]] = [
        ("speed-value", signal),
        ("speed-value", signal | {"data-decimals": "1"}),
        ("speed-value", {}),
        ("speed-value", signal | {"data-decimals": "many"}),
        ("speed-value", {"data-signal": "example.message"}),
    ]
    page.evaluate(MAKE, elements)
    values = page.locator("speed-value")
    expect(values.nth(0)).to_have_text(re.compile(r"^−?\d\.\d+\u202fV$"))
    expect(values.nth(1)).to_have_text(re.compile(r"^−?[01]\.\d\u202fV$"))
    expect(values.nth(2)).to_have_text("data-signal: wanted channel.signal, got nothing")
    expect(values.nth(3)).to_have_text('data-decimals: wanted a whole number from 0 to 12, got "many"')
    expect(values.nth(4)).to_have_text(re.compile(r"^word \d+$"))
    expect(page.locator("speed-value.error")).to_have_count(2)
    page.evaluate("() => (document.querySelector('speed-value').dataset.signal = 'example.counter')")
    expect(values.nth(0)).to_have_text(re.compile(r"^\d+$"))


def test_how_a_channel_and_the_connection_do(line: Line, open_page: Open, watch: Any) -> None:
    watch.forgive("WebSocket connection")
    page = open_page(f"{line.registry.url}/browser/pages/empty.html")
    page.evaluate(
        MAKE,
        [
            ("speed-status", {}),
            ("speed-status", {"data-channel": "example"}),
            ("speed-status", {"data-channel": "none"}),
        ],
    )
    whole, channel, none = (page.locator("speed-status").nth(n) for n in range(3))
    expect(whole).to_have_text("live")
    expect(channel).to_have_text("waiting for data")
    expect(none).to_have_text("no such channel: none")
    with line.feeding():
        expect(channel).to_have_attribute("data-state", "live")
    expect(channel).to_have_text(re.compile(r"^no data for \d s$"))
    expect(channel).to_have_attribute("data-age", re.compile(r"^\d s$"))
    line.process.stop()
    expect(channel).to_have_text("reconnecting")
