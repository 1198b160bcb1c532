"""The way of packets by itself, for `speeddata doctor`: a relay that archives in memory, and a sender on the loopback interface.

First packets are sent as fast as it goes, which tells what the relay holds; then at four fifths of that, or less, until none is lost.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speeddata.relay.disk_space import measure
from speeddata.relay.doctor_check import Check, Remedy, Subject, about, mend, number, well
from speeddata.relay.doctor_kernel import SIZES, buffer_remedies
from speeddata.relay.proc_files import machine_memory

__all__ = ["Capture", "Rate", "check_capture", "simulate_capture"]

MEMORY = Path("/dev/shm")
SAFE = 0.8  # of what a flooded relay holds
TRIES = 3
SLOWER = 0.5  # at each further try
FASTEST = 5e6  # packets a second, more than can be sent one by one
KEPT_UP = (
    0.9  # of what was sent, by the time that the socket is empty: the relay was not slower than the sender
)
LEAST_ROOM = 256 << 20  # bytes
USUAL_BUFFER = 64 << 20


@dataclass(frozen=True)
class Rate:
    """What was found of one size of packets."""

    bytes: int
    sent: float  # packets a second, as fast as it goes
    flooded: float  # of these, what the relay held
    lossless: float | None  # packets a second of which none was lost; None when some were at every rate tried
    sender_bound: bool  # whether the sender went no faster
    disturbed: bool  # whether other programs used the processor meanwhile

    def to_json(self) -> dict[str, Any]:
        """As `--json` tells it."""
        return asdict(self)


@dataclass(frozen=True)
class Capture:
    """What was found of all sizes, and where the relay archived."""

    folder: Path
    rates: list[Rate]

    @property
    def disturbed(self) -> bool:
        return any(rate.disturbed for rate in self.rates)

    def to_json(self) -> dict[str, Any]:
        """As `--json` tells it."""
        return {"folder": str(self.folder), "rates": [rate.to_json() for rate in self.rates]}


def simulate_capture(
    subject: Subject, seconds: float, sizes: tuple[int, ...] = SIZES, step: Callable[[], None] = lambda: None
) -> Capture:
    """Try each size; `step` is called after each. OSError, RuntimeError: no relay can be run."""
    place, room = _place(subject)
    rates: list[Rate] = []
    for size in sizes:
        fastest = max((rate.sent for rate in rates), default=FASTEST)
        # What is sent must find room, as memory is not there for us alone.
        bound = room / (fastest * size)
        rates.append(_try(subject, size, min(seconds, bound), place))
        step()
    return Capture(place, rates)


def _place(subject: Subject) -> tuple[Path, float]:
    """A folder that is in memory, where there is one, and how much of it may be used: half of what the machine, or our container, has."""
    if MEMORY.is_dir():
        allowed, used = (number(subject.read(f"sys/fs/cgroup/memory.{one}")) for one in ("max", "current"))
        rooms = [measure(MEMORY).free, machine_memory()["available"]]
        rooms += [] if allowed is None or used is None else [allowed - used]
        room = min(rooms) / 2
        if room >= LEAST_ROOM:
            return MEMORY, room
    place = Path(tempfile.gettempdir())
    return place, measure(place).free / 4


def _try(subject: Subject, size: int, seconds: float, place: Path) -> Rate:
    from speeddata.relay.bench_run import run  # brings fastavro, which the quick checks do without

    changes = {"receive_buffer_bytes": subject.receive_buffer, "ring_bytes": subject.ring}
    flood = run("relay", size, "plain", 0.0, seconds, place, **changes)
    if not flood.lost:
        bound = flood.held > KEPT_UP * flood.rate
        return Rate(
            size,
            flood.rate,
            flood.held,
            min(flood.rate, flood.held),
            sender_bound=bound,
            disturbed=flood.disturbed,
        )
    rate, disturbed = SAFE * min(flood.held, flood.rate), flood.disturbed
    for _ in range(TRIES):
        point = run("relay", size, "plain", rate, seconds, place, **changes)
        disturbed = disturbed or point.disturbed
        if not point.lost:
            return Rate(size, flood.rate, flood.held, point.rate, sender_bound=False, disturbed=disturbed)
        rate *= SLOWER
    return Rate(size, flood.rate, flood.held, None, sender_bound=False, disturbed=disturbed)


def check_capture(subject: Subject, found: Capture) -> Iterator[Check]:
    """Whether there is a rate at which nothing is lost."""
    lossy = [rate for rate in found.rates if rate.lossless is None]
    if not lossy:
        rates = ", ".join(f"{about(rate.lossless or 0)}/s of {rate.bytes} B" for rate in found.rates)
        yield well("capture", f"capture: no packet lost at {rates}")
        return
    rates = ", ".join(
        f"{about(SAFE * SLOWER ** (TRIES - 1) * rate.flooded)}/s of {rate.bytes} B" for rate in lossy
    )
    yield mend("capture", f"capture: packets are lost even at {rates}", *_remedies(subject))


def _remedies(subject: Subject) -> Iterator[Remedy]:
    if subject.receive_buffer < USUAL_BUFFER:
        yield Remedy(
            "ask for a larger receive buffer with",
            subject.setting("relay.receive_buffer_bytes", USUAL_BUFFER),
        )
        return
    yield from buffer_remedies(subject.receive_buffer)
    look = "ps -eo pcpu,pid,args --sort=-pcpu"
    yield Remedy(
        "see what else takes the processor", f"{look} | head" if shutil.which("ps") else "top -b -n 1"
    )
