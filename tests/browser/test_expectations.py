"""What is expected of a live chart, by the numbers of the list in docs/charts.md: what it shows."""

import json
import math
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from chart_pages import CHART, LAYER, SINE, STATE, add_chart, drawn, wait_state
from live import EXAMPLE, json_of, wait_for
from live_line import Line
from playwright.sync_api import Page, expect
from slow_road import SlowRoad

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def test_01_the_trace_moves_steadily_by_parts_of_a_pixel(live: Open) -> None:
    page = live({**SINE, "window": 60})
    seen = page.evaluate(
        f"""() => new Promise((resolve) => {{
            const {{ painter, picture }} = {CHART};
            const seen = [];
            const step = (now) => {{
                seen.push([now, painter.rightPixel + picture.shifted, painter.pixelMs, picture.area.width]);
                if (seen.length < 60) requestAnimationFrame(step); else resolve(seen);
            }};
            requestAnimationFrame(step);
        }})"""
    )
    off = [(b[1] - a[1]) * a[2] - (b[0] - a[0]) for a, b in zip(seen, seen[1:], strict=False)]
    assert max(map(abs, off)) < 5, "ms that a frame moved the trace more or less than the clock went on"
    assert len({round(edge[1] % 1, 2) for edge in seen}) > 10, "by whole pixels alone"
    assert len({edge[3] for edge in seen}) == 1, "the plot changed its width"


def test_07_the_legend_tells_values_and_hides_traces(live: Open) -> None:
    page = live({**SINE, "signals": "example.sine_wave,example.ramp"})
    item = page.get_by_role("button", name=re.compile("ramp"))
    assert (
        page.evaluate(
            "() => getComputedStyle(document.querySelector('.stripchart-value')).fontVariantNumeric"
        )
        == "tabular-nums"
    )
    item.click()
    expect(item).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(f"() => {CHART}.columns().signals[1].columns.length === 0")
    item.click()
    page.wait_for_function(f"() => {CHART}.columns().signals[1].columns.length > 0")


def test_10_units_have_axes_of_their_own_and_signals_move_between_them(live: Open) -> None:
    page = live({**SINE, "signals": "example.sine_wave,example.ramp,example.counter"})
    axes = f"() => {CHART}.axisOf.map((axis) => {CHART}.axes.indexOf(axis))"
    assert page.evaluate(axes) == [0, 1, 1], "V left, what has no unit right"
    page.evaluate("() => (document.querySelector('canvas').dataset.axes = '2,1,3')")
    page.wait_for_function(f"() => String(({axes})()) === '1,0,2'")
    page.wait_for_function(f"() => {CHART}.columns().scales.length === 3")


def test_12_times_are_of_any_zone_or_relative(live: Open) -> None:
    page = live(
        {**SINE, "tz": "Asia/Kathmandu"}, {**SINE, "time": "rel"}, SINE, timezone_id="America/New_York"
    )
    labels = "() => [...document.querySelectorAll('canvas.stripchart')].map((canvas) => canvas.stripchart.painter.times.label)"
    page.wait_for_function(f"() => String(({labels})()) === 'UTC+5:45,ago,UTC'")
    page.evaluate("() => (document.querySelectorAll('canvas.stripchart')[2].dataset.tz = 'local')")
    page.wait_for_function(f"() => /^UTC[+−]\\d$/.test(({labels})()[2])")


