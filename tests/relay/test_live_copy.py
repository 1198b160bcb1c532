"""Records sent live from one piece: packets of whole records, and the decimated stream as a relay makes it."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from channels import plan_of
from line import NUMBERED, drain, make_spec, numbered, running, subscribe, wait_until

from speeddata.relay.ingest_records import Records
from speeddata.relay.live_copy import LiveCopy
from speeddata.relay.sockets import open_output
from speeddata.relay.spec import ChannelSpec, Decimation

PLAN = plan_of(NUMBERED)
MS = 1_000_000
START = 1_700_000_000_000 * MS
EACH = {"enabled": False}


class Copied:
    """A copy with its two streams, and who hears them."""

    def __init__(self, folder: Path, decimation: dict[str, object], framed: bool = False) -> None:
        given = make_spec(folder, decimation=decimation)
        multicast = ChannelSpec.from_json(given).wire[1]
        self.sockets = contextlib.ExitStack()
        full, decimated = (
            self.sockets.enter_context(open_output(multicast, group))
            for group in (multicast.full_rate, multicast.decimated)
        )
        self.heard = [
            self.sockets.enter_context(subscribe(**given["multicast"][name]))
            for name in ("full_rate", "decimated")
        ]
        resolved = Decimation.from_json(decimation).resolved()
        self.copy = LiveCopy([PLAN], framed, full.fileno(), decimated.fileno(), *resolved)

    def send(self, *packets: bytes) -> None:
        data = b"".join(packets)
        self.copy.send(Records(PLAN, data, 0, len(data), 1 << 18, 4, START))

    def packets(self, stream: int) -> list[bytes]:
        return drain(self.heard[stream])


@pytest.fixture
def sockets() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def copied(sockets: contextlib.ExitStack, *about: object) -> Copied:
    one = Copied(*about)  # type: ignore[arg-type]
    sockets.push(one.sockets)
    return one


@pytest.mark.parametrize("count", [1, 50, 20_000])
def test_packets_hold_whole_records_and_are_of_no_more_than_1400_bytes(
    sockets: contextlib.ExitStack, tmp_path: Path, count: int
) -> None:
    one = copied(sockets, tmp_path, EACH)
    given = [numbered(n, time_ns=START + n) for n in range(count)]
    one.send(*given)
    found = one.packets(0)
    assert b"".join(found) == b"".join(given)
    assert all(PLAN.packet(packet) and len(packet) <= 1400 for packet in found)
    assert len(found) <= len(b"".join(given)) // (1400 - 30) + 1


def test_framed_packets_say_which_version_they_are_of(sockets: contextlib.ExitStack, tmp_path: Path) -> None:
    one = copied(sockets, tmp_path, EACH, True)
    given = [numbered(n, time_ns=START + n) for n in range(20_000)]
    one.send(*given)
    found = one.packets(0)
    assert sum(PLAN.packet(packet, "single_object") for packet in found) == len(given)
    assert all(len(packet) <= 1400 for packet in found)
    assert [packet[10:] for packet in one.packets(1)] == given[: len(given)]
    assert one.copy.take_counts() == (len(found) + len(given), 0)


@pytest.mark.parametrize("algorithm", ["minmax", "average", "rms", "downsample"])
def test_the_decimated_stream_is_that_of_a_relay(
    sockets: contextlib.ExitStack, tmp_path: Path, algorithm: str
) -> None:
    decimation = {"algorithm": algorithm, "factor": 10 if algorithm == "downsample" else None}
    decimation["rate_hz"] = None if algorithm == "downsample" else 50.0
    given = [numbered(n, float(n * n % 7), START + n * MS) for n in range(1, 1000)]
    spec = make_spec(tmp_path, decimation=decimation)
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        line.send(*given)
        line.wait(decimated={"minmax": 2 * 50, "downsample": 99}.get(algorithm, 50))
        by_relay = drain(subscriber)
    one = copied(sockets, tmp_path, decimation)
    for at in range(0, 1000, 30):
        one.send(*given[at : at + 30])
    assert one.packets(1) == by_relay[: len(given)] or one.copy.tick() is not None
    one.copy.flush()
    assert one.copy.take_counts()[1] == 0


def test_a_bucket_is_sent_when_nothing_follows(sockets: contextlib.ExitStack, tmp_path: Path) -> None:
    one = copied(sockets, tmp_path, {"algorithm": "minmax", "factor": None, "rate_hz": 50.0})
    one.send(*(numbered(n, float(n), START + n) for n in range(10)))
    assert one.packets(1) == []
    assert 0 < (one.copy.tick() or 0) <= 1.0
    wait_until(lambda: one.copy.tick() is None, "the bucket")
    low, high = one.packets(1)
    assert (np.frombuffer(low[-8:])[0], np.frombuffer(high[-8:])[0]) == (0.0, 9.0)


def test_a_record_that_no_packet_holds_is_counted(sockets: contextlib.ExitStack, tmp_path: Path) -> None:
    fields = [{"name": "time", "type": "long"}, {"name": "b", "type": "bytes"}]
    plan = plan_of({"type": "record", "name": "r", "fields": fields})
    spec = make_spec(tmp_path)
    multicast = ChannelSpec.from_json(spec).wire[1]
    decimated = sockets.enter_context(open_output(multicast, multicast.decimated))
    copy = LiveCopy([plan], False, -1, decimated.fileno(), "downsample", 1, 0)
    small = b"\x02\x02a"
    large = b"\x02" + bytes([0x80 | 0, 0x80 | 32, 8]) + bytes(67_584)
    data = small + large + small
    with subscribe(**spec["multicast"]["decimated"]) as subscriber:
        copy.send(Records(plan, data, 0, len(data), 1 << 18, 4, START))
        assert drain(subscriber) == [small, small]
    assert copy.take_counts() == (2, 1)


def test_a_stream_that_nobody_hears_holds_nothing_up(sockets: contextlib.ExitStack, tmp_path: Path) -> None:
    one = copied(sockets, tmp_path, EACH)
    for sock in one.heard:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.send(*(numbered(n, time_ns=START) for n in range(50_000)))
    sent, _ = one.copy.take_counts()
    assert sent > 0


def test_a_record_that_no_packet_holds_is_held_against_limits_too(
    sockets: contextlib.ExitStack, tmp_path: Path
) -> None:
    limited = {"name": "v", "type": "boolean", "speeddata": {"limits": {"alarm": [None, 0]}}}
    fields = [{"name": "time", "type": "long"}, limited, {"name": "b", "type": "bytes"}]
    plan = plan_of({"type": "record", "name": "r", "fields": fields})
    multicast = ChannelSpec.from_json(make_spec(tmp_path)).wire[1]
    decimated = sockets.enter_context(open_output(multicast, multicast.decimated))
    copy = LiveCopy([plan], False, -1, decimated.fileno(), "downsample", 1, 0)
    small, large = b"\x02\x00\x02a", b"\x04\x01" + bytes([0x80 | 0, 0x80 | 32, 8]) + bytes(67_584)
    data = small + large + small
    copy.send(Records(plan, data, 0, len(data), 1 << 18, 4, START))
    (one,) = copy.standings()
    assert (one["rises"], one["level"], one["worst"]["value"], one["worst"]["time"]) == (1, 0, True, 2)
