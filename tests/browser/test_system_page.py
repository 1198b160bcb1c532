"""The page at /system, over the running system."""

import os
import re
import signal
from collections.abc import Callable, Iterator

import pytest
import system
from live import EXAMPLE
from playwright.sync_api import Page, expect
from ports import free_port
from system import System

pytestmark = pytest.mark.browser

FINDING = {
    "findings": [
        {
            "name": "receive_buffer",
            "text": "receive buffer: 212992 bytes of 67108864 wanted, net.core.rmem_max is 212992",
            "mend": [{"words": "mend it with", "command": "sudo sysctl -w net.core.rmem_max=67108864"}],
        }
    ]
}


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system.run(tmp_path_factory.mktemp("page") / "data") as started:
        started.register("engine", free_port(), EXAMPLE)
        started.processes()
        yield started


@pytest.fixture
def page(running: System, open_page: Callable[..., Page]) -> Page:
    return open_page(f"http://127.0.0.1:{running.api_port}/system")


def test_every_process_is_listed_with_what_it_uses(running: System, page: Page) -> None:
    status = running.processes()
    rows = page.locator("#processTable tbody tr")
    names = ["orchestrator", "keeper", *(one["name"] for one in status["services"]), "relay engine"]
    expect(rows.locator("th")).to_have_text(names)
    keeper = rows.nth(1).locator("td")
    expect(keeper.nth(0)).to_have_text("active")
    expect(keeper.nth(1)).to_have_text(str(status["keeper"]["pid"]))
    expect(keeper.nth(2)).to_have_text(re.compile(r"^\d+(\.\d)?\s%$"))
    expect(keeper.nth(3)).to_have_text(re.compile(r"MiB$"))
    expect(page.locator("#state")).to_have_text("All active")


def test_buffers_and_machine(running: System, page: Page) -> None:
    buffer = running.get("/channels/engine")["stats"]["receive_buffer"]
    cells = page.locator("#bufferTable tbody tr").locator("th, td")
    expect(cells.nth(0)).to_have_text("engine")
    expect(cells.nth(2)).to_have_text(re.compile("^64\\sMiB$"))
    expect(cells.nth(1)).to_have_attribute(
        "data-tone", "" if buffer["granted"] >= buffer["wanted"] else "bad"
    )
    expect(page.locator("#tiles .tile").nth(0).locator("strong")).to_have_text(re.compile(r"^\d+(\.\d)?\s%$"))
    expect(page.locator("#kernel")).to_contain_text("net.core.rmem_max")


def test_a_process_that_is_started_again_is_shown(running: System, page: Page) -> None:
    row = page.locator("#processTable tbody tr").filter(has_text="relay engine")
    expect(row.locator("td").last).to_have_text("0")
    os.kill(running.get("/channels/engine")["pid"], signal.SIGKILL)
    expect(row.locator("td").last).to_have_text("1")
    expect(row.locator(".chip")).to_have_text("active")


def test_the_doctor_tells_what_to_mend_and_how(page: Page) -> None:
    findings = page.locator("#findings")
    expect(findings).to_contain_text("receive buffer")
    page.route("**/api/v1/doctor", lambda route: route.fulfill(json=FINDING))
    page.get_by_role("button", name="Examine again").click()
    expect(findings).to_contain_text("receive buffer: 212992 bytes of 67108864 wanted")
    expect(findings.locator("code")).to_have_text("sudo sysctl -w net.core.rmem_max=67108864")
    page.get_by_role("button", name="Copy: sudo sysctl").focus()
    expect(page.locator("#measured")).to_be_hidden()


def test_it_is_said_when_what_is_shown_is_old(page: Page, watch: object) -> None:
    watch.forgive("Failed to load resource")  # type: ignore[attr-defined]
    expect(page.locator("#state")).to_have_text("All active")
    page.route("**/api/v1/system", lambda route: route.abort())
    expect(page.locator("#trouble")).to_contain_text("The registry does not answer: what is shown is")
    expect(page.locator("#state")).to_have_text("Not known")
    expect(page.locator("#main")).to_have_class("old")
    page.unroute("**/api/v1/system")
    expect(page.locator("#state")).to_have_text("All active")
    expect(page.locator("#main")).not_to_have_class("old")
