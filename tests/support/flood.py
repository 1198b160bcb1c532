"""More packets than a relay can take: after it the books explain each of them.

Sender and relay share one core, and several have joined the full-rate group, so that a packet costs the relay more than twice
of what it costs the sender: it gets less than half of what it would need, on any machine.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
from line import make_spec, subscribe, wait_until
from ports import free_port
from stream import FIRST, NUMBERED, Stream, pinned

from speeddata.archive import Archive
from speeddata.relay.client import KeeperClient
from speeddata.relay.sockets import set_receive_buffer

LISTENERS = 2  # of the full-rate stream, who never read
LISTENER_BYTES = 1 << 20
LAST = 10  # packets after a pause, that make a gap before them visible
SETTLE_S = 120.0


def flood(folder: Path, count: int, *, joined: bool, **changes: Any) -> dict[str, Any]:
    """Send `count` packets as fast as it goes; figures, when all of them are explained."""
    cpus = [min(os.sched_getaffinity(0))]
    decimation = {"algorithm": "downsample", "factor": 10, "rate_hz": None}
    spec = make_spec(
        folder, NUMBERED, port=free_port(), decimation=decimation, gro=joined, cpus=cpus, **changes
    )
    keeper = KeeperClient(folder / "data")
    keeper.start_keeper()
    try:
        keeper.start(spec)
        with (
            listening(**spec["multicast"]["full_rate"]),
            Stream(spec["port"], wrong=True) as stream,
            pinned(*cpus),
        ):
            begin = time.perf_counter()
            stream.send(count)
            seconds = time.perf_counter() - begin
            during = taken(keeper.stats("test"))
            settled(keeper)
            before = taken(keeper.stats("test"))
            stream.send(LAST)
            wait_until(lambda: taken(keeper.stats("test")) == before + LAST, "the last packets")
            stats = settled(keeper)
        keeper.stop("test")
    finally:
        keeper.shutdown()
    check_books(stats, stream)
    check_archive(Path(spec["archive"]), stats, stream)
    shutil.rmtree(spec["archive"])
    return {
        "gro": joined,
        "sent": stream.sent,
        "packets_per_s": round(count / seconds),
        "times_what_it_took": round(count / max(1, during), 2),
        "packets": stats["packets"],
        "rejected": sum(stats["rejected"].values()),
        "kernel_drops": stats["kernel_drops"],
        "gaps": stats["sequence"]["gaps"],
        "records": stats["records"],
        "archived": stats["archived"],
        "ring_full": stats["ring_full"],
        "not_archived": sum(stats["not_archived"].values()),
        "unexplained": 0,
    }


@contextlib.contextmanager
def listening(**group: Any) -> Iterator[None]:
    """Have listeners of a group, whom each packet is brought."""
    with contextlib.ExitStack() as listeners:
        for _ in range(LISTENERS):
            set_receive_buffer(listeners.enter_context(subscribe(**group)), LISTENER_BYTES)
        yield


def taken(stats: dict[str, Any]) -> int:
    """Packets that the relay has dealt with."""
    return int(stats["packets"] + sum(stats["rejected"].values()))


def accounted(stats: dict[str, Any]) -> int:
    """Records that have come to their end."""
    return int(stats["archived"] + stats["ring_full"] + sum(stats["not_archived"].values()))


def settled(keeper: KeeperClient, name: str = "test") -> dict[str, Any]:
    """The books when nothing is on its way any more."""
    last = [-1]

    def quiet() -> dict[str, Any] | None:
        stats = keeper.stats(name)
        former, last[0] = last[0], taken(stats)
        time.sleep(0.1)  # an interval in which nothing came
        return stats if former == last[0] and accounted(stats) == stats["records"] else None

    found: dict[str, Any] = wait_until(quiet, "an end", SETTLE_S)
    return found


def check_books(stats: dict[str, Any], stream: Stream) -> None:
    """Fail unless the counters explain every packet of a stream that was the only one."""
    rejected, gaps = sum(stats["rejected"].values()), stats["sequence"]["gaps"]
    lost = stream.sent - stats["packets"] - rejected
    assert stats["rejected"]["utf8"] == rejected <= stream.wrong, stats
    assert stats["sequence"] == {"gaps": gaps, "duplicates": 0, "reordered": 0}, stats
    assert gaps == lost + rejected, f"{gaps} gaps; {lost} lost and {rejected} rejected"
    if stats["gro"]:
        assert stats["kernel_drops"] <= lost, "where packets are joined it counts buffers: a lower bound"
        assert (stats["kernel_drops"] > 0) == (lost > 0), stats
    else:
        assert stats["kernel_drops"] == lost, stats
    assert accounted(stats) == stats["records"] == stats["packets"], stats
    assert stats["forwarded"] + stats["forward_failed"] == stats["packets"], stats


def check_archive(folder: Path, stats: dict[str, Any], stream: Stream) -> None:
    """Fail unless the files hold what is said to be archived: numbers that were sent, each once, and none that was refused."""
    with Archive(folder).open() as reader:
        numbers = np.asarray(reader.read(["n"]).columns["n"])
        assert reader.damages == []
    assert len(numbers) == stats["archived"] == sum(map(readable, folder.glob("test_*.avro")))
    assert (np.diff(numbers) > 0).all(), "each once, in order"
    assert numbers[0] >= FIRST
    assert numbers[-1] == stream.last
    missing = stream.sent - len(numbers)
    unwritten = stats["ring_full"] + sum(stats["not_archived"].values())
    assert missing == stats["sequence"]["gaps"] + unwritten, f"{missing} missing: {stats}"
    assert not stream.refused(numbers).any()


def readable(path: Path) -> int:
    """Records in a segment, by fastavro, which raises when it cannot read it."""
    with path.open("rb") as file:
        return sum(block.num_records for block in fastavro.block_reader(file))
