"""The history page over a real system: a year of records, from the whole of it down to single ones."""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import history_pages
import long_archive as made
import pytest
from history_pages import PLANT, Open, at, chart, drawn, view, wheel, whole, y_of
from playwright.sync_api import expect
from system import System

pytestmark = pytest.mark.browser

MINUTE = 60 * made.NS


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with history_pages.running(tmp_path_factory.mktemp("history") / "data") as system:
        yield system


@pytest.fixture
def history(system: System, open_page: Open) -> Open:
    return history_pages.opener(system, open_page)


def test_the_whole_recording_is_there_at_once_with_its_peak_and_its_gap(history: Open) -> None:
    page = history()
    start, end = view(page)
    assert (start, end) == (made.BEGIN, made.END - MINUTE + 1)
    columns = drawn(page)
    assert max(column[3] for column in columns) == 95.0
    scale = page.evaluate("() => historyStage.charts[0].plot.width")
    gap = [(stamp - start) / (end - start) * scale for stamp in made.GAP]
    assert not [column for column in columns if gap[0] + 1 < column[0] < gap[1] - 1]
    assert [column[0] for column in columns if column[5]] == [0, int(gap[1])]
    expect(page.locator("#state")).to_have_text("Stored")
    expect(page.locator("#rangeText")).to_have_text(re.compile("^1 Jan 2025 .* 31 Dec 2025 .* 365 d$"))


def test_from_a_year_to_a_millisecond_by_the_wheel(history: Open) -> None:
    page = history("#signals=quick.vibration,plant.temperature")
    target = made.BURST + 7 * made.NS + 1
    lengths = [view(page)[1] - view(page)[0]]
    while lengths[-1] > 1_000_000:
        wheel(page, -4, target)
        whole(page)
        start, end = view(page)
        assert start <= target < end
        lengths.append(end - start)
        assert lengths[-1] < lengths[-2]
    # One record is in sight, its line goes through to both sides.
    expect(page.locator("#rangeText")).to_have_text(re.compile(r"28 Oct 2025 00:00:0[67]\.\d{6}"))
    assert (
        page.evaluate("() => historyStage.charts.map((chart) => chart.canvas.dataset.state)") == ["exact"] * 2
    )
    assert len(drawn(page, "quick.vibration")) <= 2
    while lengths[-1] < 300 * made.DAY:
        wheel(page, 8, target)
        whole(page)
        lengths.append(view(page)[1] - view(page)[0])
    assert max(column[3] for column in drawn(page)) == 95.0


def test_columns_are_those_of_the_records_at_every_width(history: Open) -> None:
    times = [made.PEAK + n * MINUTE for n in range(-60 * 24 * 20, 60 * 24 * 20)]
    values = dict(zip(times, made.plant(made.np.array(times))["temperature"].tolist(), strict=True))
    for length in (30 * made.DAY, made.DAY, 100 * MINUTE, 5 * MINUTE):
        start, end = made.PEAK - length // 3, made.PEAK + length // 3
        page = history(at(PLANT, start, end))
        columns = drawn(page)
        wanted = [value for stamp, value in values.items() if start <= stamp < end]
        assert max(column[3] for column in columns) == max(wanted) == 95.0
        assert min(column[2] for column in columns) == pytest.approx(min(wanted), abs=0.5)
        if length <= 100 * MINUTE:
            assert [column[3] for column in columns] == pytest.approx(wanted)


def test_while_data_are_waited_for_the_picture_stays(history: Open, system: System) -> None:
    page = history(f"#signals={PLANT}")
    held: list[Any] = []
    page.route(f"http://127.0.0.1:{system.pivot_port}/api/v1/query?*", lambda route: held.append(route))
    wheel(page, -4, made.PEAK)
    page.wait_for_function("() => historyStage.charts[0].canvas.dataset.state === 'loading'")
    columns = drawn(page)
    assert max(column[3] for column in columns) == 95.0, "what is coarser stands in"
    assert len(columns) > 500
    expect(page.locator(".shown.busy")).to_be_visible()
    for _ in range(3):
        wheel(page, -4, made.PEAK)
        page.wait_for_timeout(100)
    page.unroute_all(behavior="ignoreErrors")
    for route in held:
        with contextlib.suppress(Exception):  # it was superseded, so its request was cancelled
            route.continue_()
    whole(page)
    assert max(column[3] for column in drawn(page)) == 95.0