def test_15_what_is_beyond_a_limit_is_marked_and_not_by_colour_alone(live: Open) -> None:
    page = live(
        {
            **SINE,
            "signals": "example.ramp",
            "limits": "warn:-.5:.5,alarm:-.9:.9",
            "theme": "light",
            "ymin": -2,
            "ymax": 2,
        }
    )
    marks = f"""() => {{
        const {{ data, width, height }} = ({LAYER})();
        const isOf = (at, color) => color.every((part, i) => Math.abs(data[at + i] - part) < 30);
        const count = (from, to, color) => {{
            let found = 0;
            for (let y = from; y < to; y++) for (let x = 0; x < width; x++) found += isOf(4 * (y * width + x), color);
            return found;
        }};
        const row = (value) => Math.round(((2 - value) / 4) * (height - 1));
        const [warn, alarm] = [[179, 92, 0], [196, 13, 30]];
        return [count(0, 8, alarm), count(height - 8, height, alarm), count(row(0.5), row(0.5) + 1, warn), count(row(0.9), row(0.9) + 1, alarm)];
    }}"""
    page.wait_for_function(f"() => ({marks})().every((count) => count > 20)")


def test_16_states_are_steps_with_words_at_the_axis(live: Open) -> None:
    page = live({**SINE, "signals": "example.is_on"})
    assert page.evaluate(f"() => [{CHART}.axes[0].words, {CHART}.columns().scales[0]]") == [
        ["false", "true"],
        [-0.5, 1.5],
    ]
    between = f"""() => {{
        const {{ data, width, height }} = ({LAYER})();
        let sloped = 0;
        for (let x = 1; x < width - 4; x++) {{
            let ink = 0;
            for (let y = 0; y < height; y++) ink += data[4 * (y * width + x)] < 100 && data[4 * (y * width + x) + 2] > 150;
            if (ink > 4 && ink < height / 3) sloped++;
        }}
        return sloped;
    }}"""
    assert page.evaluate(between) == 0, "levels and vertical jumps alone"


def test_19_colours_that_come_again_are_dashed(live: Open) -> None:
    names = ["sine_wave", "ramp", "square_wave", "counter", "is_on"]
    page = live(
        {
            **SINE,
            "signals": ",".join(f"example.{name}" for name in names),
            "colors": "#0000FF,#FF0000,#00AA00",
        }
    )
    assert page.locator(".stripchart-mark.dashed").count() == 2
    assert page.evaluate(f"() => {CHART}.styles.map((style) => style.isDashed)") == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_20_21_a_screen_of_another_resolution_and_another_size_asks_for_columns_that_fit(live: Open) -> None:
    page = live({**SINE, "window": 60})
    asked = f"() => {CHART}.signals[0].way.columns"
    before = page.evaluate(asked)
    page.set_viewport_size({"width": 480, "height": 400})
    page.wait_for_function(f"(before) => ({asked})() < before / 1.8", arg=before)
    page.wait_for_function(f"() => {CHART}.columns().signals[0].columns.length > 5")
    session = page.context.new_cdp_session(page)
    session.send(
        "Emulation.setDeviceMetricsOverride",
        {"width": 480, "height": 400, "deviceScaleFactor": 1.25, "mobile": False},
    )
    page.wait_for_function(
        "() => Math.abs(document.querySelector('canvas').width - document.querySelector('canvas').clientWidth * 1.25) <= 1"
    )
    page.wait_for_function(f"() => {CHART}.columns().area.dpr > 1.2 && ({STATE})() === 'live'")


def test_29_dark_light_and_forced_colours(live: Open) -> None:
    page = live(color_scheme="dark")
    ground = f"() => [...({LAYER})().data.slice(0, 3)].join()"
    page.wait_for_function(f"() => ['0,0,0', '51,51,51'].includes(({ground})())")
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"() => ['255,255,255', '221,221,221'].includes(({ground})())")
    page.emulate_media(forced_colors="active")
    mark = "() => getComputedStyle(document.querySelector('.stripchart-mark')).borderTopColor"
    assert page.evaluate(mark) == "rgb(0, 0, 255)", "the mark keeps the trace's colour"


def test_30_a_mistake_in_the_page_is_told_in_the_charts_place(fed: Line, open_page: Open) -> None:
    page = open_page(f"{fed.registry.url}/browser/pages/empty.html")
    add_chart(page, {"signals": "example.sine_wave", "windw": 10})
    add_chart(page, {"signals": "example.nothing"})
    words = page.locator(".stripchart-words")
    expect(words).to_have_text(["data-windw: no such attribute", "No such signal: example.nothing"])
    expect(words.first).to_be_visible()


