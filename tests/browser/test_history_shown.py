"""What stands over and beside the charts of the history page: the strip, legends, buttons, times and their zone."""

import re
from collections.abc import Iterator
from typing import Any

import history_pages
import long_archive as made
import pytest
from history_pages import PLANT, Open, at, view, whole
from playwright.sync_api import Page, expect
from system import System

pytestmark = pytest.mark.browser

LONG = "iot_telemetry_data.00-0f-00-70-91-0a.temp"
PHONE = {"width": 390, "height": 844}
IN_GAP = made.GAP[0] + 3 * made.DAY, made.GAP[0] + 7 * made.DAY


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    data = tmp_path_factory.mktemp("shown") / "data"
    for name, start, end, step in (
        ("daily", made.BEGIN, made.BEGIN + made.DAY, 60),
        ("between", *IN_GAP, 60),
        (LONG, made.BEGIN, made.BEGIN + made.DAY, 60),
    ):
        times = made.np.arange(start, end, step * made.NS)
        made.write(data / "archive" / name, made.QUICK, {"time": times, "vibration": times / made.DAY % 1})
    with history_pages.running(data, 600) as system:
        yield system


@pytest.fixture
def history(system: System, open_page: Open) -> Open:
    return history_pages.opener(system, open_page)


def recorded(page: Page) -> list[tuple[int, int]]:
    """Where the strip says that something was recorded, as times."""
    width, stretches = page.evaluate(
        "() => [historyStage.overview.canvas.width, historyStage.overview.recorded]"
    )
    start, end = (int(stamp) for stamp in page.evaluate("() => historyStage.overview.range.map(String)"))
    scale = (end - start) / width
    return [(int(start + low * scale), int(start + high * scale)) for low, high in stretches]


INK = """([from, to]) => {
    const { canvas, context } = historyStage.overview;
    const [left, right] = [from, to].map((part) => Math.round(part * canvas.width));
    const { data, width, height } = context.getImageData(left, 0, right - left, canvas.height);
    // Columns of a trace are blue by the light palette.
    const inked = new Set();
    for (let i = 0; i < width * height; i++) if (data[4 * i + 2] - data[4 * i] > 60) inked.add(i % width);
    return inked.size / width;
}"""


def test_the_strip_shows_where_any_chosen_signal_has_records(history: Open) -> None:
    page = history(f"#signals={PLANT}", color_scheme="light")
    slack = 2 * made.DAY
    before, after = recorded(page)
    assert before[1] == pytest.approx(made.GAP[0], abs=slack)
    assert after[0] == pytest.approx(made.GAP[1], abs=slack)
    inside = [(stamp - made.BEGIN) / (made.END - made.BEGIN) for stamp in IN_GAP]
    assert page.evaluate(INK, inside) == 0
    # A chart that has the same gap adds nothing at its edges.
    pixels = "() => historyStage.overview.canvas.toDataURL()"
    alone = page.evaluate(pixels)
    page.get_by_label("pressure").check()
    whole(page)
    page.wait_for_function("() => historyStage.charts.length === 2 && !historyStage.overview.isDirty")
    assert page.evaluate(pixels) == alone
    page = history(at(f"{PLANT},between.vibration", *IN_GAP), color_scheme="light")
    page.wait_for_function("() => historyStage.overview.recorded.length === 3")
    assert recorded(page)[1] == pytest.approx(IN_GAP, abs=slack)
    assert recorded(page)[0] == pytest.approx(before, abs=slack)
    assert page.evaluate(INK, inside) > 0.7, "what is recorded there is drawn, too"


