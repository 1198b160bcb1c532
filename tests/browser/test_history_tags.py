"""Tags and exports of the history page, over a real system."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import history_pages
import long_archive as made
import numpy as np
import pytest
from history_pages import PLANT, Open, at, chart, view, whole, x_of, y_of
from playwright.sync_api import Page, expect
from system import System

import speeddata
from speeddata.times import parse_time

pytestmark = pytest.mark.browser

DAY = made.DAY
HOUR = DAY // 24


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with history_pages.running(tmp_path_factory.mktemp("tags") / "data") as system:
        yield system


@pytest.fixture
def history(system: System, open_page: Open) -> Iterator[Open]:
    yield history_pages.opener(system, open_page)
    for tag in system.get("/tags")["tags"]:
        system.ask("DELETE", f"/api/v1/tags/{tag['id']}")


def add(system: System, name: str, start: str, end: str, **more: Any) -> dict[str, Any]:
    status, tag = system.ask("POST", "/api/v1/tags", {"name": name, "start": start, "end": end} | more)
    assert status == 201, tag
    return dict(tag)


def tags(page: Page) -> Any:
    return page.locator("#tagLane button")


def test_shift_and_drag_tags_a_range(system: System, history: Open) -> None:
    page = history(at(PLANT, made.PEAK, made.PEAK + DAY))
    y = y_of(page)
    page.keyboard.down("Shift")
    page.mouse.move(x_of(page, made.PEAK + 6 * HOUR), y)
    page.mouse.down()
    page.mouse.move(x_of(page, made.PEAK + 12 * HOUR), y, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    dialog = page.get_by_role("dialog", name="Tag this range")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_have_text("A name is needed.")
    dialog.get_by_label("Name").fill("warm <b>up</b>")
    dialog.get_by_label("Note").fill("of the inlet")
    dialog.get_by_role("button", name="Save").click()
    expect(tags(page)).to_have_text(["warm <b>up</b>"])
    (tag,) = system.get("/tags")["tags"]
    assert (tag["name"], tag["note"], tag["channels"]) == ("warm <b>up</b>", "of the inlet", ["plant"])
    assert parse_time(tag["start"]) == pytest.approx(made.PEAK + 6 * HOUR, abs=5 * 60 * made.NS)
    assert parse_time(tag["end"]) == pytest.approx(made.PEAK + 12 * HOUR, abs=5 * 60 * made.NS)
    assert view(page) == (made.PEAK, made.PEAK + DAY), "the view stays"


def test_a_tag_is_opened_changed_and_deleted(system: System, history: Open) -> None:
    exact = "2025-04-11T13:00:00.000000001Z"
    tag = add(system, "run 7", exact, "2025-04-11T15:00:00Z", channels=["plant"], note="hot")
    page = history(at(PLANT, made.PEAK, made.PEAK + DAY), timezone_id="Asia/Tokyo")
    tags(page).click()
    dialog = page.get_by_role("dialog", name="Tag")
    expect(dialog.get_by_label("Note")).to_have_value("hot")
    expect(dialog.get_by_label("From")).to_have_value("2025-04-11 22:00")
    dialog.get_by_label("Name").fill("run 8")
    dialog.get_by_label("to", exact=True).fill("2025-04-11T23:30")
    dialog.get_by_label("About").select_option("all channels")
    dialog.get_by_role("button", name="Save").click()
    expect(tags(page)).to_have_text(["run 8"])
    changed = system.get(f"/tags/{tag['id']}")
    wanted = {"name": "run 8", "start": exact, "end": "2025-04-11T14:30:00Z", "channels": None, "note": "hot"}
    assert {key: changed[key] for key in wanted} == wanted
    tags(page).focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Zoom to it").click()
    start, end = view(page)
    assert end - start == pytest.approx(1.5 * HOUR * 1.1, rel=1e-6)
    tags(page).click()
    dialog.get_by_role("button", name="Delete").click()
    expect(tags(page)).to_have_count(0)
    assert system.get("/tags")["tags"] == []


def test_a_refusal_is_told_in_the_dialog(system: System, history: Open, watch: Any) -> None:
    watch.forgive("404")
    tag = add(system, "run", "2025-04-11T13:00:00Z", "2025-04-11T15:00:00Z")
    page = history(at(PLANT, made.PEAK, made.PEAK + DAY))
    tags(page).click()
    system.ask("DELETE", f"/api/v1/tags/{tag['id']}")
    dialog = page.get_by_role("dialog", name="Tag")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("Tag not found")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_tags_of_other_channels_are_not_shown_and_many_are_counted(system: System, history: Open) -> None:
    add(system, "elsewhere", "2025-04-11T13:00:00Z", "2025-04-11T15:00:00Z", channels=["quick"])
    for number in range(5):
        add(system, f"run {number}", f"2025-04-11T13:0{number}:00Z", "2025-04-11T20:00:00Z")
    page = history(at(PLANT, made.PEAK, made.PEAK + DAY))
    expect(tags(page)).to_have_text(["run 0", "run 1", "run 2"])
    expect(page.locator("#tagLane .more")).to_have_text("+2")


def test_the_shown_range_is_tagged_by_keyboard(history: Open) -> None:
    page = history(at(PLANT, made.PEAK, made.PEAK + DAY))
    chart(page).focus()
    page.keyboard.press("t")
    dialog = page.get_by_role("dialog", name="Tag this range")
    page.keyboard.type("a day")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(tags(page)).to_have_text(["a day"])


def export(page: Page, **choices: str) -> Any:
    page.get_by_role("button", name="Export", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Export")
    for label, choice in choices.items():
        dialog.get_by_label(label).select_option(choice)
    dialog.get_by_role("button", name="Export").click()
    return dialog


def test_a_long_range_is_exported_in_the_background(history: Open, tmp_path: Path) -> None:
    page = history(at(PLANT, made.PEAK, made.PEAK + 30 * DAY))
    dialog = export(page)
    link = dialog.get_by_role("link", name=re.compile(r"^Download .* [kM]B$"))
    expect(dialog.get_by_role("status")).to_contain_text(".h5")
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "x.h5")
    got = speeddata.read_hdf5(tmp_path / "x.h5")
    assert list(got) == ["plant"]
    signal = got["plant"]["temperature"]
    assert len(signal) == 30 * 24 * 60
    assert np.asarray(signal)[0] == 95.0
    page.keyboard.press("Escape")


def test_a_short_range_is_exported_at_once_and_its_end_is_not_part_of_it(
    history: Open, tmp_path: Path
) -> None:
    page = history(at(PLANT, made.PEAK, made.PEAK + 4 * 60 * made.NS))
    dialog = export(page, Format="CSV", Signals="all of their channels")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "x.csv")
    head, *rows = (tmp_path / "x.csv").read_text().split()
    assert head.replace('"', "") == "time,temperature,inlet,pressure"
    assert len(rows) == 4
    assert rows[0].strip('"').startswith("2025-04-11T12:00:00")


def test_a_refused_export_is_told(history: Open, system: System, watch: Any) -> None:
    watch.forgive("507", "Failed to load")
    page = history(at(PLANT, made.PEAK, made.PEAK + DAY))
    page.route(
        f"http://127.0.0.1:{system.pivot_port}/api/v1/exports",
        lambda route: route.fulfill(
            status=507,
            json={"error": "There is no room for the export"},
            headers={
                "access-control-allow-origin": f"http://127.0.0.1:{system.api_port}",
                "access-control-allow-credentials": "true",
                "access-control-allow-headers": "content-type",
            },
        ),
    )
    dialog = export(page)
    expect(dialog.get_by_role("status")).to_have_text("There is no room for the export")
    page.unroute_all(behavior="ignoreErrors")
    whole(page)


def test_closing_the_dialog_cancels_an_export_that_is_only_beginning(history: Open, system: System) -> None:
    page = history(at(PLANT, made.PEAK, made.PEAK + 30 * DAY))
    exports = f"http://127.0.0.1:{system.pivot_port}/api/v1/exports"
    page.evaluate(
        """(exports) => {
            const ask = fetch;
            globalThis.fetch = async (address, options) => {
                if (address === exports) await new Promise((resolve) => (globalThis.letGo = resolve));
                return ask(address, options);
            };
        }""",
        exports,
    )
    dialog = export(page)
    expect(dialog.get_by_role("status")).to_have_text("Starting…")
    page.wait_for_function("() => globalThis.letGo")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Export", exact=True).first.click()
    with page.expect_request(lambda request: request.method == "DELETE" and request.url.startswith(exports)):
        page.evaluate("() => letGo()")
    expect(dialog.locator("[role=status]")).to_be_empty()
    expect(dialog.get_by_role("button", name="Close")).to_be_visible()
    page.keyboard.press("Escape")
