"""Channels and groups: what is joined, when, and what names mean."""

import itertools
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from live import EXAMPLE, Encoder, Sender, free_port, wait_for

from speeddata.schema import Schema
from speeddata.signing import Signer
from speeddata.stripchart.catalogue import Address, ChannelInfo, Making
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.receiver import Receiver
from speeddata.stripchart.streams import Streams, find

NOW = 1_795_312_800_000_000_000
ENCODE = Encoder(EXAMPLE)
SCHEMA = Schema.parse(EXAMPLE)


def record(value: float) -> bytes:
    told = {"message": "m", "counter": 0, "sine_wave": 0.0, "square_wave": 0.0, "is_on": True}
    return ENCODE(time=NOW, ramp=value, **told)


def channels(*names: str) -> dict[str, LiveChannel]:
    ids = itertools.count(1)
    return {
        name: LiveChannel(ChannelInfo(name, ("239.255.44.1", 1), None, "1", None, SCHEMA), ids)
        for name in names
    }


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.ramp", "a.ramp"),
        ("a.b.ramp", "a.b.ramp"),
        ("ramp", "several signals of that name: a.b.ramp, a.ramp"),
        ("a.nothing", "no such signal: a.nothing"),
        ("c.ramp", "no such signal: c.ramp"),
        ("", "no such signal: "),
        (".", "no such signal: ."),
    ],
)
def test_names_are_found(name: str, found: str) -> None:
    signal = find(name, channels("a", "a.b"))
    assert (signal if isinstance(signal, str) else signal.name) == found


def test_a_name_alone_is_enough_when_one_channel_has_it() -> None:
    signal = find("ramp", channels("a"))
    assert not isinstance(signal, str)
    assert signal.name == "a.ramp"


class Bench:
    """Streams that join real groups, and what was joined."""

    def __init__(self) -> None:
        self.joined: list[Address] = []
        self.streams = Streams(self.join)
        self.groups = [(f"239.255.44.{n}", free_port(socket.SOCK_DGRAM)) for n in (1, 2)]
        self.senders = [Sender(group) for group in self.groups]

    def join(self, group: Address) -> Receiver:
        self.joined.append(group)
        return Receiver(group, "127.0.0.1")

    def info(self, **more: object) -> ChannelInfo:
        decimated, full = self.groups
        info = ChannelInfo("c", decimated, None, "1", None, SCHEMA, (), full, Making(20_000_000, True))
        return replace(info, **more)  # type: ignore[arg-type]

    def send(self, which: int, *values: float) -> None:
        for value in values:
            self.senders[which].send(record(value))

    def drained(self, channel: LiveChannel, records: int) -> bool:
        self.streams.drain(NOW)
        return channel.records >= records


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.streams.close()
    for sender in made.senders:
        sender.close()


def test_full_rate_is_joined_only_while_it_is_wanted(bench: Bench) -> None:
    streams = bench.streams
    streams.apply([bench.info()])
    assert bench.joined == bench.groups[:1]
    assert streams.find("c.ramp", "full") == "c has no stream at full rate"
    streams.want_full({"c", "nothing"}, 0)
    assert bench.joined == bench.groups
    signal = streams.find("c.ramp", "full")
    assert not isinstance(signal, str)
    full = streams.channel_of(signal, "full")
    assert (full.info.making, full.ring.span_ns) == (Making(), 60 * 10**9)
    assert full is not streams.channel_of(signal, "live")
    bench.send(0, 1)
    bench.send(1, 1, 2, 3)
    wait_for(lambda: bench.drained(full, 3))
    assert streams.channels["c"].records == 1
    streams.want_full((), 10**9)
    streams.want_full((), 30 * 10**9)
    streams.tidy(61 * 10**9)
    assert list(streams.full) == ["c"], "for a minute more"
    streams.tidy(62 * 10**9)
    assert (streams.full, streams.all) == ({}, list(streams.channels.values()))
    streams.want_full({"c"}, 0)
    assert bench.joined == [*bench.groups, bench.groups[1]]


def test_signed_packets_come_with_their_trailers_at_full_rate_alone(bench: Bench) -> None:
    streams, signer = bench.streams, Signer("c", bytes(32))
    streams.apply([bench.info(signed=True)])
    streams.want_full({"c"}, 0)
    bench.senders[0].send(record(1))
    bench.senders[1].send(signer.sign(record(1) + record(2)))
    bench.senders[1].send(record(3))  # one that came by HTTP
    wait_for(lambda: bench.drained(streams.full["c"], 3) and streams.channels["c"].records == 1)
    bench.senders[0].send(signer.sign(record(2)))
    wait_for(lambda: bench.drained(streams.full["c"], 3) and streams.channels["c"].bad == 1)
    assert streams.full["c"].bad == 0


def test_a_channel_whose_full_group_is_gone_has_none(bench: Bench) -> None:
    bench.streams.apply([bench.info()])
    bench.streams.want_full({"c"}, 0)
    bench.streams.apply([bench.info(full_group=None)])
    assert bench.streams.full == {}


def test_another_schema_makes_another_channel_of_both_kinds(bench: Bench) -> None:
    streams = bench.streams
    streams.apply([bench.info()])
    streams.want_full({"c"}, 0)
    before = streams.all
    streams.apply([bench.info(revision="2")])
    assert streams.all == before
    streams.apply([bench.info(schema=Schema.parse({**EXAMPLE, "doc": "another"}))])
    assert not set(streams.all) & set(before)
    assert streams.full["c"].ring.span_ns == 60 * 10**9


def test_what_the_kernel_threw_away_is_lost_after_what_was_received(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = bench.streams
    streams.apply([bench.info(making=Making())])
    (channel,) = streams.channels.values()
    bench.send(0, 1, 2)
    dropped = iter([0, 0, 5])
    monkeypatch.setattr(Receiver, "_read_drops", lambda _: next(dropped, 5))
    wait_for(lambda: bench.drained(channel, 2))
    while not channel.has_lost:
        streams.drain(NOW)
    bench.send(0, 3)
    wait_for(lambda: bench.drained(channel, 3))
    assert [str(value) for value in channel.ring.values(2, 0)] == ["1.0", "2.0", "nan", "3.0"]
    assert streams.status()["c"]["drops"] == 5
