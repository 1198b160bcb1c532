"""What is expected of a live chart, by the numbers of the list in docs/charts.md: what one chart shows and how it is read."""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from chart_pages import LAYER, STATE, add_chart, drawn, wait_state
from live import Registry, running
from live_line import Line
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
SINE = {"signals": "example.sine_wave", "window": 10}
CHART = "document.querySelector('canvas.stripchart').stripchart"


@pytest.fixture(scope="module")
def fed() -> Iterator[Line]:
    """Give a running line whose channel `example` is sent 50 records a second."""
    with closing(Registry()) as registry, running(registry) as (process, _):
        registry.services["pivot"] = None
        line = Line(registry, process)
        line.add("example")
        with line.feeding():
            yield line
        line.close()


@pytest.fixture
def live(fed: Line, open_page: Open) -> Callable[..., Page]:
    """Open a page with charts that are live, each declared by attributes."""

    def open_live(*charts: dict[str, Any], **options: Any) -> Page:
        page = open_page(f"{fed.registry.url}/browser/pages/empty.html", **options)
        for attributes in charts or [SINE]:
            add_chart(page, attributes)
        wait_state(page, "live")
        page.wait_for_function(f"() => {CHART}.columns().signals[0].columns.length > 5")
        return page

    return open_live


def hands_on(page: Page, chart: int = 0) -> Any:
    """Point at a chart, and wait until there are tools for it."""
    plot = page.locator(".stripchart-plot").nth(chart)
    plot.hover(position={"x": 500, "y": 100})
    expect(page.locator(".stripchart-tools").nth(chart)).to_be_visible()
    return plot


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


def test_02_03_pausing_keeps_what_is_shown_and_tells_how_far_behind(live: Open) -> None:
    page = live()
    plot = hands_on(page)
    plot.focus()
    page.keyboard.press(" ")
    badge = page.locator(".stripchart-badge")
    expect(badge).to_have_text(re.compile(r"^PAUSED [1-9] s behind, \+[\d,]+ samples$"))
    before = page.evaluate(f"() => [...{CHART}.view.traces.values()][0].list(0, Infinity)")
    page.wait_for_function(
        f"(n) => {CHART}.signals[0].columns.newest > n + 20",
        arg=page.evaluate(f"() => {CHART}.signals[0].columns.newest"),
    )
    assert page.evaluate(f"() => [...{CHART}.view.traces.values()][0].list(0, Infinity)") == before
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press(" ")
    expect(badge).to_be_hidden()
    newest = drawn(page)[-1][1]
    assert newest > time.time() * 1000 - 1000, "resumed at the newest"


def test_05_the_cursor_reads_while_streaming_and_is_pinned_to_place_or_time(live: Open) -> None:
    page = live()
    plot = hands_on(page)
    value = page.locator(".stripchart-value").first
    cursor = page.locator(".stripchart-cursor")
    expect(cursor).to_be_visible()
    read = page.evaluate(
        f"""() => {{
            const {{ painter, signals }} = {CHART};
            const columns = signals[0].columns;
            const box = document.querySelector(".stripchart-clip").getBoundingClientRect();
            const line = document.querySelector(".stripchart-cursor").getBoundingClientRect();
            const [start, end] = painter.range;
            const slot = columns.slotAt(start + ((line.left - box.left) / box.width) * (end - start));
            return [columns.min[slot], columns.max[slot], signals[0].reading];
        }}"""
    )
    numbers = [float(word.replace("−", "-")) for word in re.findall(r"[−\d.]+", read[2])]
    assert min(numbers) <= read[1] + 0.2
    assert max(numbers) >= read[0] - 0.2, "within what the trace moved since it was read"
    plot.focus()
    left = "() => document.querySelector('.stripchart-cursor').getBoundingClientRect().left"
    before = page.evaluate(left)
    page.wait_for_timeout(300)
    assert page.evaluate(left) == before, "pinned to its place"
    page.keyboard.press("t")
    page.wait_for_function(f"(before) => ({left})() < before - 20", arg=before)
    text = page.locator(".stripchart-cursor span").text_content()
    reading = value.text_content()
    page.wait_for_timeout(300)
    assert (page.locator(".stripchart-cursor span").text_content(), value.text_content()) == (text, reading)


