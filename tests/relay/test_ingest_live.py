"""Which batches are sent live: as the request says, else as the channel does."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingest_harness import Harness
from line import drain, make_spec, subscribe
from own_network import ADDRESS, CARD, ip, needs_root, own_network, plug_in
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
    counts = house.store.channels["x"].counts
    assert (counts.live_error or "").startswith("not sent live: multicast ")
    house.clock.now += ingest_live.RETRY_S
    house.open("x", multicast=multicast | {"interface": "127.0.0.1"})
    assert house.append(("x", 2, 1), live=True)["ok"]
    assert house.store.channels["x"].counts.live_error is None


@pytest.mark.netns
@needs_root
def test_fault_59_a_stream_that_cannot_be_sent_stops_no_batch(tmp_path: Path) -> None:
    with own_network():
        plug_in()
        multicast = make_spec(tmp_path)["multicast"] | {"interface": ADDRESS, "ttl": 1}
        with contextlib.closing(Harness(tmp_path)) as house:
            house.open("x", multicast=multicast, decimation={"algorithm": "downsample", "factor": 1})
            counts = house.store.channels["x"].counts
            house.append(("x", 0, 5), live=True)
            assert (counts.live_packets, counts.live_failed, counts.live_error) == (6, 0, None)
            ip(f"link set {CARD} down")
            house.append(("x", 5, 5), live=True)
            wrong = "Network is unreachable"
            assert (counts.live_failed, counts.live_error) == (
                6,
                f"not sent live, full_rate: {wrong}; decimated: {wrong}",
            )
            ip(f"link set {CARD} up")
            house.append(("x", 10, 5), live=True)
            assert (counts.live_packets, counts.live_failed, counts.live_error) == (12, 6, None)
            assert house.numbers("x") == list(range(15))


@pytest.mark.netns
@needs_root
def test_fault_61_streams_go_by_an_interface_that_has_come_back(tmp_path: Path) -> None:
    with own_network():
        plug_in()
        multicast = make_spec(tmp_path)["multicast"] | {"interface": ADDRESS, "ttl": 1}
        with contextlib.closing(Harness(tmp_path)) as house:
            house.open("x", multicast=multicast)
            counts = house.store.channels["x"].counts
            house.append(("x", 0, 1), live=True)
            house.settle()
            ip(f"link del {CARD}")
            house.settle()
            house.append(("x", 1, 1), live=True)
            absent = f"not sent live (full_rate, decimated): no interface has the address {ADDRESS}"
            assert counts.live_error == absent
            plug_in("another")
            with subscribe(*multicast["full_rate"].values(), ADDRESS) as subscriber:
                house.settle()
                house.append(("x", 2, 1), live=True)
                assert subscriber.recv(1000) == rows(2, 1)
            house.store.live.streams["x"].copy.flush()
            house.settle()
            assert counts.live_error is None
            assert house.numbers("x") == [0, 1, 2]
