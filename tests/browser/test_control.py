"""What can be done on the page at /, on the whole running system: look, register, edit, restart, tag, export."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import system
from line import NUMBERED, numbered, wait_until
from page_watch import Watch
from playwright.sync_api import Page, expect
from ports import free_port
from system import System

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
FRAMED = {"framing": "single_object"}


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system.run(tmp_path_factory.mktemp("control") / "data") as started:
        started.register("engine", free_port(), NUMBERED)
        started.register("framed", free_port(), NUMBERED, **FRAMED)
        started.processes()
        yield started


@pytest.fixture
def page(running: System, open_page: Open) -> Page:
    return open_page(f"http://127.0.0.1:{running.api_port}/")


def details(page: Page, name: str) -> Any:
    page.get_by_role("button", name=f"Details of {name}").click()
    return page.locator(f"#details-{name}")


def fact(where: Any, label: str) -> Any:
    return where.locator("dl > div").filter(has=where.page.locator("dt", has_text=label)).locator("dd")


def test_details_tell_who_sends_and_what_came_of_it(running: System, page: Page) -> None:
    port = running.get("/channels/engine")["port"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.connect(("127.0.0.1", port))
        for n in (1, 2, 5):
            source.send(numbered(n))
        source.send(b"\xff\xff\xff")
        shown = details(page, "engine")
        sender = shown.locator(".sources tbody tr")
        address = f"127.0.0.1:{source.getsockname()[1]}"
        expect(sender.locator("th")).to_have_text(address)
    expect(sender.locator("td")).to_have_text(
        ["3", "3", "1", "2", "0", "0", re.compile(r"^\d+(\.\d)?\ss ago$")]
    )
    expect(fact(shown, "short")).to_have_text("1")
    expect(fact(shown, "Missing on the way")).to_have_text("2 numbers")
    expect(fact(shown, "On the disk")).to_have_text("all")
    expect(fact(shown, "Written")).to_have_text(re.compile("^3 records, "))
    opener = page.get_by_role("button", name="Details of engine")
    expect(opener).to_have_attribute("aria-expanded", "true")
    opener.press("Enter")
    expect(shown).to_have_count(0)
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(opener).to_be_focused()


def test_the_line_of_tiles_tells_how_it_stands(page: Page) -> None:
    tile = page.locator("#tiles .tile")
    expect(tile.filter(has_text="Archive disk").locator("strong")).to_have_text(re.compile(r"[kMGT]B free$"))
    expect(tile.filter(has_text="Processes").locator("strong")).to_have_text("all run")
    expect(tile.filter(has_text="Channels").locator("strong")).to_have_text(re.compile(" of 2 live$"))


def test_decimation_is_edited_while_the_relay_runs(running: System, page: Page, watch: Any) -> None:
    watch.forgive("400")
    pid = running.get("/channels/engine")["pid"]
    button = details(page, "engine").get_by_role("button", name="Edit")
    button.click()
    dialog = page.get_by_role("dialog", name="Edit engine")
    expect(dialog.get_by_label("Send")).to_be_focused()
    expect(dialog.locator("[name=versions]")).to_be_hidden()
    dialog.get_by_label("Send").select_option("every N-th record")
    dialog.locator("[name=number]").fill("0.5")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".answer")).to_contain_text("decimation.factor is 0.5, wanted")
    dialog.locator("[name=number]").fill("25")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    expect(page.locator("#notice")).to_have_text("engine is changed, its relay has gone over to it.")
    expect(fact(page.locator("#details-engine"), "Decimated").first).to_have_text("every 25th record")
    channel = running.get("/channels/engine")
    assert (channel["pid"], channel["decimation"]["factor"]) == (pid, 25)


def test_a_further_version_of_a_schema_is_looked_at_and_registered(
    running: System, page: Page, watch: Watch
) -> None:
    watch.forgive("409")
    details(page, "framed").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit framed")
    field = dialog.get_by_label("The Avro schema, as JSON")
    field.fill("{")
    expect(dialog.locator("#versionProblem")).to_contain_text("The schema is not JSON")
    expect(field).to_have_attribute("aria-invalid", "true")
    newer = NUMBERED | {"fields": [*NUMBERED["fields"], {"name": "torque", "type": "floot"}]}
    field.fill(json.dumps(newer))
    expect(dialog.locator("#versionProblem")).to_contain_text("field 'torque': unknown type")
    field.fill(json.dumps(newer).replace("floot", "float"))
    expect(dialog.locator(".found")).to_contain_text("4 signals found")
    expect(dialog.locator("#versionProblem")).to_be_hidden()
    dialog.get_by_role("button", name="Save").click()
    # A field more, of which what was recorded before has nothing.
    expect(dialog.locator(".answer")).to_contain_text(
        "Schema is not compatible: records of version 1 cannot be read"
    )
    dialog.get_by_label("Take it even where").check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert running.get("/channels/framed")["schemas"] == 2


def test_a_relay_is_restarted(running: System, page: Page) -> None:
    pid = running.get("/channels/framed")["pid"]
    shown = details(page, "framed")
    shown.get_by_role("button", name="Restart relay").click()
    expect(page.locator("#notice")).to_have_text("The relay of framed was replaced.")
    expect(fact(shown, "Process")).not_to_have_text(str(pid))
    assert running.get("/channels/framed")["state"] == "active"


def test_a_registration_is_looked_at_while_it_is_typed(running: System, page: Page) -> None:
    taken = running.get("/channels/engine")["port"]
    page.locator("#register > summary").click()
    form = page.locator("#registerForm")
    form.get_by_label("Name").fill("engine")
    expect(page.locator("#nameProblem")).to_contain_text("Channel name already registered")
    form.get_by_label("UDP port").fill(str(taken))
    expect(page.locator("#portProblem")).to_have_text(
        f"Port already in use: {taken} belongs to engine, wanted one that is free"
    )
    form.get_by_label("Name").fill("engine 2")
    expect(page.locator("#nameProblem")).to_contain_text("wanted 1 to 64 letters")
    form.get_by_label("Name").fill("engine_2")
    expect(page.locator("#nameProblem")).to_be_hidden()
    form.get_by_label("Schema file").fill("agents/nosuch.avsc")
    expect(page.locator("#pathProblem")).to_contain_text("Schema file not found")
    form.get_by_label("Schema file").fill("")
    content = json.dumps(NUMBERED).encode()
    file = {"name": "x.avsc", "mimeType": "application/json", "buffer": content}
    form.locator("[name=file]").set_input_files(file)
    expect(form.locator(".found li")).to_have_text(
        ["time long (time in ns)", "n long (sequence)", "value double"]
    )
    expect(page.locator("#pathProblem")).to_be_hidden()
    assert [one["name"] for one in running.get("/channels")["channels"]] == ["engine", "framed"]


def test_what_has_just_happened_is_tagged_by_two_clicks(running: System, page: Page) -> None:
    button = page.get_by_role("button", name="15 min", exact=True)
    before = time.time_ns()
    button.click()
    dialog = page.get_by_role("dialog", name="The last 15 min are tagged")
    expect(dialog.get_by_label("Note")).to_be_focused()
    (tag,) = running.get("/tags")["tags"]  # from the first click on
    page.keyboard.type("it was loud")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    (kept,) = running.get("/tags")["tags"]
    assert kept == tag | {"note": "it was loud"}
    assert kept["channels"] is None
    start, end = (int(1000 * _seconds(page, kept[key])) for key in ("start", "end"))
    assert end - start == 15 * 60 * 1000
    assert 0 <= end - before // 10**6 < 20_000
    running.ask("DELETE", f"/api/v1/tags/{kept['id']}")


def _seconds(page: Page, text: str) -> float:
    return float(page.evaluate("(text) => Date.parse(text) / 1000", text))


def test_a_channels_tag_can_be_taken_back(running: System, page: Page) -> None:
    details(page, "engine").get_by_role("button", name="Tag last 5 min").click()
    dialog = page.get_by_role("dialog", name="The last 5 min are tagged")
    wait_until(lambda: [tag["channels"] for tag in running.get("/tags")["tags"]] == [["engine"]], "the tag")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_be_hidden()
    assert running.get("/tags")["tags"] == []


def test_a_range_is_exported_with_its_progress(page: Page, tmp_path: Any) -> None:
    expect(page.locator("#export")).to_be_visible()
    page.get_by_role("button", name="Export a range of engine").click()
    dialog = page.get_by_role("dialog", name="Export a range")
    dialog.get_by_label("Range").select_option("from … to …")
    dialog.get_by_role("textbox", name="From").fill("yesterday")
    dialog.get_by_role("button", name="Export").click()
    expect(dialog.get_by_role("status")).to_contain_text("The beginning is not a time")
    dialog.get_by_role("textbox", name="From").fill("2020-01-01")
    dialog.get_by_label("Format").select_option("csv")
    dialog.get_by_role("button", name="Export").click()
    link = dialog.get_by_role("link", name=re.compile("^Download [0-9.]+"))
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "engine.csv")
    lines = (tmp_path / "engine.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == ['"n"', "1", "2", "5"]