@pytest.mark.parametrize("size", [PHONE, history_pages.SIZE], ids=["390", "1280"])
def test_a_long_name_keeps_its_mark_and_its_value(history: Open, size: dict[str, int]) -> None:
    signals = f"{LONG}.vibration,daily.vibration"
    page = history(at(signals, made.BEGIN, made.BEGIN + made.DAY), viewport=size, timezone_id="Europe/Berlin")
    item = page.locator(".stripchart-item").first
    top = page.locator(".history-plot").bounding_box()
    mark = item.locator(".stripchart-mark").bounding_box()
    assert mark
    assert mark["width"] == pytest.approx(14, abs=0.5)
    page.mouse.move(size["width"] * 0.6, history_pages.y_of(page))
    value = item.locator(".stripchart-value")
    expect(value).to_have_text(re.compile(r"^0\.\d+"))
    whole_item, end = item.bounding_box(), value.bounding_box()
    assert whole_item
    assert end
    assert end["x"] + end["width"] <= whole_item["x"] + whole_item["width"] + 0.5
    name = item.locator(".stripchart-name")
    assert name.evaluate("(one) => one.getBoundingClientRect().width") > 100
    if size is PHONE:
        assert name.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1"), "broken, not cut"
    assert page.locator(".history-plot").bounding_box() == top, "what the cursor reads moves nothing"
    assert page.evaluate("() => document.documentElement.scrollWidth") == size["width"]
    field, day = (page.locator(one).first.bounding_box() for one in ("#from", ".day"))
    assert field
    assert day
    assert 0 <= day["x"] - field["x"] - field["width"] < 10, "the calendar stands at its field"


def test_one_button_stands_for_what_is_shown(history: Open) -> None:
    page = history("#signals=daily.vibration")
    pressed = page.locator("[aria-pressed=true]")
    expect(pressed).to_have_text(["All"])
    page.get_by_role("button", name="Day", exact=True).click()
    whole(page)
    assert view(page)[1] - view(page)[0] == made.DAY
    expect(pressed).to_have_text(["Day"])
    page.get_by_role("button", name="Hour", exact=True).click()
    expect(pressed).to_have_text(["Hour"])
    page.get_by_role("button", name="All", exact=True).click()
    expect(pressed).to_have_text(["All"])
    page.get_by_label("Search signals").fill("daily")
    expect(page.locator("#picker [role=status]")).to_have_text("1 signal")


def test_the_fields_have_the_clock_of_the_charts(history: Open) -> None:
    options: Any = {"timezone_id": "UTC", "locale": "en-US"}
    afternoon = made.BEGIN + 15 * made.DAY // 24
    page = history(at(PLANT, afternoon, afternoon + made.DAY), **options)
    start, end = page.locator("#from"), page.locator("#to")
    expect(start).to_have_value("2025-01-01 15:00")
    expect(page.locator("#rangeText")).to_have_text(re.compile(r"^1 Jan 2025 15:00"))
    end.fill("soon")
    end.press("Enter")
    assert "2026-01-31 12:00:00" in end.evaluate("(one) => one.validationMessage")
    assert view(page) == (afternoon, afternoon + made.DAY)
    end.fill("2025-01-03T15:00:00.000000001Z")
    end.press("Enter")
    assert view(page) == (afternoon, afternoon + 2 * made.DAY + 1)
    page.get_by_label("Day of the beginning").fill("2025-01-03")
    page.wait_for_function("(start) => historyStage.view.start !== BigInt(start)", arg=str(afternoon))
    assert view(page)[0] == afternoon + 2 * made.DAY
    page.locator("#tag").click()
    dialog = page.get_by_role("dialog", name="Tag this range")
    expect(dialog.get_by_label("From")).to_have_value("2025-01-03 15:00")


def test_the_zone_is_told_by_name_and_both_its_offsets(history: Open) -> None:
    page = history("#signals=plant.temperature", timezone_id="Europe/Berlin")
    label = "() => historyStage.charts[0].times.label"
    expect(page.locator("#rangeText")).to_have_text(re.compile(r" · Europe/Berlin \(UTC\+1/\+2\) · 365 d$"))
    assert page.evaluate(label) == "+1/+2", "a year that begins and ends in winter"
    page.get_by_role("button", name="Day", exact=True).click()
    whole(page)
    assert page.evaluate(label) == "UTC+1"
    expect(page.locator("#rangeText")).to_have_text(re.compile(r" · Europe/Berlin \(UTC\+1\) · 1 d$"))
    page.locator("#zone").select_option("utc")
    expect(page.locator("#rangeText")).to_have_text(re.compile(" · UTC · 1 d$"))
    assert page.evaluate(label) == "UTC"
