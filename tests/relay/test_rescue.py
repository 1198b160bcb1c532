"""After a failed fdatasync what it did not cover is in another segment, once; killed at any instant, too."""

import contextlib
import os
import socket
from pathlib import Path

import pytest
from line import chunks, make_spec, numbered, read_records, running, wait_until
from ports import free_port
from system import alive
from tracing import Trace

from speeddata.relay.client import KeeperClient

# System calls of a rescue, and which of them.
CALLS = [("pwrite64", n) for n in (3, 4, 5, 6)] + [("fdatasync", 1), ("fdatasync", 2), ("ftruncate", 1), ("fsync", 1),
         ("renameat2", 1), ("unlinkat", 1), ("openat", 1)]  # fmt: skip


@contextlib.contextmanager
def kept(folder, **changes):
    """A channel under a keeper: its client, spec, and a function that sends packets."""
    spec = make_spec(folder, port=free_port(), block_bytes=65536, **changes)
    keeper = KeeperClient(folder / "data")
    keeper.start_keeper()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.connect(("127.0.0.1", spec["port"]))
        try:
            keeper.start(spec)
            yield keeper, spec, lambda packets: [source.send(packet) for packet in packets]
        finally:
            keeper.shutdown()


def settle(keeper, **expected):
    """Counters, once they have values."""

    def met():
        stats = keeper.stats("test")
        return stats if all(stats[key] == value for key, value in expected.items()) else None

    try:
        return wait_until(met)
    except AssertionError:
        raise AssertionError(f"{expected}: {keeper.stats('test')}") from None


def archived(spec):
    return [record["n"] for record in read_records(folder_of(spec))]


def folder_of(spec):
    return Path(spec["archive"])


def test_a_failed_fdatasync_is_followed_by_another_segment_with_the_same_records(tmp_path):
    with kept(tmp_path, flush_interval_s=0.3) as (keeper, spec, send):
        send(numbered(n) for n in range(10))
        settle(keeper, durable=10)
        with Trace(keeper.list("test")[0]["pid"], ["fdatasync:error=EIO:when=1"]):
            send(chunks([numbered(n) for n in range(10, 9000)], 100))
            stats = settle(keeper, durable=9000)
        assert (stats["archived"], stats["failed_fsyncs"], stats["segments"]) == (9000, 1, 2)
        assert stats["rescued"] > 0
        assert sum(stats["not_archived"].values()) == 0
        assert archived(spec) == list(range(9000))
        assert keeper.list("test")[0]["state"] == "active"
        # The one that is not trusted holds what was durable before, and is not written to any more.
        first = sorted(folder_of(spec).glob("test_*.avro"))[0]
        size = first.stat().st_size
        send([numbered(9000)])
        settle(keeper, durable=9001)
        assert first.stat().st_size == size
        assert archived(spec) == list(range(9001))


def test_when_nothing_can_be_written_it_is_tried_again_until_it_can(tmp_path):
    with kept(tmp_path, flush_interval_s=0.3) as (keeper, spec, send):
        send(numbered(n) for n in range(10))
        settle(keeper, durable=10)
        with Trace(keeper.list("test")[0]["pid"], ["fdatasync:error=EIO"]):
            send(numbered(n) for n in range(10, 20))
            settle(keeper, archived=20, failed_fsyncs=1)
            wait_until(lambda: keeper.list("test")[0]["state"] == "degraded")
            assert keeper.list("test")[0]["reason"] == "not archived: Input/output error"
            assert archived(spec) == list(range(20))
            assert keeper.stats("test")["durable"] == 10
        # It was tried again and again.
        assert settle(keeper, archived=20, durable=20)["rescued"] == 10
        send([numbered(20)])
        settle(keeper, durable=21)
        assert keeper.list("test")[0]["state"] == "active"
        assert archived(spec) == list(range(21))


@pytest.mark.parametrize(("call", "when"), CALLS)
def test_a_relay_killed_in_the_middle_of_it(tmp_path, call, when):
    """At every system call of a rescue: the successor ends with each record archived once, and durable."""
    with kept(tmp_path, flush_interval_s=0.3) as (keeper, spec, send):
        send(numbered(n) for n in range(10))
        settle(keeper, durable=10)
        wait_until(lambda: list(folder_of(spec).glob(".test.next.idx")), "the segment made ready")
        pid = keeper.list("test")[0]["pid"]
        faults = ["fdatasync:error=EIO:when=1", f"{call}:signal=SIGKILL:when={when}"]
        if call == "fdatasync":
            faults = [f"fdatasync:error=EIO:signal=SIGKILL:when={when}"]
        with Trace(pid, faults):
            send(numbered(n) for n in range(10, 20))
            wait_until(lambda: not alive(pid) or keeper.stats("test")["durable"] == 20)
        stats = settle(keeper, durable=20)
        assert (stats["archived"], sum(stats["not_archived"].values())) == (20, 0)
        wait_until(lambda: archived(spec) == list(range(20)), "each record archived once")


def test_what_cannot_be_read_back_is_counted_lost(tmp_path):
    with running(make_spec(tmp_path, flush_interval_s=60)) as line:
        line.send(numbered(1))
        line.wait(archived=1, durable=0)
        (path,) = line.folder.glob("test_*.avro")
        os.truncate(path, 10)
        line.send(numbered(2))
        line.wait(archived=1, not_archived__io=1, segments=2)


def test_what_a_deleted_segment_held_and_was_not_on_the_disk_is_in_the_next(tmp_path):
    with running(make_spec(tmp_path, flush_interval_s=60)) as line:
        line.send(numbered(1))
        line.wait(archived=1, durable=0)
        for path in line.folder.glob("test_*"):
            path.unlink()
        line.send(numbered(2))
        line.wait(archived=2, durable=1, rescued=1)
        assert [r["n"] for r in read_records(line.folder)] == [1, 2]