def test_06_cursors_move_together_by_group_and_can_be_locked(live: Open) -> None:
    page = live(SINE, {**SINE, "window": 5, "signals": "example.ramp"}, {**SINE, "sync": "none"})
    hands_on(page)
    shown = "() => [...document.querySelectorAll('.stripchart-cursor')].map((line) => !line.hidden)"
    page.wait_for_function(f"() => String(({shown})()) === 'true,true,false'")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".stripchart-cursor.locked")).to_have_count(2)
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert page.evaluate(shown) == [True, True, False], "locked, it stays"
    page.locator(".stripchart-plot").first.focus()
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => String(({shown})()) === 'false,false,false'")


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


def test_08_the_value_axis_is_locked_by_a_key_and_stays_so_over_a_pause(live: Open) -> None:
    page = live()
    hands_on(page).focus()
    page.keyboard.press("y")
    locked = page.evaluate(f"() => {CHART}.columns().scales")
    for _ in range(2):
        page.keyboard.press(" ")
        page.wait_for_timeout(100)
    assert page.evaluate(f"() => [{CHART}.columns().scales, {CHART}.axes[0].scale.isFixed]") == [locked, True]
    page.keyboard.press("y")
    assert page.evaluate(f"() => {CHART}.axes[0].scale.isFixed") is False


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


def test_13_pictures_have_title_axes_and_zone_and_csv_says_what_it_holds(live: Open) -> None:
    page = live({**SINE, "title": "Bench 7"})
    hands_on(page)
    with page.expect_download() as picture:
        page.get_by_role("button", name="PNG").click()
    assert re.fullmatch(r"Bench_7_[\dT-]+Z\.png", picture.value.suggested_filename)
    size = page.evaluate(
        f"""async () => {{
            const {{ drawPicture }} = await import("/static/stripchart/files.js");
            const picture = drawPicture({CHART});
            const {{ data }} = picture.getContext("2d").getImageData(0, 0, picture.width, 30);
            return [picture.height - {CHART}.picture.canvas.height, data.some((value) => value < 100)];
        }}"""
    )
    assert size == [44, True], "two lines of words over the picture"
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    text = saved.value.path().read_text()
    assert re.search(
        r"^# example\.sine_wave in V: (samples as they were received|columns of \d+ ms), \d+ lines",
        text,
        re.MULTILINE,
    )
    rows = list(
        csv.DictReader(io.StringIO("".join(line for line in text.splitlines(True) if line[0] != "#")))
    )
    assert len(rows) > 10
    assert all(float(row["min"]) <= float(row["last"]) <= float(row["max"]) for row in rows)
    assert rows == sorted(rows, key=lambda row: row["time"])


def test_14_a_mark_with_a_note_is_kept_by_the_server_and_shown_on_every_chart(fed: Line, live: Open) -> None:
    page = live(SINE, {**SINE, "signals": "example.ramp"})
    hands_on(page).focus()
    page.keyboard.press("m")
    page.get_by_role("textbox", name=re.compile("^Note at")).fill("valve open")
    page.keyboard.press("Enter")
    expect(page.locator(".stripchart-tag", has_text="valve open")).to_have_count(2)
    assert [(tag["name"], tag["channels"]) for tag in fed.registry.tags] == [("valve open", ["example"])]
    fed.registry.tags.clear()


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


