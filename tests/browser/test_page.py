"""The page at /: channels, charts, registration, by mouse and by keyboard."""

import re
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from beside import beside
from chart_pages import CHART
from live import EXAMPLE, Registry, running
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


def row(page: Page, name: str) -> Any:
    return page.locator("#channelTable tbody tr").filter(has=page.get_by_role("link", name=name, exact=True))


def open_details(page: Page, name: str) -> Any:
    page.get_by_role("button", name=f"Details of {name}", exact=True).click()
    return page.locator(f'[id="details-{name}"]')


def open_form(page: Page) -> Any:
    page.locator("#register > summary").click()
    return page.locator("#registerForm")


def names(page: Page) -> list[list[str]]:
    """Give the channels of the table and of the cards, in order."""
    return [
        page.locator(where).all_text_contents() for where in ("#channelTable > tbody > tr > th", "#live h2")
    ]


def test_channels_are_listed_with_state_rate_and_losses(line: Any, open_page: Open) -> None:
    line.add("idle")
    stats = line.registry.channels["example"]["stats"]
    stats |= {"kernel_drops": 3, "rejected": {"short": 2, "empty": 0}}
    with line.feeding():
        page = open_page(line.registry.url)
        expect(row(page, "example").locator(".chip")).to_have_text("live")
        expect(row(page, "idle").locator(".chip")).to_have_text("no data yet")
        for _ in range(40):
            stats["records"] += 100
            stats["bytes"] += 5000
            page.wait_for_timeout(50)
        expect(row(page, "example").locator("td").nth(1)).to_have_text(re.compile(r"^[1-9].*/s[1-9].*B/s$"))
        lost = row(page, "example").locator("td").nth(3)
        expect(lost.locator("span")).to_have_text("5")
        expect(lost.locator("small")).to_have_text("3 kernel drops, 2 short")
        expect(row(page, "idle").locator("td").nth(3)).to_have_text("0")
    expect(row(page, "example").locator(".chip")).to_have_text(re.compile("^no data for "))


def test_each_channel_has_values_and_charts(line: Any, open_page: Open) -> None:
    with line.feeding():
        page = open_page(line.registry.url)
        expect(page.locator("canvas[data-state=live]")).to_have_count(4)
        declared = page.locator("canvas.stripchart").evaluate_all(
            "all => all.map((one) => one.dataset.signals)"
        )
        assert declared == [
            "example.counter",
            "example.sine_wave",
            "example.ramp,example.square_wave",
            "example.is_on",
        ]
        expect(page.locator('.values [data-signal="example.message"]')).to_have_text(re.compile("^word "))
        expect(page.locator('.values [data-signal="example.sine_wave"]')).to_have_text(re.compile("V$"))
        expect(page.locator("#connection")).to_have_text("Live")
        page.get_by_label("Window").select_option("10")
        expect(page.locator('canvas[data-window="10"]')).to_have_count(4)
        page.reload()
        expect(page.locator('canvas[data-window="10"]')).to_have_count(4)


