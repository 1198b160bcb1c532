"""The receiver: packets into blocks and onto the full-rate stream, refused ones counted and set aside."""

import contextlib
import random
import socket
import time

import fastavro
import pytest
from line import (
    LIMIT_S,
    NUMBERED,
    Line,
    chunks,
    drain,
    encode,
    make_spec,
    numbered,
    read_records,
    running,
    subscribe,
    wait_until,
)

from speeddata.schema import Schema

FLOATS = {
    "type": "record",
    "name": "speeddata.test.floats",
    "fields": [
        {"name": "time", "type": "double"},
        {"name": "ok", "type": "boolean"},
        {"name": "text", "type": "string"},
    ],
}
ALL_KINDS = {
    "type": "record",
    "name": "speeddata.test.kinds",
    "fields": [
        {"name": "time", "type": "long"},
        {"name": "colour", "type": {"type": "enum", "name": "Colour", "symbols": ["red", "green"]}},
        {"name": "maybe", "type": ["null", "int"]},
        {"name": "flag", "type": "boolean"},
        {"name": "text", "type": "string"},
    ],
}
TIME = b"\x80\x80\x80\x80\x80\x80\x80\x01"

REFUSED = {
    "empty": b"",
    "short": TIME + b"\x00\x00\x01",
    "trailing": TIME + b"\x00\x00\x01\x02a" + b"\x02",
    "varint": b"\x80" * 10 + b"\x01",
    "length": TIME + b"\x00\x00\x01\x01",
    "union": TIME + b"\x00\x04\x01\x02a",
    "enum": TIME + b"\x04\x00\x01\x02a",
    "boolean": TIME + b"\x00\x00\x02\x02a",
    "utf8": TIME + b"\x00\x00\x01\x02\xff",
}