def test_31_a_sweep_stands_still_and_its_pen_moves(live: Open) -> None:
    page = live({**SINE, "window": 2, "mode": "sweep"})
    page.wait_for_function(f"() => {CHART}.columns().signals[0].columns.length > 60")
    pen = f"() => {CHART}.painter.parts.map(({{ from, to }}) => [from, to])"
    seen = page.evaluate(
        f"""() => new Promise((resolve) => {{
            const seen = [];
            const step = () => {{
                seen.push([({pen})(), {CHART}.picture.shifted]);
                if (seen.length < 30) requestAnimationFrame(step); else resolve(seen);
            }};
            requestAnimationFrame(step);
        }})"""
    )
    assert {shift for _, shift in seen} == {0}
    pens = [parts[0][1] for parts, _ in seen]
    assert len(set(pens)) > 10
    assert all(parts[1][0] > parts[0][1] for parts, _ in seen), (
        "what is ahead of the pen is of the sweep before"
    )


def test_33_what_is_beyond_the_edges_is_kept_and_clipped(live: Open) -> None:
    page = live({**SINE, "signals": "example.square_wave", "window": 1, "ymin": -2, "ymax": 2})
    edge = f"""() => {{
        const {{ data, width, height }} = ({LAYER})();
        const ink = (x) => Array.from({{ length: height }}, (_, y) => data[4 * (y * width + x)] < 120 && data[4 * (y * width + x) + 2] > 150).filter(Boolean).length;
        return [ink(0), ink(width - 6)];
    }}"""
    # The trace comes in at one edge and goes out at the other.
    page.wait_for_function(f"() => ({edge})().every(Boolean)")
    # Samples before the left edge.
    page.wait_for_function(
        f"""() => {{
            const {{ signals: [{{ columns }}], painter }} = {CHART};
            return columns.oldest * columns.widthMs < painter.range[0] - 50;
        }}"""
    )