def test_a_channel_is_registered_and_removed(line: Any, open_page: Open) -> None:
    page = open_page(line.registry.url)
    form = open_form(page)
    expect(form.get_by_label("UDP port")).to_have_value("26007")
    form.get_by_label("Name").fill("engine")
    form.get_by_label("or the Avro schema itself, as JSON").fill('{"type": "record"}')
    form.get_by_label("Decimation").fill("5")
    form.get_by_role("button", name="Register").click()
    expect(page.locator("#registerAnswer")).to_contain_text("Channel engine is registered")
    assert line.registry.posted == [
        {"name": "engine", "port": 26007, "schema": {"type": "record"}, "config": {"decimation": 5}}
    ]
    expect(row(page, "engine")).to_be_visible()
    details = open_details(page, "engine")
    details.get_by_role("button", name="Remove").click()
    dialog = page.locator("#removeDialog")
    expect(dialog).to_contain_text("Remove channel engine?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(row(page, "engine")).to_be_visible()
    details.get_by_role("button", name="Remove").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(row(page, "engine")).to_have_count(0)


def test_a_new_channel_stands_where_a_reload_puts_it_and_moves_no_form(line: Any, open_page: Open) -> None:
    page = open_page(line.registry.url)
    expect(page.locator("#live h2")).to_have_text(["example"])
    button = open_form(page).get_by_role("button", name="Register")
    before = button.bounding_box()
    line.add("alpha")
    expect(page.locator("#live h2")).to_have_count(2)
    expect(row(page, "alpha")).to_be_visible()
    assert button.bounding_box() == before
    told = names(page)
    assert told == [["alpha", "example"]] * 2
    page.reload()
    expect(page.locator("#live h2")).to_have_count(2)
    assert names(page) == told


def test_records_are_told_with_the_time_from_which_they_count(line: Any, open_page: Open) -> None:
    stats = line.registry.channels["example"]["stats"]
    stats |= {"records": 1234, "since": "2026-01-02T03:04:05.678Z"}
    page = open_page(line.registry.url, timezone_id="Asia/Tokyo", locale="en-GB")
    cell = row(page, "example").locator("td").nth(2)
    expect(cell).to_have_text(re.compile("^1,234since 2 Jan( 2026)? 12:04$"))
    expect(cell).to_have_attribute("title", "Counted since 02/01/2026, 12:04:05")
    expect(row(page, "example").locator("td").nth(3)).to_have_attribute(
        "title", "Counted since 02/01/2026, 12:04:05"
    )


def test_charts_side_by_side_stand_at_one_height(line: Any, open_page: Open) -> None:
    numbers = [
        {"name": f"a_number_of_a_long_name_{n}", "type": "double", "speeddata": {"unit": "V"}}
        for n in range(6)
    ]
    line.add("wide", {**EXAMPLE, "fields": [EXAMPLE["fields"][0], *numbers, {"name": "n", "type": "int"}]})
    page = open_page(line.registry.url, viewport={"width": 1280, "height": 800})
    expect(page.locator("#channel-wide canvas.stripchart")).to_have_count(2)
    page.wait_for_function("() => document.querySelectorAll('#channel-wide .stripchart-item').length === 7")
    boxes, plots, items = (
        page.locator(f"#channel-wide {what}").evaluate_all(
            "all => all.map((one) => { const { top, bottom } = one.getBoundingClientRect(); return [top, bottom]; })"
        )
        for what in (".stripchart-box", "canvas.stripchart", ".stripchart-item")
    )
    assert boxes[0] == boxes[1], "they stand side by side"
    assert items[5][0] > items[6][0], "the legend of one takes several lines"
    assert plots[0] == plots[1]


def test_a_refusal_is_told(line: Any, open_page: Open, watch: Any) -> None:
    watch.forgive("409")
    line.registry.refusal = (409, {"error": "Port already in use", "port": 26000, "used_by": "example"})
    page = open_page(line.registry.url)
    form = open_form(page)
    form.get_by_label("Name").fill("engine")
    form.get_by_role("button", name="Register").click()
    expect(page.locator("#registerAnswer")).to_contain_text("A schema is needed")
    form.locator("[name=path]").fill("agents/engine.avsc")
    form.get_by_role("button", name="Register").click()
    expect(page.locator("#registerAnswer")).to_have_text(
        "Port already in use (port: 26000, used by: example)"
    )
    assert line.registry.posted[0]["schema"] == "agents/engine.avsc"


def test_a_schema_file_fills_the_form(line: Any, open_page: Open) -> None:
    page = open_page(line.registry.url)
    file = {"name": "x.avsc", "mimeType": "application/json", "buffer": b'{"type": "record"}'}
    page.locator("#registerForm [name=file]").set_input_files(file)
    expect(page.get_by_label("or the Avro schema itself, as JSON")).to_have_value('{"type": "record"}')


def test_the_schema_is_shown_by_keyboard(line: Any, open_page: Open) -> None:
    page = open_page(line.registry.url)
    open_details(page, "example")
    button = page.get_by_role("button", name="Schema: example")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#schemaDialog")
    expect(dialog).to_contain_text('"name": "sine_wave"')
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_every_control_is_reached_by_keyboard(line: Any, open_page: Open) -> None:
    page = open_page(line.registry.url)
    expect(row(page, "example")).to_be_visible()
    open_details(page, "example")
    page.get_by_text("Register a channel").focus()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => { const { activeElement: at } = document;
                return at.name || at.textContent.trim() || at.ariaLabel; }"""
            )
        )
    wanted = [
        "name",
        "port",
        "decimation",
        "path",
        "schema",
        "file",
        "Register",
        "Details of example",
        "example",
        "Export",
        "Tag last 5 min",
        "Edit",
        "Schema",
        "Restart relay",
        "Remove",
    ]
    assert [name for name in reached if name in wanted][: len(wanted)] == wanted


def test_a_short_range_is_a_link_away(line: Any, open_page: Open) -> None:
    page = open_page(line.registry.url)
    button = row(page, "example").get_by_role("button", name="Export a range of example")
    expect(page.locator("#export")).to_be_visible()  # the history service is known
    button.click()
    dialog = page.get_by_role("dialog", name="Export a range")
    dialog.get_by_role("button", name="Export").click()
    href = "http://127.0.0.1:8000/api/v1/pivot/export?duration=PT5M&channels=example&format=hdf5"
    expect(dialog.get_by_role("link", name="Download")).to_have_attribute("href", href)
    dialog.get_by_role("button", name="Close").click()
    expect(button).to_be_focused()


def test_names_are_never_markup(line: Any, open_page: Open) -> None:
    name = "<img src=x onerror=document.title='owned'>"
    line.registry.add(name, {**EXAMPLE, "doc": name}, ("239.255.51.1", 5001))
    page = open_page(line.registry.url)
    expect(row(page, name)).to_be_visible()
    expect(page.locator("#live section h2", has_text=name)).to_be_visible()
    open_details(page, name).get_by_role("button", name="Schema").click()
    expect(page.locator("#schemaText")).to_contain_text(name)
    assert page.title() == "SpeedData"


def test_a_registry_that_is_away_is_told(line: Any, open_page: Open, watch: Any) -> None:
    watch.forgive("Failed to load resource")
    with line.feeding():
        page = open_page(line.registry.url)
        expect(page.locator("canvas[data-state=live]")).to_have_count(4)
        page.wait_for_function(f"() => {CHART}.spans")  # all of the page has been loaded
        line.registry.close()
        expect(page.locator("#trouble")).to_contain_text("The registry does not answer: rates and counts are")
        for old in ("#channelTable", "#tiles"):
            expect(page.locator(old)).to_have_class(re.compile(r"\bold$"))
        expect(page.locator("canvas[data-state=live]")).to_have_count(4)


def test_a_registry_that_is_back_has_the_live_data_tried_at_once(
    line: Any, open_page: Open, watch: Any
) -> None:
    watch.forgive("Failed to load resource", "WebSocket connection")
    page = open_page(line.registry.url)
    expect(page.locator("#connection")).to_have_text("Live")
    page.evaluate(
        """async () => {
            const { feed } = await import("/static/stripchart/main.js");
            Object.defineProperty(feed.socket, "timer", { set: (timer) => clearTimeout(timer) });
        }"""
    )
    line.process.stop()
    line.registry.close()
    expect(page.locator("#trouble")).to_contain_text("The registry does not answer")
    expect(page.locator("#connection")).to_have_text(re.compile("^Reconnecting"))
    with closing(Registry(line.registry.port)) as again:
        again.channels, again.schemas = line.registry.channels, line.registry.schemas
        with running(again, port=line.registry.services["websocket"]["port"]):
            expect(page.locator("#connection")).to_have_text("Live")
            expect(page.locator("#trouble")).to_be_hidden()


def test_without_the_live_server_the_counters_tell_how_channels_do(
    line: Any, open_page: Open, watch: Any
) -> None:
    watch.forgive("Failed to load resource", "WebSocket connection")
    stats = line.registry.channels["example"]["stats"]

    def count(stop: threading.Event) -> None:
        while not stop.wait(0.1):
            stats["records"] += 5

    line.process.stop()
    page = open_page("about:blank")
    page.clock.install()
    page.goto(line.registry.url)
    state, tiles = row(page, "example").locator(".chip"), page.locator("#tiles .tile").first
    with beside(count):
        expect(page.locator("#connection")).to_have_text(re.compile("^Reconnecting"))
        expect(state).to_have_text("live")
        expect(tiles).to_contain_text("1 of 1 live")
    page.clock.fast_forward(5000)
    expect(state).to_have_text(re.compile(r"^no data for \d"))
    page.route("**/api/v1/channels**", lambda route: route.abort())
    page.clock.fast_forward(5000)
    expect(state).to_have_text("not known")


def test_alarms_and_tiles_that_are_not_told_are_marked_as_old(line: Any, open_page: Open, watch: Any) -> None:
    watch.forgive("Failed to load resource")
    alarm = {
        "signal": "example.ramp", "side": "high", "via": "udp", "level": "alarm", "state": "active", "acknowledged": False,
        "worst": 2.0, "limit": 1.0, "unit": None, "count": 1, "since": "2026-01-01T00:00:00Z", "occurrence": 1, "by": None,
    }  # fmt: skip
    told = {"alarms": [alarm], "unchecked": []}
    page = open_page("about:blank")
    page.clock.install()
    page.route("**/api/v1/alarms", lambda route: route.fulfill(json=told))
    page.goto(line.registry.url)
    alarms, processes = page.locator("#alarms"), page.locator("#tiles .tile").last
    expect(alarms).to_contain_text("example.ramp")
    expect(processes).to_contain_text("all run")
    expect(alarms).to_have_class("panel")
    for what in ("alarms", "status"):
        page.route(f"**/api/v1/{what}", lambda route: route.fulfill(status=500, json={"error": "broken"}))
    page.clock.fast_forward(8000)
    expect(page.locator("#trouble")).to_contain_text("Alarms as they were")
    expect(page.locator("#trouble")).to_contain_text("Disk and processes as they were")
    expect(alarms).to_have_class("panel old")
    expect(processes).to_have_class("tile old")
    assert page.locator("#alarms .what").evaluate("(node) => getComputedStyle(node).fontStyle") == "italic"
    expect(page.locator("#tiles")).not_to_have_class("old")
    expect(page.locator("#tiles .tile").first).to_have_class("tile")


def test_no_channels_is_said(line: Any, open_page: Open) -> None:
    line.registry.remove("example")
    page = open_page(line.registry.url)
    expect(page.locator("#noChannels")).to_be_visible()
    expect(page.locator("#registerForm")).to_be_visible()
    line.add("first")
    expect(row(page, "first")).to_be_visible()
    expect(page.locator("#noChannels")).to_be_hidden()


def test_the_theme_is_chosen_and_remembered(line: Any, open_page: Open) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    page = open_page(line.registry.url, color_scheme="light")
    assert page.evaluate(ground) == "rgb(244, 245, 247)"
    page.get_by_label("Theme").select_option("dark")
    assert page.evaluate(ground) == "rgb(14, 17, 22)"
    page.reload()
    expect(page.get_by_label("Theme")).to_have_value("dark")
    assert page.evaluate(ground) == "rgb(14, 17, 22)"


def test_a_phone_needs_no_sideways_scrolling(line: Any, open_page: Open) -> None:
    line.add("a_channel_with_quite_a_long_name_that_must_not_widen_the_page")
    with line.feeding():
        page = open_page(line.registry.url, **PHONE)
        expect(page.locator("canvas[data-state=live]")).to_have_count(4)
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
        details = open_details(page, "example")
        expect(details.get_by_role("button", name="Remove")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
