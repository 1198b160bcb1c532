"""What is expected of a live chart, by the numbers of the list in docs/charts.md: how it is read and moved by hand and keys."""

import csv
import io
import math
import re
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from chart_pages import CHART, SINE, drawn, hands_on
from live_line import Line
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


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
    page.wait_for_function(f"() => /\\d/.test({CHART}.signals[0].reading)")  # the trace has come to it
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


def test_13_pictures_have_title_axes_and_zone_and_csv_says_what_it_holds(live: Open, fed: Line) -> None:
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
        r"^# example\.sine_wave in V: .*\b\d+ samples as decimated$",
        text,
        re.MULTILINE,
    )
    rows = list(
        csv.DictReader(io.StringIO("".join(line for line in text.splitlines(True) if line[0] != "#")))
    )
    assert len(rows) > 10
    assert all(float(row["min"]) <= float(row["last"]) <= float(row["max"]) for row in rows)
    assert rows == sorted(rows, key=lambda row: row["time"])
    sent = [at // 1000 for at in list(fed.fed)]  # in microseconds, as the file has them
    ones = [row for row in rows if row["samples"] == "1"]
    assert len(ones) > 10
    for row in ones:
        time_us = microseconds(row["time"])
        nearest = min(sent, key=lambda at: abs(at - time_us))
        assert abs(nearest - time_us) <= 1, "the time is that of the record"
        assert float(row["last"]) == pytest.approx(math.sin(nearest / 1e6), abs=1e-5)
    told = int(re.findall(r"(\d+) samples as decimated", text)[0])
    assert told == sum(int(row["samples"]) for row in rows if row["samples"] == "1") or "columns of" in text
    first, last = microseconds(rows[0]["time"]), microseconds(rows[-1]["time"])
    between = sum(first + 50_000 < at < last - 50_000 for at in sent)
    counted = sum(int(row["samples"]) for row in rows)
    assert between <= counted <= between + 20, "each record once"


def microseconds(text: str) -> int:
    """Read a time of a CSV file."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**6 + int(fraction.ljust(6, "0")[:6])


def test_14_a_mark_with_a_note_is_kept_by_the_server_and_shown_on_every_chart(fed: Line, live: Open) -> None:
    page = live(SINE, {**SINE, "signals": "example.ramp"})
    hands_on(page).focus()
    page.keyboard.press(" ")  # while it stands still it can be told what time is pointed at
    left, time_ms = page.evaluate(
        f"""() => {{
            const [start, end] = {CHART}.painter.range;
            const {{ left, width }} = document.querySelector(".stripchart-clip").getBoundingClientRect();
            const at = document.querySelector(".stripchart-cursor").getBoundingClientRect().left;
            return [at, start + ((at - left) / width) * (end - start)];
        }}"""
    )
    page.keyboard.press("m")
    page.get_by_role("textbox", name=re.compile("^Note at")).fill("valve open")
    page.keyboard.press("Enter")
    expect(page.locator(".stripchart-tag", has_text="valve open")).to_have_count(2)
    (tag,) = fed.registry.tags
    assert (tag["name"], tag["channels"]) == ("valve open", ["example"])
    for key in ("start", "end"):
        assert microseconds(tag[key]) / 1000 == pytest.approx(time_ms, abs=20), "a pixel or two"
    place = "() => document.querySelector('.stripchart-tag').getBoundingClientRect().left"
    assert page.evaluate(place) == pytest.approx(left, abs=3)
    fed.registry.tags.clear()


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


def test_17_a_key_pressed_before_anything_follows_keys_is_not_lost(live: Open) -> None:
    page = live()
    page.locator(".stripchart-plot").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("region", name="Keys")).to_be_visible()


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


@pytest.mark.alone  # where the feed pauses there is no value at a place
def test_32_two_places_are_measured(live: Open) -> None:
    page = live()
    page.wait_for_function(f"() => {CHART}.columns().signals[0].columns[0][0] < Date.now() - 8000")
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
    cells = [cell.replace("\u202fV", "") for cell in panel.locator("td").all_text_contents()]
    a, b, difference = (float(cell.replace("−", "-")) for cell in cells[:3])
    assert difference == pytest.approx(b - a, abs=0.002)
    slope, unit = panel.locator("td").nth(3).inner_text().split("\u202f")
    assert (float(slope.replace("−", "-")), unit) == (
        pytest.approx(difference / seconds, rel=0.01, abs=0.005),
        "V/s",
    )
    low, high = (float(cell.replace("−", "-")) for cell in cells[4:6])
    # The value at a place is that of the last sample before it.
    assert low <= min(a, b) + 0.1
    assert max(a, b) - 0.1 <= high
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
