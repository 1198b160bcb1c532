"""One run of `speeddata bench relay`: send to a contender for a while, and see what it made of it, and who else was busy.

The sender has a core of its own. Everything is sent on 127.0.0.1.
"""

import io
import os
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fastavro

from speeddata.relay.contenders import TICK_S, running
from speeddata.relay.load import send_load
from speeddata.relay.sockets import UDP_SEGMENT
from speeddata.relay.spec import ChannelSpec, Decimation, Group, Multicast

__all__ = ["DISTURBED", "SCHEMA", "Point", "attempts", "packets", "run", "spec_of"]

MAX_RUN = 65507
SENDER_CPU = 0  # of those there are
DISTURBED = 0.05  # of a core, used by others
ATTEMPTS = 3  # at a run that is disturbed
KTHREADD = 2
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "speeddata.bench.data",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "message", "type": "string"},
        *({"name": f"value_{k}", "type": "double"} for k in range(4)),
    ],
}


@dataclass(frozen=True)
class Point:
    """One run."""

    rate: float  # packets a second that were sent
    sent: int
    lost: int
    cpu_ns: float  # of the contender, per packet that it dealt with
    others: float  # cores that other processes, or other guests of the host, used meanwhile
    held: float = 0.0  # packets a second that the contender dealt with, until its socket was empty again

    @property
    def disturbed(self) -> bool:
        """Whether others were so busy that its figures tell nothing."""
        return self.others > DISTURBED


def packets(size: int, joined: bool) -> bytes:
    """A burst of packets of one record and `size` bytes each. ValueError: there are none of that size."""
    schema = fastavro.parse_schema(SCHEMA)
    for length in range(max(0, size - 50), size if size <= MAX_RUN else 0):
        out = io.BytesIO()
        values = {f"value_{k}": k + 0.5 for k in range(4)}
        fastavro.schemaless_writer(out, schema, {"time": time.time_ns(), "message": "x" * length, **values})
        if len(out.getvalue()) == size:
            return out.getvalue() * (min(64, MAX_RUN // size) if joined else 64)
    raise ValueError(
        f"no packet of one record has {size} bytes, expected 42 to {MAX_RUN} (a few of them have none)"
    )


def spec_of(folder: Path, joined: bool) -> ChannelSpec:
    """A channel on a free port with groups of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    a, b = random.randrange(1, 250), random.randrange(1, 250)
    groups = Multicast(Group(f"239.255.{a}.{b}", 47001), Group(f"239.255.{a}.{b + 1}", 47002))
    decimation = Decimation(algorithm="downsample", factor=10, rate_hz=None)
    return ChannelSpec(
        name="bench", port=port, schema=SCHEMA, archive=str(folder / "bench"), multicast=groups,
        decimation=decimation, gro=joined,
    )  # fmt: skip


def attempts(name: str, size: int, mode: str, rate: float, seconds: float) -> list[Point]:
    """Runs, again as long as others disturb them, but not for ever: the last one counts."""
    made: list[Point] = []
    while len(made) < ATTEMPTS and (not made or made[-1].disturbed):
        made.append(run(name, size, mode, rate, seconds))
    return made


def run(
    name: str, size: int, mode: str, rate: float, seconds: float, place: Path | None = None, **changes: Any
) -> Point:
    """Send to a contender for a while, and see what it made of it.

    It archives in a folder of its own in `place`, if that is given; `changes` are of its channel.
    """
    joined = mode == "gso"
    burst = packets(size, joined)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="speeddata-bench-", dir=place) as folder:
        spec = replace(spec_of(Path(folder), joined), **changes)
        with (
            running(name, spec, Path(folder), set(cores[1:]) or set(cores)) as contender,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
            pinned(cores[SENDER_CPU]),
        ):
            sender.connect(("127.0.0.1", spec.port))
            if joined:
                sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
            cpu, busy, own, start = contender.cpu_s(), _busy_s(), _own_s(), time.monotonic()
            sent = send_load(sender.fileno(), burst, size, joined, rate, seconds)
            took = time.monotonic() - start
            contender.drain()
            spent, elapsed = contender.cpu_s() - cpu, time.monotonic() - start
            others = (_busy_s() - busy - (_own_s() - own) - spent) / elapsed
            contender.finish()
    dealt = max(1, contender.packets)
    held = contender.packets / elapsed
    return Point(sent / took, sent, sent - contender.packets, spent / dealt * 1e9, max(0.0, others), held)


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run on one core."""
    former = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, former)


def _busy_s() -> float:
    """Seconds that processes, and other guests of the host, used of all cores since the machine started.

    Softirqs and kernel threads are not counted: what they do here, they do for us.
    """
    fields = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    user, nice, system, steal = *fields[:3], fields[7]
    return (user + nice + system + steal - _kernel_ticks()) * TICK_S


def _kernel_ticks() -> int:
    """Processor time of the kernel's own threads, as far as they are to be seen."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == KTHREADD:
                ticks += int(fields[11]) + int(fields[12])
    return ticks


def _own_s() -> float:
    used = os.times()
    return used.user + used.system