def test_17_everything_is_done_by_keys(live: Open) -> None:
    page = live()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = "() => document.activeElement.className"
    for _ in range(12):
        if page.evaluate(focused) == "stripchart-plot":
            break
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "stripchart-plot"
    page.wait_for_function("() => document.querySelector('.stripchart-tools')")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator(".stripchart-cursor")).to_be_visible()
    expect(page.locator(".stripchart-spoken")).to_have_text(
        re.compile(r"^\d\d:\d\d:\d\d\.\d+: example\.sine_wave ")
    )
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    page.keyboard.press("-")
    page.wait_for_function("() => document.querySelector('canvas').dataset.window === '20'")
    page.keyboard.press("+")
    page.wait_for_function("() => document.querySelector('canvas').dataset.window === '10'")
    page.keyboard.press("?")
    expect(page.get_by_role("region", name="Keys")).to_be_visible()


def test_18_a_screen_reader_is_told_what_is_seen(live: Open) -> None:
    page = live({**SINE, "title": "Bench 7"})
    assert page.get_by_role("img").get_attribute("aria-label") == "Bench 7: last 10 s, live"
    hands_on(page)
    page.get_by_role("button", name="Table").click()
    table = page.get_by_role("region", name="Values shown").locator("table")
    expect(table.locator("tr")).to_have_count(21)
    assert table.locator("th[scope=col]").all_text_contents() == ["From", "example.sine_wave min (V)", "max"]
    newest = table.locator("tr").nth(1).locator("td").all_text_contents()
    assert len(newest) == 2


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


def test_22_a_finger_pans_and_the_page_still_scrolls(live: Open) -> None:
    page = live(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 700})
    assert (
        page.evaluate("() => getComputedStyle(document.querySelector('.stripchart-plot')).touchAction")
        == "pan-y"
    )
    page.wait_for_function("() => document.querySelector('.stripchart-tools')")
    page.touchscreen.tap(200, 150)
    expect(page.locator(".stripchart-cursor")).to_be_visible()
    session = page.context.new_cdp_session(page)
    for kind, x in [("touchStart", 120), ("touchMove", 180), ("touchMove", 260), ("touchEnd", None)]:
        points = [] if x is None else [{"x": x, "y": 150}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator(".stripchart-badge")).to_have_text(re.compile("^PAUSED"))


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


def test_32_two_places_are_measured(live: Open) -> None:
    page = live({**SINE, "signals": "example.ramp"})
    hands_on(page).focus()
    page.keyboard.press(" ")
    page.keyboard.press("d")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("d")
    panel = page.get_by_role("region", name="Measured")
    expect(panel.locator("caption")).to_have_text(re.compile(r"^Δt [\d.]+ s, 1/Δt [\d.]+ Hz$"))
    seconds = float(re.search(r"Δt ([\d.]+)", panel.locator("caption").text_content() or "")[1])  # type: ignore[index]
    width = page.evaluate(f"() => {CHART}.picture.area.width")
    assert seconds == pytest.approx(100 / width * 10, rel=0.05)
    cells = panel.locator("td").all_text_contents()
    a, b, difference = (float(cell.replace("−", "-")) for cell in cells[:3])
    assert difference == pytest.approx(b - a, abs=0.002)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_33_what_is_beyond_the_edges_is_kept_and_clipped(live: Open) -> None:
    page = live({**SINE, "signals": "example.square_wave", "window": 1, "ymin": -2, "ymax": 2})
    page.wait_for_timeout(1200)
    edge = f"""() => {{
        const {{ data, width, height }} = ({LAYER})();
        const ink = (x) => Array.from({{ length: height }}, (_, y) => data[4 * (y * width + x)] < 120 && data[4 * (y * width + x) + 2] > 150).filter(Boolean).length;
        return [ink(0), ink(width - 6)];
    }}"""
    assert all(page.evaluate(edge)), "the trace comes in at one edge and goes out at the other"
    told = json.loads(json.dumps(drawn(page, "example.square_wave")))
    assert told[0][0] <= page.evaluate(f"() => {CHART}.painter.range[0]")