def test_every_record_is_archived_once_in_order(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(*(numbered(n, n / 2) for n in range(5000)))
        stats = line.wait(archived=5000, durable=5000)
        assert (stats["packets"], stats["records"], stats["forwarded"]) == (5000, 5000, 5000)
        found = read_records(line.folder)
    assert [(r["n"], r["value"]) for r in found] == [(n, n / 2) for n in range(5000)]


def test_packets_of_many_records(tmp_path):
    packets = list(chunks([numbered(n) for n in range(6000)], 60))
    with running(make_spec(tmp_path)) as line:
        line.send(*packets)
        stats = line.wait(archived=6000)
        assert (stats["packets"], stats["bytes"]) == (100, sum(map(len, packets)))
        assert [r["n"] for r in read_records(line.folder)] == list(range(6000))


def test_the_full_rate_stream_is_byte_identical(tmp_path):
    spec = make_spec(tmp_path)
    packets = [numbered(n) * random.randint(1, 5) for n in range(300)]
    with subscribe(**spec["multicast"]["full_rate"]) as subscriber, running(spec) as line:
        line.send(*packets)
        line.wait(forwarded=300)
        assert drain(subscriber) == packets


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_packets_are_counted_by_reason_and_kept_apart(tmp_path, reason):
    good = encode(ALL_KINDS, time=1 << 55, colour="green", maybe=3, flag=True, text="x")
    with running(make_spec(tmp_path, ALL_KINDS)) as line:
        line.send(good, REFUSED[reason], good)
        stats = line.wait(packets=2, archived=2)
        assert {k: v for k, v in stats["rejected"].items() if v} == {reason: 1}
        line.stop()
        with (line.folder / "quarantine.avro").open("rb") as file:
            aside = list(fastavro.reader(file))
        assert [(a["reason"], a["packet"]) for a in aside] == [(reason, REFUSED[reason])]
        assert aside[0]["sender"] == "{}:{}".format(*line.source.getsockname())
        assert line.stats["forwarded"] == 2


def test_the_largest_datagram_fits(tmp_path):
    text = "x" * (65507 - 8 - 1 - 3)
    packet = encode(FLOATS, time=1.0, ok=True, text=text)
    assert len(packet) == 65507
    with running(make_spec(tmp_path, FLOATS)) as line:
        line.send(packet, packet, packet, packet, packet)
        line.wait(archived=5)
        assert [r["text"] for r in read_records(line.folder)] == [text] * 5


def test_impossible_times_are_archived_and_indexed_by_arrival(tmp_path):
    spec = make_spec(tmp_path, FLOATS, time_unit="s")
    with running(spec) as line:
        for value in (float("nan"), float("inf"), 1e300, -1e300, 12.5):
            line.send(encode(FLOATS, time=value, ok=True, text=""))
        assert line.wait(archived=5)["bad_time"] == 4


@pytest.mark.parametrize(
    ("value", "unit"),
    [(1.7e9, "s"), (1.7e12, "ms"), (1.7e15, "us"), (1.7e18, "ns"), (99e9, "s"), (101e9, "ms")],
)
def test_the_time_unit_is_told_by_the_first_plausible_record(tmp_path, value, unit):
    with running(make_spec(tmp_path, FLOATS)) as line:
        line.send(
            encode(FLOATS, time=float("nan"), ok=True, text=""), encode(FLOATS, time=value, ok=True, text="")
        )
        assert line.wait(archived=2)["time_unit"] == unit


def test_sequence_numbers_are_followed_per_sender(tmp_path):
    with running(make_spec(tmp_path)) as line, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.connect(line.sockets.input.getsockname())
        line.send(*(numbered(n) for n in (1, 2, 5, 4, 4, 6)))
        for n in (1000, 1001):
            other.send(numbered(n))
        stats = line.wait(packets=8)
        assert stats["sequence"] == {"gaps": 2, "duplicates": 1, "reordered": 1}


def test_sources_are_told_apart_with_what_came_of_each(tmp_path):
    with running(make_spec(tmp_path)) as line, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.connect(line.sockets.input.getsockname())
        before = time.time_ns()
        line.send(*(numbered(n) for n in (1, 2, 5, 4, 4)), numbered(6) + b"\xff", numbered(6) + numbered(7))
        line.wait(packets=6)
        other.send(b"\xff\xff\xff")
        line.wait(rejected__short=1)
        first, second = line.mapping.sources()
        counts = {"packets": 6, "records": 7, "refused": 1, "gaps": 2, "duplicates": 1, "reordered": 1}
        assert first == {**_address(line.source), **counts, "last": first["last"]}
        counts = {"packets": 0, "records": 0, "refused": 1, "gaps": 0, "duplicates": 0, "reordered": 0}
        assert second == {**_address(other), **counts, "last": second["last"]}
        assert before <= first["last"] < second["last"] <= time.time_ns()
        assert line.stats["sources"] == {"followed": 2, "forgotten": 0}


def _address(sock):
    return dict(zip(("address", "port"), sock.getsockname(), strict=True))


def test_the_source_that_was_silent_longest_gives_way(tmp_path):
    schema = NUMBERED | {"fields": [NUMBERED["fields"][0], NUMBERED["fields"][2]]}
    with running(make_spec(tmp_path, schema)) as line, contextlib.ExitStack() as sockets:
        line.send(encode(schema, time=1, value=0.0))
        for n in range(65):
            sock = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.sendto(encode(schema, time=n, value=0.0), line.sockets.input.getsockname())
            line.wait(packets=n + 2)
        ports = [source["port"] for source in line.mapping.sources()]
        assert (len(ports), line.source.getsockname()[1] in ports) == (64, False)
        assert ports[1] == sock.getsockname()[1], "each took the place of the one that was oldest then"
        assert line.stats["sources"] == {"followed": 64, "forgotten": 2}


def test_int_sequence_numbers_wrap(tmp_path):
    schema = NUMBERED | {"fields": [NUMBERED["fields"][0], NUMBERED["fields"][1] | {"type": "int"}]}
    numbers = [2**31 - 2, 2**31 - 1, -(2**31), -(2**31) + 2]
    with running(make_spec(tmp_path, schema)) as line:
        line.send(*(encode(schema, time=time.time_ns(), n=n) for n in numbers))
        assert line.wait(packets=4)["sequence"] == {"gaps": 1, "duplicates": 0, "reordered": 0}


def test_a_refused_packet_leaves_no_trace_in_the_sequence(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(numbered(1), numbered(2) + numbered(3) + numbered(4) + b"\xff", numbered(5), numbered(3))
        stats = line.wait(packets=3, rejected__trailing=1)
        assert stats["sequence"] == {"gaps": 3, "duplicates": 0, "reordered": 1}


def test_a_receiver_that_waits_is_armed(tmp_path):
    """Else what the kernel hands over at the next call would be lost with a relay that is killed just then."""
    with running(make_spec(tmp_path)) as line:
        for n in range(3):
            wait_until(lambda: line.mapping.armed, "the first wait")
            line.send(numbered(n))
            line.wait(archived=n + 1)  # so its block was closed for its age
            wait_until(lambda: line.mapping.armed, "the wait after a block was closed")


@pytest.mark.parametrize("spec", [{}, {"busy_poll": True}])
def test_an_idle_receiver_gives_signs_of_life(tmp_path, spec):
    with running(make_spec(tmp_path, **spec)) as line:
        for _ in range(2):
            before = line.mapping.progress
            wait_until(lambda: line.mapping.progress > before, "a sign of life")  # noqa: B023
        assert line.stats["packets"] == 0


def test_a_refused_packet_alone_writes_no_block(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(b"\xff\xff\xff")
        line.wait(rejected__short=1)
        line.send(numbered(1))
        assert line.wait(archived=1)["blocks"] == 1
        line.send(b"\xff\xff\xff")
        line.wait(rejected__short=2)
        assert line.stop()["blocks"] == 1
        (path,) = line.folder.glob("test_*.avro")
        assert path.name.startswith(f"test_{time.gmtime().tm_year}")


def test_a_sender_that_starts_anew_is_no_gap(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(*(numbered(n) for n in (5000, 5001, 0, 1, 2)))
        assert line.wait(packets=5)["sequence"] == {"gaps": 0, "duplicates": 0, "reordered": 0}


def test_single_object_framing(tmp_path):
    frame = b"\xc3\x01" + Schema.parse(NUMBERED).fingerprint
    spec = make_spec(tmp_path, framing="single_object")
    with subscribe(**spec["multicast"]["full_rate"]) as subscriber, running(spec) as line:
        framed = [frame + numbered(n) for n in range(20)]
        line.send(*framed, b"".join(framed), numbered(1), b"\xc3\x01" + bytes(8) + numbered(1), b"\xc3\x01")
        stats = line.wait(archived=40, forwarded=21)
        assert {k: v for k, v in stats["rejected"].items() if v} == {"schema": 2, "short": 1}
        assert [r["n"] for r in read_records(line.folder)] == [*range(20), *range(20)]
        assert drain(subscriber) == [*framed, b"".join(framed)]


def test_a_full_ring_is_counted_and_the_live_streams_go_on(tmp_path):
    spec = make_spec(
        tmp_path,
        block_bytes=65536,
        ring_bytes=4 * 65536,
        decimation={"algorithm": "downsample", "factor": 10, "rate_hz": None},
    )
    line = Line(spec).start("receiver", "decimator")  # no writer: the disk hangs
    try:
        packets = list(chunks([numbered(n) for n in range(50_000)], 100))
        for k, packet in enumerate(packets, 1):
            line.send(packet)
            line.wait(packets=k) if k % 50 == 0 else None
        stats = line.wait(packets=500, forwarded=500)
        assert 0 < stats["ring_full"] < 50_000
        wait_until(lambda: line.stats["decimated"] >= 4900, "decimation")
        line.relay.bells["receiver"].stop()
        line.threads.pop("receiver").join()
        line.start("writer")
        stats = line.stop()
        assert stats["archived"] == 50_000 - stats["ring_full"]
        assert len(read_records(line.folder)) == stats["archived"]
    finally:
        line.close()


def test_random_packets_never_reach_the_archive(tmp_path):
    """A short version of the hostile-packet proof: the books balance, fastavro reads what was archived."""
    seeded = random.Random(7)
    good = encode(ALL_KINDS, time=1 << 55, colour="green", maybe=3, flag=True, text="hello")
    with running(make_spec(tmp_path, ALL_KINDS)) as line:
        sent = 0
        for sent in range(1, 10_001):
            packet = bytearray(good if seeded.random() < 0.7 else seeded.randbytes(seeded.randrange(40)))
            for _ in range(seeded.randrange(3)):
                if packet:
                    packet[seeded.randrange(len(packet))] = seeded.randrange(256)
            line.send(bytes(packet[: seeded.randrange(len(packet) + 1)] if seeded.random() < 0.2 else packet))
            if sent % 500 == 0:
                wait_until(lambda n=sent: line.stats["packets"] + sum(line.stats["rejected"].values()) == n)
        stats = line.wait(packets=sent - sum(line.stats["rejected"].values()))
        stats = line.wait(archived=stats["records"])
        assert sum(stats["rejected"].values()) > 1000
        assert len(read_records(line.folder)) == stats["archived"]


def test_a_block_must_hold_the_largest_datagram(tmp_path):
    line = Line(make_spec(tmp_path, block_bytes=4096))
    try:
        with pytest.raises(ValueError, match="block_bytes is 4096"):
            line.start()
    finally:
        line.close()


def test_the_full_rate_stream_can_be_off(tmp_path):
    with running(make_spec(tmp_path, full_rate=False)) as line:
        line.send(*(numbered(n) for n in range(100)))
        stats = line.wait(archived=100, decimated=2)
        assert (stats["forwarded"], stats["forward_failed"]) == (0, 0)


def test_a_receiver_that_waits_for_the_next_packet_hears_its_bell(tmp_path):
    """Just after a packet it waits in recvmmsg, where no bell is heard: it must not stay there."""
    line = Line(make_spec(tmp_path)).start("receiver")
    try:
        line.send(numbered(0))
        line.wait(packets=1)
        line.relay.bells["receiver"].stop()
        thread = line.threads.pop("receiver")
        thread.join(LIMIT_S)
        assert not thread.is_alive()
    finally:
        line.send(numbered(1))
        line.close()


def test_a_receiver_that_never_sleeps_receives_and_stops(tmp_path):
    with running(make_spec(tmp_path, busy_poll=True)) as line:
        line.send(*(numbered(n) for n in range(100)))
        line.wait(archived=100, forwarded=100)
    assert not line.threads