def test_a_view_superseded_cancels_what_was_asked_for_it(history: Open, system: System) -> None:
    page = history(f"#signals={PLANT}")
    page.route(f"http://127.0.0.1:{system.pivot_port}/api/v1/query?*", lambda _: None)
    show = "(by) => historyStage.view.show(historyStage.view.start + BigInt(by), historyStage.view.start + BigInt(by) + 10n ** 13n)"
    page.evaluate(show, str(10**15))
    page.wait_for_function("() => historyStage.isBusy")
    with page.expect_event("requestfailed") as failed:
        page.evaluate(show, str(10**16))
    assert "/api/v1/query" in failed.value.url
    page.unroute_all(behavior="ignoreErrors")


def test_moving_by_mouse_keys_and_buttons(history: Open) -> None:
    start, end = made.PEAK, made.PEAK + made.DAY
    page = history(at(PLANT, start, end))
    box = chart(page).bounding_box()
    assert box
    middle = y_of(page)
    page.mouse.move(box["x"] + 600, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, middle, steps=5)
    page.mouse.up()
    moved = view(page)
    assert moved[1] - moved[0] == made.DAY
    assert moved[0] - start == pytest.approx(made.DAY * 300 / (box["width"] - 64), rel=0.02)
    chart(page).focus()
    for key, change in (
        ("ArrowLeft", lambda a, b: (a - (b - a) // 10, b - (b - a) // 10)),
        ("PageDown", lambda a, b: (b, b + b - a)),
        ("ArrowRight", lambda a, b: (a + (b - a) // 10, b + (b - a) // 10)),
    ):
        before = view(page)
        page.keyboard.press(key)
        assert view(page) == pytest.approx(change(*before), abs=1000), key
    for key, factor in (("+", 1 / 1.6), ("-", 1.6), ("ArrowUp", 1 / 1.6), ("ArrowDown", 1.6)):
        before = view(page)
        page.keyboard.press(key)
        after = view(page)
        assert (after[1] - after[0]) / (before[1] - before[0]) == pytest.approx(factor), key
    page.keyboard.press("Home")
    assert view(page)[0] == made.BEGIN
    page.keyboard.press("End")
    assert view(page)[1] == made.END - MINUTE + 1
    page.keyboard.press("0")
    assert view(page) == (made.BEGIN, made.END - MINUTE + 1)
    for name, days in (("Day", 1), ("Week", 7)):
        button = page.get_by_role("button", name=name, exact=True)
        button.click()
        after = view(page)
        assert (after[1], after[1] - after[0]) == (made.END - MINUTE + 1, days * made.DAY)
        expect(button).to_have_attribute("aria-pressed", "true")
    chart(page).dblclick(position={"x": 500, "y": 60})
    assert view(page)[1] - view(page)[0] == pytest.approx(7 * made.DAY / 4, rel=1e-6)


def test_the_fields_from_and_to(history: Open) -> None:
    page = history(at(PLANT, made.PEAK + 1, made.PEAK + made.DAY), timezone_id="UTC")
    expect(page.get_by_label("From").first).to_have_value("2025-04-11 12:00")
    page.get_by_label("to", exact=True).first.fill("2025-04-11T13:30")
    page.get_by_label("to", exact=True).first.press("Enter")
    assert view(page) == (made.PEAK + 1, made.PEAK + 90 * MINUTE)


def test_the_address_says_what_is_shown_and_back_goes_back(history: Open) -> None:
    page = history(f"#signals={PLANT}")
    page.get_by_role("button", name="Week", exact=True).click()
    whole(page)
    page.wait_for_url(re.compile("start=2025-12-24"))
    page.get_by_role("button", name="Day", exact=True).click()
    whole(page)
    page.wait_for_url(re.compile("start=2025-12-30"))
    shown = view(page)
    page.go_back()
    page.wait_for_function("() => historyStage.view.length === 7n * 86400n * 10n ** 9n")
    page.go_forward()
    page.wait_for_function("() => historyStage.view.length === 86400n * 10n ** 9n")
    assert view(page) == shown
    page.reload()
    whole(page, shown)


def test_signals_are_searched_and_chosen(history: Open) -> None:
    page = history(f"#signals={PLANT}")
    page.get_by_label("Search signals").fill("quick g")
    expect(page.locator(".signalList label")).to_have_count(1)
    page.get_by_label("vibration").check()
    whole(page)
    expect(page.locator("#chosenCount")).to_have_text("2 of 4")
    assert page.locator("canvas[role=img]").count() == 2
    assert "signals=plant.temperature,quick.vibration" in page.url
    page.get_by_label("Search signals").fill("nothing of that kind")
    expect(page.locator("#picker [role=status]")).to_have_text("No signal is called so.")
    page.get_by_role("button", name="Choose none").click()
    expect(page.locator("#empty")).to_have_text("Choose a signal to see what was recorded of it.")
    expect(page.get_by_role("button", name="Export")).to_be_disabled()


def test_the_cursor_reads_buckets_and_records(history: Open) -> None:
    page = history(at(PLANT, made.PEAK - 30 * made.DAY, made.PEAK + 30 * made.DAY), timezone_id="UTC")
    page.locator("#zone").select_option("utc")
    wheel(page, 0, made.PEAK)
    value = page.locator(".stripchart-value").first
    expect(value).to_have_text(re.compile("… 95.00\u202f°C, avg "))
    expect(page.locator("#pointed")).to_have_text(re.compile(r"^11 Apr 2025 1[012]:\d\d \+ .*, \d+ records$"))
    page = history(at(PLANT, made.PEAK - 5 * MINUTE, made.PEAK + 5 * MINUTE), timezone_id="Asia/Tokyo")
    wheel(page, 0, made.PEAK)
    expect(value.page.locator("#pointed")).to_be_attached()
    expect(page.locator(".stripchart-value").first).to_have_text("95.00\u202f°C")
    expect(page.locator("#pointed")).to_have_text(re.compile("^11 Apr 2025 21:00:00"))
    page.locator("#zone").select_option("utc")
    expect(page.locator("#pointed")).to_have_text(re.compile("^11 Apr 2025 12:00:00"))
    chart(page).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#spoken")).to_contain_text("plant.temperature")


def test_the_overview_moves_the_view(history: Open) -> None:
    page = history(at(PLANT, made.PEAK, made.PEAK + 30 * made.DAY))
    strip = page.locator("#overview").bounding_box()
    assert strip
    y = strip["y"] + 30
    page.mouse.move(strip["x"] + strip["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(strip["x"] + strip["width"] * 0.75, y, steps=4)
    page.mouse.up()
    start, end = view(page)
    assert start == pytest.approx(made.BEGIN + 182.5 * made.DAY, abs=2 * made.DAY)
    assert end == pytest.approx(made.BEGIN + 273.7 * made.DAY, abs=2 * made.DAY)
    slider = page.get_by_role("slider", name="Shown range in the whole recording")
    slider.focus()
    page.keyboard.press("PageUp")
    assert view(page)[1] == pytest.approx(start, abs=1000)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("2025"))


def test_what_the_service_says_is_told(history: Open, system: System, watch: Any) -> None:
    watch.forgive("503", "Failed to load")
    page = history(f"#signals={PLANT}")
    answer = {"status": 503, "content_type": "application/json", "body": json.dumps({"error": "The service is stopping"}),
              "headers": {"access-control-allow-origin": f"http://127.0.0.1:{system.api_port}",
                          "access-control-allow-credentials": "true"}}  # fmt: skip
    page.route(f"http://127.0.0.1:{system.pivot_port}/api/v1/query?*", lambda route: route.fulfill(**answer))
    page.get_by_role("button", name="Day", exact=True).click()
    expect(page.locator("#trouble")).to_have_text("The service is stopping")
    expect(page.locator("#state")).to_have_text("Not loaded")
    page.unroute_all(behavior="ignoreErrors")
    whole(page)
    expect(page.locator("#trouble")).to_be_hidden()


def test_damage_of_the_archive_is_told(history: Open, system: System) -> None:
    times = made.BEGIN + made.np.arange(50_000) * made.NS
    path = made.write(
        system.data / "archive" / "hurt", made.QUICK, {"time": times, "vibration": times % 97 / 9.0}
    )
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 16)
    gap = made.BEGIN + 3 * made.BLOCK * made.NS
    page = history(at("hurt.vibration", gap - 500 * made.NS, gap + 500 * made.NS))
    expect(page.locator("#trouble")).to_have_text("1 damaged place of the archive left out.")
    columns = drawn(page, "hurt.vibration")
    right = page.evaluate("() => historyStage.charts[0].plot.width")
    assert columns[0][0] == 0
    assert columns[-1][0] == pytest.approx(right / 2, abs=2), "what is damaged is a gap"


def test_the_clock_is_the_server_s(history: Open, system: System) -> None:
    now = time.time_ns()
    times = now - made.NS * made.np.arange(60, 0, -1)
    made.write(
        system.data / "archive" / "fresh", made.QUICK, {"time": times, "vibration": made.np.arange(60.0)}
    )
    slow = "(() => { const { now } = Date; Date.now = () => now() - 5e7; })()"
    page = history("#signals=fresh.vibration&last=PT1M", init_script=slow)
    expect(page.locator("#state")).to_have_text("Following")
    assert abs(view(page)[1] - time.time_ns()) < 60 * made.NS


def test_a_phone_needs_no_sideways_scrolling(history: Open) -> None:
    page = history(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    right = page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('main input, main button')].map((one) => one.getBoundingClientRect().right))"
    )
    assert right <= 390


def test_pages_link_to_each_other(system: System, open_page: Open) -> None:
    page = open_page(f"http://127.0.0.1:{system.api_port}/")
    page.get_by_role("link", name="History").click()
    expect(page).to_have_title("History – SpeedData")
    page.get_by_role("link", name="Live").click()
    expect(page.locator("#channelTable")).to_be_attached()


def test_a_view_at_the_end_of_what_goes_on_follows(system: System, history: Open) -> None:
    folder: Path = system.data / "archive" / "now"
    now = time.time_ns()
    times = now - made.NS * made.np.arange(600, 0, -1)
    made.write(folder, made.QUICK, {"time": times, "vibration": made.np.arange(600.0)})
    page = history("#signals=now.vibration&last=PT5M")
    expect(page.locator("#state")).to_have_text("Following")
    first = view(page)
    assert first[1] - first[0] == 5 * MINUTE
    page.wait_for_function("(end) => historyStage.view.end > BigInt(end)", arg=str(first[1]))
    page.wait_for_url(re.compile("last=PT300S"))
    chart(page).focus()
    page.keyboard.press("PageUp")
    expect(page.locator("#state")).to_have_text("Stored")


def test_fingers_move_zoom_and_read(history: Open) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = history(at(PLANT, made.PEAK - made.DAY, made.PEAK + made.DAY), **phone)
    chart(page).scroll_into_view_if_needed()
    y = y_of(page)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: float) -> None:
        points = [{"x": x, "y": y, "id": number} for number, x in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = view(page)
    touch("touchStart", 180)
    touch("touchStart", 180, 220)
    for by in range(10, 90, 10):
        touch("touchMove", 180 - by, 220 + by)
    touch("touchEnd")
    pinched = view(page)
    assert pinched[1] - pinched[0] == pytest.approx((before[1] - before[0]) / 5, rel=0.05)
    touch("touchStart", 300)
    for by in range(15, 150, 15):
        touch("touchMove", 300 - by)
    touch("touchEnd")
    moved = view(page)
    assert moved[1] - moved[0] == pinched[1] - pinched[0]
    assert moved[0] > pinched[0]
    chart(page).tap(position={"x": 200, "y": 60})
    expect(page.locator("#pointed")).to_have_text(re.compile("Apr 2025"))
