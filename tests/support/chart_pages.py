"""Charts on a page: how tests declare them, wait for their state and read what they drew."""

from typing import Any

from playwright.sync_api import Page

STATE = "() => document.querySelector('canvas.stripchart').dataset.state"
WORDS = "() => document.querySelector('canvas.stripchart').stripchart.chart.notice.words"


def add_chart(page: Page, attributes: dict[str, Any]) -> None:
    page.evaluate(
        """(attributes) => {
            const canvas = document.createElement("canvas");
            canvas.className = "stripchart";
            for (const [name, value] of Object.entries(attributes)) canvas.setAttribute(`data-${name}`, value);
            document.body.append(canvas);
        }""",
        attributes,
    )


def wait_state(page: Page, state: str) -> None:
    page.wait_for_function(f"(state) => ({STATE})() === state", arg=state)


def drawn(page: Page, name: str = "example.sine_wave") -> list[list[float]]:
    """Give the drawn columns of a signal: [time, first, min, max, last, broken]."""
    signals = page.evaluate("() => document.querySelector('canvas.stripchart').stripchart.columns().signals")
    return next(signal["columns"] for signal in signals if signal["name"] == name)
