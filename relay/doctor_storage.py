"""The disk by itself, for `speeddata doctor`: blocks are written into the archive's folder and flushed, as the relay's writer does.

Nothing stays: the file has no name.
"""

import errno
import os
import shlex
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from speeddata.relay.disk_space import measure
from speeddata.relay.doctor_check import Check, Remedy, Subject, mend, size_text, well
from speeddata.relay.doctor_machine import other_disks

__all__ = ["Storage", "check_storage", "simulate_storage"]

BLOCK = 256 << 10  # bytes that the relay writes at a time
BLOCKS_A_FLUSH = 32  # of the run that tells how fast the disk is
MOST = 1 << 30  # bytes of a run; a quarter of what is free, if that is less
LEAST_RATE = 12.5e6  # bytes a second: what a network of 100 Mbit/s brings
RINGS_ROOM = 2  # times what came during the longest flush


@dataclass(frozen=True)
class Run:
    """Writing for a while, flushing after every so many blocks."""

    blocks_a_flush: int
    bytes_per_s: float
    flushes: int
    median_s: float  # of the flushes
    worst_s: float  # the longest of the writes and the flushes


@dataclass(frozen=True)
class Storage:
    """How the disk did when each block was flushed, and when several were at a time, which is what a relay does unless asked otherwise."""

    folder: Path
    each: Run
    several: Run

    @property
    def worst_s(self) -> float:
        """The longest that the disk kept its writer waiting: so long the relay's ring must take in what comes."""
        return max(self.each.worst_s, self.several.worst_s)

    def bytes_per_s(self, ring: int) -> float:
        """What the disk takes, as long as a ring of so many bytes is not full before the longest pause ends."""
        return min(self.several.bytes_per_s, ring / self.worst_s)

    def to_json(self) -> dict[str, Any]:
        """As `--json` tells it."""
        return {
            "folder": str(self.folder),
            "block_bytes": BLOCK,
            "each": asdict(self.each),
            "several": asdict(self.several),
        }


def simulate_storage(folder: Path, seconds: float, step: Callable[[], None] = lambda: None) -> Storage:
    """Write for so long in each of the two ways; `step` is called after each. OSError when the disk refuses."""
    runs = []
    for blocks_a_flush in (1, BLOCKS_A_FLUSH):
        runs.append(_run(folder, blocks_a_flush, seconds))
        step()
    return Storage(folder, *runs)


def _run(folder: Path, blocks_a_flush: int, seconds: float) -> Run:
    room = min(MOST, measure(folder).free // 4) // BLOCK  # blocks
    if not room:
        raise OSError(errno.ENOSPC, f"no room to write a block of {BLOCK} bytes, four times", str(folder))
    block = os.urandom(BLOCK)  # which no file system can compress
    flushes: list[float] = []
    written, elapsed, worst = 0, 0.0, 0.0
    with TemporaryFile(prefix=".speeddata-doctor-", dir=folder, buffering=0) as file:
        start = last = time.monotonic()
        while elapsed < seconds and written < room:
            for _ in range(min(blocks_a_flush, room - written)):
                os.pwrite(file.fileno(), block, written * BLOCK)
                written += 1
                worst, last = max(worst, time.monotonic() - last), time.monotonic()
            os.fdatasync(file.fileno())
            flushes.append(time.monotonic() - last)
            last = time.monotonic()
            elapsed = last - start
    longest = max(worst, *flushes)
    return Run(blocks_a_flush, written * BLOCK / elapsed, len(flushes), statistics.median(flushes), longest)


def check_storage(subject: Subject, found: Storage) -> Iterator[Check]:
    """Whether the disk is fast enough, and whether its pauses are short enough for the ring."""
    speed = found.several.bytes_per_s
    text = f"disk speed: {size_text(speed)}/s; a flush takes {_ms(found.each.median_s)}, the longest pause took {_ms(found.worst_s)}"
    if speed < LEAST_RATE:
        yield mend("disk_speed", f"{text}; {size_text(LEAST_RATE)}/s wanted", *_faster(subject))
    else:
        yield well("disk_speed", text)
    needed = speed * found.worst_s
    text = f"the relay's ring: {size_text(subject.ring)}"
    if needed <= subject.ring:
        yield well(
            "ring", f"{text}, {size_text(needed)} come at the disk's speed while its longest pause lasts"
        )
        return
    ring = 1 << int(RINGS_ROOM * needed).bit_length()
    remedy = Remedy("mend it with", subject.setting("relay.ring_bytes", ring))
    yield mend(
        "ring",
        f"{text}, but {size_text(needed)} come at the disk's speed while its longest pause lasts",
        remedy,
    )


def _faster(subject: Subject) -> Iterator[Remedy]:
    others = list(map(str, other_disks(subject, MOST)))
    for other in others:
        yield Remedy("see whether this disk is faster", f"speeddata doctor --data {shlex.quote(other)}")
    if not others:
        yield Remedy("mount a faster disk, and see", "speeddata doctor --data /mnt")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
