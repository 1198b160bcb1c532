"""Charts on a page: how tests declare them, wait for their state and read what they drew."""

from typing import Any

from playwright.sync_api import Page, expect

SINE = {"signals": "example.sine_wave", "window": 10}
CHART = "document.querySelector('canvas.stripchart').stripchart"
STATE = "() => document.querySelector('canvas.stripchart').dataset.state"
WORDS = "() => document.querySelector('canvas.stripchart').stripchart.notice.badge.title"


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
    """Give the drawn columns of a signal: [start, end, first, min, max, last, samples, broken], times in ms."""
    signals = page.evaluate("() => document.querySelector('canvas.stripchart').stripchart.columns().signals")
    return next(signal["columns"] for signal in signals if signal["name"] == name)


# The pixels of the trace layer of the first chart: {data, width, height}, and where a colour of them is.
LAYER = """() => {
    const { layer } = document.querySelector("canvas.stripchart").stripchart.picture;
    return layer.getContext("2d").getImageData(0, 0, layer.width, layer.height);
}"""
# How many pixels are of a trace in its full colour (blue on white), and of a dimmed one; whether words stand in its place.
INK = f"""() => {{
    const {{ data }} = ({LAYER})();
    const ink = {{ full: 0, dim: 0 }};
    for (let i = 0; i < data.length; i += 4) {{
        const [red, , blue] = data.slice(i, i + 3);
        if (red < 150 && blue === 255) ink.full++;
        if (red >= 150 && red < 240 && blue === 255) ink.dim++;
    }}
    return {{ ...ink, words: !document.querySelector(".stripchart-words").hidden }};
}}"""


def hands_on(page: Page, chart: int = 0) -> Any:
    """Point at a chart, and wait until there are tools for it."""
    plot = page.locator(".stripchart-plot").nth(chart)
    plot.hover(position={"x": 500, "y": 100})
    expect(page.locator(".stripchart-tools").nth(chart)).to_be_visible()
    return plot