def test_09_a_known_loss_is_hatched_a_silence_is_not(line: Line, open_page: Open) -> None:
    numbered = json.loads(json.dumps(EXAMPLE))
    numbered["fields"][2]["speeddata"] = {"role": "sequence"}
    line.add("numbered", numbered)
    page = open_page(f"{line.registry.url}/browser/pages/empty.html")
    add_chart(page, {"signals": "numbered.sine_wave", "window": 20, "theme": "light", "colors": "#0000FF"})
    wait_state(page, "waiting")
    told = {"message": "m", "sine_wave": 0.5, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
    # 40 records a second; 40 are lost on the way, and later none are sent for 0.6 s.
    start = time.time_ns() - 4_200_000_000
    sent = [
        {"time": start + n * 25_000_000 + (600_000_000 if n >= 120 else 0), "counter": n, **told}
        for n in range(160)
        if not 40 <= n < 80
    ]
    for at in range(0, len(sent), 20):
        line.send_all("numbered", sent[at : at + 20])
    hatched = f"""() => {{
        const {{ data, width, height }} = ({LAYER})();
        const columns = [];
        for (let x = 0; x < width; x++) {{
            let ink = 0;
            for (let y = 0; y < height; y++) {{
                const [red, green, blue] = data.slice(4 * (y * width + x), 4 * (y * width + x) + 3);
                ink += red > green + 15 && green > blue + 5;
            }}
            if (ink > height / 4) columns.push(x);
        }}
        return [columns.length, width];
    }}"""
    found = page.wait_for_function(
        f"() => {{ const [count, width] = ({hatched})(); return count > 30 && [count, width]; }}"
    )
    count, width = found.json_value()
    assert count == pytest.approx(width * 1.025 / 20, rel=0.2), (
        "the time of the loss, not that of the silence"
    )
    breaks = [column for column in drawn(page, "numbered.sine_wave") if column[7]]
    assert len(breaks) == 3, "the beginning, the loss and the silence"


def test_24_a_page_out_of_sight_says_so_and_is_right_at_once_when_it_is_back(live: Open, fed: Line) -> None:
    page = live()
    told = json_of(f"http://127.0.0.1:{fed.registry.services['websocket']['port']}/status")
    number = max(client["id"] for client in told["clients"])

    def client() -> Any:
        clients = json_of(f"http://127.0.0.1:{fed.registry.services['websocket']['port']}/status")["clients"]
        return next(one for one in clients if one["id"] == number)

    hide = """(state) => {
        Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    hidden_ns = time.time_ns()
    page.evaluate(hide, "hidden")
    wait_for(lambda: client()["hidden"], "the server to know")
    before = client()["frames"]
    page.wait_for_timeout(3000)
    assert client()["frames"] - before <= 5, "a frame a second"
    shown_ns = time.time_ns()
    page.evaluate(hide, "visible")
    wait_for(lambda: not client()["hidden"], "the server to know")
    page.wait_for_function(
        f"(ms) => Math.min({CHART}.signals[0].columns.newestTime, {CHART}.painter.range[1]) > ms",
        arg=shown_ns / 1e6,
    )
    columns = drawn(page)
    sent = [time_ns / 1e6 for time_ns in list(fed.fed) if hidden_ns < time_ns < shown_ns]
    holes = [at for at in sent if not any(column[0] <= at <= column[1] for column in columns)]
    assert len(sent) > 50
    assert not holes, "what was sent while it was out of sight"


def test_25_a_chart_that_is_scrolled_out_of_sight_is_not_drawn(live: Open) -> None:
    page = live(SINE, {**SINE, "height": 900}, SINE)
    page.wait_for_function("() => !document.querySelectorAll('canvas.stripchart')[2].stripchart.isVisible")
    last = "() => document.querySelectorAll('canvas.stripchart')[2].stripchart.painter.rightPixel"
    before = page.evaluate(last)
    page.wait_for_timeout(400)
    assert page.evaluate(last) == before
    page.evaluate("() => document.querySelectorAll('canvas.stripchart')[2].scrollIntoView()")
    page.wait_for_function(f"(before) => ({last})() > before + 20", arg=before)


def test_27_a_slow_connection_is_told_and_loses_no_peak(fed: Line, open_page: Open) -> None:
    own = fed.registry.services["websocket"]
    with SlowRoad(own["port"]).open() as road, pytest.MonkeyPatch.context() as patch:
        patch.setitem(own, "port", road.port)
        page = open_page(f"{fed.registry.url}/browser/pages/empty.html")
        add_chart(page, {**SINE, "window": 30})
        wait_state(page, "live")
        road.rate = 1200
        legend = page.locator(".stripchart-legend")
        expect(legend).to_contain_text("slow connection", timeout=20_000)
        slow_ns = time.time_ns()
        road.rate = None
        expect(legend).not_to_contain_text("slow connection", timeout=40_000)
        page.wait_for_function(f"(ms) => {CHART}.signals[0].columns.newestTime > ms", arg=slow_ns / 1e6)
        columns = drawn(page)
    first = columns[1][0]
    sent = [time_ns for time_ns in list(fed.fed) if first + 500 < time_ns / 1e6 < slow_ns / 1e6]
    assert len(sent) > 100

    def is_shown(time_ns: int) -> bool:
        near = [column for column in columns if column[0] - 250 <= time_ns / 1e6 <= column[1] + 250]
        return any(low <= math.sin(time_ns / 1e9) <= high for _, _, _, low, high, *_ in near)

    lowest = min(sent, key=lambda time_ns: math.sin(time_ns / 1e9))
    highest = max(sent, key=lambda time_ns: math.sin(time_ns / 1e9))
    assert is_shown(lowest)
    assert is_shown(highest)
