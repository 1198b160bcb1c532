"""Charts and values as a page declares them, fed through multicast and the live server."""

import contextlib
import json
import math
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart_pages import LAYER, STATE, WORDS, add_chart, drawn, wait_state
from live import EXAMPLE, wait_for
from playwright.sync_api import Page, TimeoutError, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def send(line: Any, time_ns: int, value: float, **more: Any) -> None:
    told = {"message": "m", "counter": 0, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
    line.send("example", time=time_ns, sine_wave=value, **told | more)


def test_a_declared_chart_is_live(line: Any, chart_page: Open) -> None:
    with line.feeding():
        page = chart_page({"signals": "example.sine_wave,example.ramp", "window": 5})
        wait_state(page, "live")
        page.wait_for_function(
            "() => document.querySelector('canvas').stripchart.columns().signals[1].columns.length > 20"
        )
        names = page.locator(".stripchart-name").all_text_contents()
        assert names == ["sine_wave", "ramp"]
        label = re.compile(r"^example\.sine_wave, example\.ramp: last 5 s, live")
        expect(page.get_by_role("img")).to_have_attribute("aria-label", label)
        page.wait_for_function("() => document.querySelector('.stripchart-value').textContent.endsWith('V')")


def test_drawn_columns_have_the_extremes_of_what_was_sent(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave", "window": 60}, device_scale_factor=1)
    wait_state(page, "waiting")
    rng = random.Random(11)
    start = time.time_ns() - 20_000_000_000
    samples = [(start + n * 25_000_000, rng.gauss(0, 1) * 10 ** rng.randint(-3, 3)) for n in range(800)]
    rest = {"message": "", "counter": 0, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
    records = [{"time": time_ns, "sine_wave": value, **rest} for time_ns, value in samples]

    def is_drawn() -> bool:
        """Whether each column has the extremes of the samples of its span, and each sample a column."""
        columns = drawn(page)
        within = [[value for stamp, value in samples if c[0] <= stamp / 1e6 < c[1]] for c in columns]
        extremes = [(min(values), max(values)) for values in within if values]
        return extremes == [(c[3], c[4]) for c in columns] and sum(map(len, within)) == len(samples)

    def has_come() -> bool:
        line.send_all("example", records)  # again: a busy machine may have dropped some of the burst
        deadline = time.monotonic() + 2
        while not is_drawn() and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        return is_drawn()

    wait_for(has_come, "the extremes of each column")


COUNT = "() => document.querySelector('canvas').stripchart.columns().signals[0].columns.length"
NEWEST = "() => document.querySelector('canvas').stripchart.columns().signals[0].columns.at(-1)?.[5]"


def test_a_silence_is_drawn_as_a_gap(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave", "window": 30})
    wait_state(page, "waiting")
    start = time.time_ns() - 10_000_000_000
    told = {"message": "", "counter": 0, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
    numbers = [*range(100), *range(200, 300)]
    records = [{"time": start + n * 30_000_000, "sine_wave": float(n), **told} for n in numbers]

    def has_come() -> bool:
        line.send_all("example", records)
        with contextlib.suppress(TimeoutError):
            return bool(page.wait_for_function(f"() => ({STATE})() !== 'waiting'", timeout=1000))
        return False

    wait_for(has_come, "the records")
    page.wait_for_function(f"() => ({NEWEST})() === 299", timeout=60_000)
    assert [column[2] for column in drawn(page) if column[7]] == [0, 200]


def test_what_comes_late_leaves_no_gap(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave", "window": 30})
    wait_state(page, "waiting")
    start = time.time_ns() - 1_600_000_000  # what is over 5 s late is of a wrong clock
    told = {"message": "", "counter": 0, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
    for first in (*range(0, 90, 10), 100, 110, 120, 90, *range(130, 200, 10)):  # a packet holds 0.15 s
        numbers = range(first, first + 10)
        line.send_all(
            "example", [{"time": start + n * 15_000_000, "sine_wave": float(n), **told} for n in numbers]
        )
        page.wait_for_timeout(100)  # so that each has a tick of its own
    page.wait_for_function(f"() => ({NEWEST})() === 199")
    assert [column[2] for column in drawn(page) if column[7]] == [0]


ROWS = f"""(value) => {{
    const {{ area, scales: [[min, max] = []] }} = document.querySelector("canvas").stripchart.columns();
    if (!area) return [0]; // not laid out yet
    const {{ data, width, height }} = ({LAYER})();
    let sum = 0, ink = 0;
    for (let y = 0; y < height; y++) {{
        const at = 4 * (y * width + width - 60);
        const red = data[at] - data[at + 1];
        if (red > 20) {{ ink += red; sum += red * y; }}
    }}
    return [ink, sum / ink, ((max - value) / (max - min)) * (area.height - 1), area.height - 1];
}}"""


@pytest.mark.parametrize("value", [-1.2, 0.0, 0.5, 1.2])
def test_a_value_is_drawn_where_the_scale_says(line: Any, chart_page: Open, value: float) -> None:
    attributes = {"signals": "example.sine_wave", "window": 5, "ymin": -1.2, "ymax": 1.2, "colors": "#FF0000"}
    with line.feeding(sine_wave=value):
        page = chart_page(attributes, device_scale_factor=1)
        found = page.wait_for_function(
            f"(value) => {{ const rows = ({ROWS})(value); return rows[0] > 100 && rows; }}", arg=value
        )
        _, drawn_at, expected, bottom = found.json_value()
    assert drawn_at == pytest.approx(expected, abs=0.5)
    assert expected == pytest.approx({-1.2: bottom, 1.2: 0}.get(value, expected))


# Pixels over the value labels, at the left and at the right, that are not of the background.
OVER_LABELS = """() => {
    const canvas = document.querySelector("canvas");
    const { area } = canvas.stripchart.columns();
    return [0, area.left + area.width].map((left) => {
        const { data } = canvas.getContext("2d").getImageData(left, 0, Math.min(area.left, canvas.width - left), Math.floor(14 * area.dpr));
        let ink = 0;
        for (let i = 0; i < data.length; i += 4) ink += data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 2] !== data[2];
        return ink > 5;
    });
}"""


def test_units_stand_at_the_axes_and_behind_the_names_where_they_differ(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.ramp", "height": 200})
    wait_state(page, "waiting")
    units = page.locator(".stripchart-unit")
    with line.feeding():
        wait_state(page, "live")
        assert page.evaluate(OVER_LABELS) == [False, False]
        page.evaluate("() => (document.querySelector('canvas').dataset.signals = 'example.sine_wave')")
        page.wait_for_function(f"() => String(({OVER_LABELS})()) === 'true,false'")
        assert units.all_text_contents() == [""]
        page.evaluate(
            "() => (document.querySelector('canvas').dataset.signals = 'example.ramp,example.sine_wave')"
        )
        page.wait_for_function(
            "() => document.querySelectorAll('.stripchart-unit')[1]?.textContent === '(V)'"
        )
        assert units.all_text_contents() == ["", "(V)"]
        page.wait_for_function(f"() => String(({OVER_LABELS})()) === 'false,true'")


def test_a_signal_that_there_is_not_is_named_and_taken_when_it_comes(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "later.sine_wave"})
    wait_state(page, "unknown")
    assert page.evaluate(WORDS) == "No such signal: later.sine_wave"
    line.add("later")
    wait_state(page, "waiting")
    assert page.evaluate(WORDS) == "Waiting for data"
    with line.feeding("later"):
        wait_state(page, "live")
    line.registry.remove("later")
    wait_state(page, "unknown")


@pytest.mark.parametrize("scale", [1, 1.25, 2])
def test_the_backing_store_has_device_pixels(line: Any, chart_page: Open, scale: float) -> None:
    with line.feeding():
        page = chart_page({"signals": "example.sine_wave", "height": 200}, device_scale_factor=scale)
        wait_state(page, "live")
        width, height, css = page.evaluate(
            "() => { const c = document.querySelector('canvas'); return [c.width, c.height, c.clientWidth]; }"
        )
    assert (width, height) == (pytest.approx(css * scale, abs=1), 200 * scale)


def test_resizing_keeps_the_data(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave", "window": 30})
    wait_state(page, "waiting")
    start = time.time_ns() - 5_000_000_000
    for n in range(100):
        send(line, start + n * 40_000_000, math.sin(n))
    page.wait_for_function(
        "() => document.querySelector('canvas').stripchart.columns().signals[0].columns.length > 50"
    )
    page.set_viewport_size({"width": 500, "height": 400})
    page.wait_for_function("() => document.querySelector('canvas').width < 500")
    values = [math.sin(n) for n in range(100)]
    columns = drawn(page)
    assert (min(c[3] for c in columns), max(c[4] for c in columns)) == (min(values), max(values))


BACKGROUND = "() => { const c = document.querySelector('canvas'); return [...c.getContext('2d').getImageData(1, 1, 1, 1).data]; }"
BLACK, WHITE = [0, 0, 0, 255], [255, 255, 255, 255]


def wait_background(page: Page, color: list[int]) -> None:
    page.wait_for_function(f"(color) => String(({BACKGROUND})()) === String(color)", arg=color)


def test_the_theme_follows_attribute_page_and_system(chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave"}, color_scheme="dark")
    wait_background(page, BLACK)
    page.emulate_media(color_scheme="light")
    wait_background(page, WHITE)
    page.evaluate("() => (document.documentElement.dataset.theme = 'dark')")
    wait_background(page, BLACK)
    page.evaluate("() => (document.querySelector('canvas').dataset.theme = 'light')")
    wait_background(page, WHITE)


def test_attributes_count_when_they_change(line: Any, chart_page: Open) -> None:
    with line.feeding():
        page = chart_page({"signals": "example.sine_wave", "window": 5})
        wait_state(page, "live")
        page.evaluate(
            "() => Object.assign(document.querySelector('canvas').dataset, {signals: 'example.ramp', height: 150})"
        )
        page.wait_for_function("() => document.querySelector('.stripchart-name').textContent === 'ramp'")
        page.wait_for_function("() => document.querySelector('canvas').clientHeight === 150")
        page.evaluate("() => (document.querySelector('canvas').dataset.window = 'soon')")
        wait_state(page, "error")
        assert page.evaluate(WORDS) == 'data-window: wanted seconds from 0.001 to 600, got "soon"'
        page.evaluate("() => (document.querySelector('canvas').dataset.window = '20')")
        wait_state(page, "live")


def test_a_chart_that_cannot_be_drawn_says_so_and_stops_no_other(
    line: Any, chart_page: Open, watch: Any
) -> None:
    watch.forgive("stripchart: ", "Out of memory", "createImageData")
    with line.feeding():
        page = chart_page({"signals": "example.ramp", "window": 10})
        wait_state(page, "live")
        page.evaluate(
            """() => {
                const canvas = document.createElement("canvas");
                Object.assign(canvas.dataset, { signals: "example.ramp" });
                Object.assign(canvas, { className: "stripchart" });
                canvas.style.width = "1e7px";
                document.body.append(canvas);
            }"""
        )
        page.wait_for_function(
            "() => document.querySelectorAll('canvas.stripchart')[1].dataset.state === 'error'"
        )
        words = page.locator(".stripchart-words").nth(1).text_content() or ""
        assert words.startswith("Cannot be drawn: "), words
        before = page.evaluate(
            "() => document.querySelector('canvas.stripchart').stripchart.painter.rightPixel"
        )
        page.wait_for_function(
            "(before) => document.querySelector('canvas.stripchart').stripchart.painter.rightPixel > before + 20",
            arg=before,
        )
        page.evaluate("() => (document.querySelectorAll('canvas.stripchart')[1].style.width = '400px')")
        page.wait_for_function(
            "() => document.querySelectorAll('canvas.stripchart')[1].dataset.state === 'live'"
        )


def test_a_chart_that_is_taken_away_asks_for_nothing(line: Any, chart_page: Open) -> None:
    signals = "async () => [...(await import('/static/stripchart/main.js')).feed.signals.values()].map((signal) => signal.name)"
    with line.feeding():
        page = chart_page({"signals": "example.sine_wave"})
        wait_state(page, "live")
        add_chart(page, {"signals": "example.ramp"})
        wait_for(lambda: page.evaluate(signals) == ["example.sine_wave", "example.ramp"])
        page.evaluate("() => document.querySelector('canvas').remove()")
        wait_for(lambda: page.evaluate(signals) == ["example.ramp"])


def test_values_are_text_and_never_markup(line: Any, open_page: Open) -> None:
    page = open_page(f"{line.registry.url}/browser/pages/empty.html")
    page.evaluate(
        """() => {
            for (const [id, signal] of [["message", ""], ["counter", ""], ["a", "example.is_on"], ["b", "example.none"]]) {
                const element = document.createElement("p");
                element.className = "data";
                element.id = id;
                if (signal) element.dataset.signal = signal;
                document.body.append(element);
            }
        }"""
    )
    evil = "<img src=x onerror=document.title='owned'>"
    with line.feeding(message=evil, counter=1234, is_on=True):
        page.wait_for_function("(evil) => document.getElementById('message').textContent === evil", arg=evil)
        page.wait_for_function("() => document.getElementById('counter').textContent === '1234'")
        page.wait_for_function("() => document.getElementById('a').textContent === '1'")
        page.wait_for_function(
            "() => document.getElementById('b').textContent === 'no such signal: example.none'"
        )
        assert page.locator("#counter.stale").count() == 0
    page.wait_for_function("() => document.querySelectorAll('.stale').length === 4")
    assert page.title() == "Charts"


def test_a_page_opened_as_a_file_is_live(line: Any, open_page: Open, tmp_path: Path) -> None:
    live = line.registry.services["websocket"]
    page_file = tmp_path / "mine.html"
    page_file.write_text(
        f"""<!doctype html><title>Mine</title>
        <meta name="speeddata-live" content="ws://127.0.0.1:{live["port"]}">
        <script type="module" src="{line.registry.url}/static/stripchart/main.js"></script>
        <canvas class="stripchart" data-signals="example.sine_wave"></canvas>"""
    )
    with line.feeding():
        page = open_page(page_file.as_uri())
        wait_state(page, "live")


def test_it_scrolls_steadily(line: Any, chart_page: Open) -> None:
    with line.feeding():
        page = chart_page({"signals": "example.sine_wave", "window": 10})
        wait_state(page, "live")
        edges = page.evaluate(
            """() => new Promise((resolve) => {
                const { painter } = document.querySelector("canvas").stripchart;
                const edges = [];
                const step = (now) => {
                    edges.push([now, painter.range[1]]);
                    if (edges.length < 60) requestAnimationFrame(step); else resolve(edges);
                };
                requestAnimationFrame(step);
            })"""
        )
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(edges, edges[1:], strict=False)]
    assert all(moved >= 0 for _, moved in steps)
    late = [abs((edge[1] - edges[0][1]) - (edge[0] - edges[0][0])) for edge in edges]
    assert max(late) < 60, "the right edge strays from the clock"


def test_a_wrong_clock_is_told_and_does_not_hide_the_data(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave", "window": 10})
    wait_state(page, "waiting")
    start = time.time_ns()
    while page.evaluate(STATE) != "live" or not drawn(page):
        send(line, time.time_ns() - 3_600_000_000_000, 1.0)
        page.wait_for_timeout(50)
        assert time.time_ns() - start < 20_000_000_000
    page.wait_for_function(
        "() => document.querySelector('.stripchart-note').textContent === 'example: its clock is 60 min behind'"
    )


def test_a_channel_of_another_schema_goes_on(line: Any, chart_page: Open) -> None:
    page = chart_page({"signals": "example.sine_wave", "window": 10})
    with line.feeding():
        wait_state(page, "live")
        changed = json.loads(json.dumps(EXAMPLE))
        changed["fields"][3]["speeddata"]["unit"] = "mV"
        line.registry.schemas["example"] = changed
        line.registry.channels["example"]["created_at"] = "2026-03-03 00:00:00"
        page.wait_for_function("() => document.querySelector('.stripchart-value').textContent.endsWith('mV')")
        wait_state(page, "live")
