"""What comes by HTTP and is sent live is held against limits; the alarms outlive streams that are closed and the process."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingest_harness import Harness
from line import make_spec
from store_client import NUMBERED, START

from speeddata.relay import ingest_live
from speeddata.relay.alarm_file import REST_S, save_json
from speeddata.relay.ingest_alarms import IngestAlarms

LIMITED: dict[str, Any] = copy.deepcopy(NUMBERED)
LIMITED["fields"][2]["speeddata"] = {"limits": {"alarm": [None, 10]}}  # the value of record n is n / 2
MS = 1_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Harness]:
    one = Harness(tmp_path)
    one.multicast = make_spec(tmp_path)["multicast"]  # type: ignore[attr-defined]
    begin(one)
    yield one
    one.close()


def begin(house: Harness, **other: Any) -> None:
    house.open("x", schema=LIMITED, multicast=house.multicast, **other)  # type: ignore[attr-defined]


def alarm(house: Harness, name: str = "x") -> dict[str, Any] | None:
    told = house.ask({"op": "alarms"})["channels"].get(name, [])
    return told[0] if told else None


def found(house: Harness, name: str = "x") -> dict[str, Any]:
    one = alarm(house, name)
    assert one is not None
    return one


def test_what_is_sent_live_is_checked_and_what_is_not_is_not(house: Harness) -> None:
    house.append(("x", 0, 30), live=False)
    assert alarm(house) is None
    house.append(("x", 0, 21), live=True)
    assert alarm(house) is None
    house.append(("x", 21, 3), ("x", 0, 1), live=True)
    one = found(house)
    assert (one["signal"], one["side"], one["rises"], one["level"], one["records"]) == (
        "value",
        "high",
        1,
        0,
        [3, 3],
    )
    assert one["worst"] == {"time": START + 23 * MS, "value": 11.5, "limit": 10.0, "kind": 5}


def test_what_was_to_be_sent_live_and_was_not_is_said(house: Harness) -> None:
    multicast = house.multicast  # type: ignore[attr-defined]
    for name, schema in (("y", LIMITED), ("z", NUMBERED)):
        house.open(name, schema=schema, multicast=multicast | {"interface": "203.0.113.7"})
        house.append((name, 21, 1), live=True)
    unchecked = house.ask({"op": "alarms"})["unchecked"]
    assert list(unchecked) == ["y"]
    assert unchecked["y"].startswith("it is not sent live: ")
    house.clock.now += ingest_live.RETRY_S
    house.open("y", schema=LIMITED, multicast=multicast)
    house.append(("y", 21, 1), live=True)
    assert house.ask({"op": "alarms"})["unchecked"] == {}
    assert found(house, "y")["rises"] == 1


def test_a_batch_that_is_repeated_is_checked_once(house: Harness) -> None:
    for _ in range(3):
        house.append(("x", 21, 1), live=True, key="k")
    assert found(house)["records"] == [1, 1]


def test_alarms_outlive_streams_that_are_closed(house: Harness) -> None:
    house.append(("x", 21, 1), live=True)
    for one in house.store.live.streams.values():
        one.copy.flush()
    house.clock.now += ingest_live.IDLE_S
    house.store.tick()
    assert house.store.live.streams == {}
    before = found(house)
    assert before["level"] == 2
    house.append(("x", 0, 1), live=True)
    assert found(house) == before | {"level": 0}


def test_what_is_acknowledged_is_known_to_open_and_closed_streams(house: Harness) -> None:
    house.append(("x", 21, 1), ("x", 0, 1), live=True)
    one = found(house)
    seen = ["value", "high", one["epoch"], 1]
    assert house.ask({"op": "acknowledge", "channel": "x", "seen": [seen]}) == {"ok": True}
    assert found(house)["seen"] == 1
    house.append(("x", 25, 1), live=True)
    one = found(house)
    assert (one["rises"], one["records"], one["worst"]["value"]) == (2, [1, 1], 12.5)
    house.store.live._close("x")
    house.ask({"op": "acknowledge", "channel": "x", "seen": [[*seen[:3], 2], ["value", "high", 5, 9]]})
    house.ask({"op": "acknowledge", "channel": "nosuch", "seen": [seen]})
    assert found(house) == one | {"seen": 2}


@pytest.mark.parametrize(
    "seen", [None, 5, [5], [["value", "high", 1]], [["value", "left", 1, 2]], [["v", "high", -1, 2]]]
)
def test_what_acknowledges_nothing_is_refused(house: Harness, seen: Any) -> None:
    answer = house.ask({"op": "acknowledge", "channel": "x", "seen": seen})
    assert (answer["status"], answer["field"]) == (400, "seen")


@pytest.mark.parametrize("killed", [True, False])
def test_alarms_outlive_the_process(house: Harness, killed: bool) -> None:
    house.append(("x", 21, 2), live=True)
    house.settle()
    before = found(house)
    if killed:
        for one in house.store.live.streams.values():
            one.sockets.close()
        house.kill()
    else:
        house.close()
        house.store = house._begin()
    assert found(house) == before
    begin(house)
    house.append(("x", 30, 1), live=True)
    one = found(house)
    assert (one["epoch"], one["rises"], one["records"]) == (before["epoch"], 1, [3, 3])


def test_the_file_is_written_once_a_second_at_most(house: Harness) -> None:
    path = house.journal.with_suffix(".alarms")

    def kept() -> int:
        return len(IngestAlarms(path).raised)

    house.append(("x", 21, 1), live=True)
    house.store.tick()
    assert kept() == 1
    house.open("y", schema=LIMITED, multicast=make_spec(house.folder)["multicast"])
    house.append(("y", 21, 1), live=True)
    house.store.tick()
    assert kept() == 1
    house.clock.now += REST_S
    house.store.tick()
    assert kept() == 2


def test_a_channel_that_is_forgotten_has_no_alarms(house: Harness) -> None:
    house.append(("x", 21, 1), live=True)
    house.ask({"op": "forget", "channel": "x"})
    assert alarm(house) is None
    house.settle()
    assert IngestAlarms(house.journal.with_suffix(".alarms")).raised == {}


@pytest.mark.parametrize("content", [{}, {"channels": []}, {"channels": {"x": [{}]}}])
def test_a_file_that_is_none_is_said(tmp_path: Path, content: Any, caplog: pytest.LogCaptureFixture) -> None:
    save_json(tmp_path / "a", content)
    assert IngestAlarms(tmp_path / "a").raised == {}
    assert "the alarms of before cannot be read" in caplog.text


def test_a_file_that_cannot_be_written_is_tried_again(
    house: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    fresh = house.folder / ".ingest.alarms.new"
    fresh.mkdir()
    house.append(("x", 21, 1), live=True)
    house.store.tick()
    assert "alarms are not kept" in caplog.text
    fresh.rmdir()
    house.clock.now += REST_S
    house.store.tick()
    assert list(IngestAlarms(house.journal.with_suffix(".alarms")).raised) == ["x"]
