import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from speeddata.relay.clock_file import ClockFile
from speeddata.relay.trusted_clock import Reading

S = 10**9
NOW = 1_780_000_000 * S
YEAR = 365 * 86400 * S


class Clocks:
    def __init__(self) -> None:
        self.wall, self.up = NOW, 100 * S

    def __call__(self) -> Reading:
        return Reading(self.wall, self.up, "boot")

    def run(self, seconds: int, step: int = 0) -> None:
        self.wall, self.up = self.wall + seconds * S + step, self.up + seconds * S


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "clock.json"
    assert not list(tmp_path.glob(".clock*"))


def test_a_step_is_said_shown_and_outlives_a_restart(
    path: Path, clocks: Clocks, caplog: pytest.LogCaptureFixture
) -> None:
    file = ClockFile(path, clocks)
    file.read()
    assert file.to_json() is None
    clocks.run(10, YEAR)
    file.read()
    assert caplog.messages == [
        f"the wall clock is +{YEAR // S} s off from what it should be; ages are not reckoned by it until it has held for a day"
    ]
    again = ClockFile(path, clocks)
    clocks.run(5)
    again.read()
    assert again.to_json() == {"by_s": YEAR // S, "held_s": 5}
    assert again.state.now_ns == NOW + 15 * S
    clocks.run(10, -YEAR)
    with caplog.at_level(logging.INFO):
        again.read()
    assert caplog.messages[-1] == "the wall clock is trusted again"
    assert again.to_json() is None
    assert len(caplog.messages) == 2


def test_a_step_while_nothing_ran_is_noticed(path: Path, clocks: Clocks) -> None:
    ClockFile(path, clocks).read()
    clocks.run(3600, YEAR)
    file = ClockFile(path, clocks)
    file.read()
    assert file.state.now_ns == NOW + 3600 * S


def test_it_is_saved_once_a_minute(path: Path, clocks: Clocks) -> None:
    file = ClockFile(path, clocks)
    file.read()
    first = path.read_bytes()
    clocks.run(59)
    file.read()
    assert path.read_bytes() == first
    clocks.run(1)
    file.read()
    assert json.loads(path.read_bytes())["reading"]["boot_ns"] == 160 * S


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000])
def test_a_file_that_is_spoiled_is_said_and_begun_anew(
    path: Path, clocks: Clocks, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    path.write_text(content)
    file = ClockFile(path, clocks)
    assert "steps of the wall clock while nothing ran are not noticed" in caplog.text
    file.read()
    assert file.state.now_ns == NOW
    assert ClockFile(path, clocks).state == file.state


def test_where_it_cannot_be_saved_it_works_on(
    path: Path, clocks: Clocks, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir()
    file = ClockFile(path, clocks)
    file.read()
    assert "cannot be written" in caplog.text
