"""Which batches are sent live: as the request says, else as the channel does."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingest_harness import Harness
from line import drain, make_spec, subscribe
from store_client import NUMBERED, rows

from speeddata.relay import ingest_live


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Harness]:
    one = Harness(tmp_path)
    yield one
    one.close()


@pytest.fixture
def heard(house: Harness) -> Iterator[tuple[socket.socket, dict[str, Any]]]:
    multicast = make_spec(house.folder)["multicast"]
    with subscribe(**multicast["full_rate"]) as subscriber:
        yield subscriber, multicast


@pytest.mark.parametrize("channel", [True, False])
@pytest.mark.parametrize("request_says", [True, False, None])
def test_what_is_wanted_is_sent(
    house: Harness, heard: tuple[socket.socket, dict[str, Any]], channel: bool, request_says: bool | None
) -> None:
    subscriber, multicast = heard
    house.open("x", multicast=multicast, live=channel)
    house.append(("x", 0, 10), live=request_says)
    wanted = channel if request_says is None else request_says
    assert drain(subscriber) == ([rows(0, 10)] if wanted else [])
    counts = house.store.channels["x"].counts
    assert (counts.live_packets > 0, counts.live_failed) == (wanted, 0)


def test_what_is_refused_or_repeated_is_not_sent(
    house: Harness, heard: tuple[socket.socket, dict[str, Any]]
) -> None:
    subscriber, multicast = heard
    house.open("x", multicast=multicast)
    for _ in range(2):
        house.append(("x", 0, 10), live=True, key="k")
    house.append(("x", 0, 10), live=True, key="k", durability="no")
    assert drain(subscriber) == [rows(0, 10)]


def test_a_plain_stream_is_of_the_newest_version_alone(
    house: Harness, heard: tuple[socket.socket, dict[str, Any]]
) -> None:
    subscriber, multicast = heard
    second = {**NUMBERED, "fields": [*NUMBERED["fields"], {"name": "more", "type": "int", "default": 0}]}
    house.open("x", multicast=multicast, schema=second, versions=[NUMBERED])
    assert house.append(("x", 0, 10), live=True)["ok"]
    assert drain(subscriber) == []
    house.open("x", multicast=multicast, schema=second, versions=[NUMBERED], framing="single_object")
    assert house.append(("x", 0, 1), live=True)["ok"]
    assert drain(subscriber)[0][10:] == rows(0, 1)


def test_streams_are_few_and_closed_when_nothing_comes(
    house: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_live, "MOST", 2)
    for name in "abc":
        house.open(name, multicast=make_spec(house.folder)["multicast"])
        house.append((name, 0, 1), live=True)
    assert list(house.store.live.streams) == ["b", "c"]
    for one in house.store.live.streams.values():
        one.copy.flush()
    house.clock.now += ingest_live.IDLE_S
    house.store.tick()
    assert list(house.store.live.streams) == []


def test_streams_that_cannot_be_opened_are_tried_again_later(house: Harness) -> None:
    multicast = make_spec(house.folder)["multicast"] | {"interface": "203.0.113.7"}
    house.open("x", multicast=multicast)
    assert house.append(("x", 0, 1), live=True)["ok"]
    assert house.append(("x", 1, 1), live=True)["ok"]
    assert house.store.live.streams == {}
    assert house.numbers("x") == [0, 1]
