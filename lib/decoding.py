"""Blocks of segments decoded into columns, by as many threads as there are processors.

Reading, checking, uncompressing and decoding leave Python's lock alone, so threads gain. What is damaged is left out.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import numpy as np

from speeddata.columns import Columns, time_ns
from speeddata.damage import Damage
from speeddata.errors import RecordError
from speeddata.index import ENTRY_SIZE
from speeddata.plan import Plan
from speeddata.segment import Piece, Segment
from speeddata.table import Array

__all__ = ["ENTRY_DTYPE", "Decoding", "Wanted", "entry_array", "sound_parts", "times_in"]

T = TypeVar("T")

PART = 1 << 16  # records that a thread decodes at once, at most about
LEAST = 1 << 14  # that are worth a thread of their own
THREADS = min(8, os.cpu_count() or 1)
ENTRY_DTYPE = np.dtype(
    [
        ("offset", "<u8"),
        ("length", "<u4"),
        ("count", "<u4"),
        ("first_ns", "<i8"),
        ("min_ns", "<i8"),
        ("max_ns", "<i8"),
        ("arrival_ns", "<i8"),
        ("flags", "<u4"),
        ("crc", "<u4"),
        ("check", "<u4"),
        ("zero", "<u4"),
    ]
)


def entry_array(entries: bytes) -> Array:
    """Index entries as a structured array."""
    return np.frombuffer(entries, ENTRY_DTYPE)


@dataclass(frozen=True)
class Wanted:
    """Blocks of a segment, by their index entries, and the place of the first among all that there are."""

    segment: Segment
    entries: Array
    place: int


@dataclass
class _Part:
    """What one thread decodes: some blocks, into rows of its own."""

    wanted: Wanted
    row: int
    filled: int = 0  # records; fewer than there should be where blocks are damaged
    damages: list[Damage] = field(default_factory=list)


class Decoding:
    """Blocks of one version of the schema on their way into columns; the threads begin at once.

    `names` are the signals wanted. Each record has a rank, by which those of equal time stay in the order they arrived.
    """

    def __init__(self, plan: Plan, wanted: list[Wanted], names: list[str], ranked: bool) -> None:
        self.schema = plan.schema
        self._rows = sum(int(one.entries["count"].sum()) for one in wanted)
        self._plan = plan
        self._time = plan.schema.time
        self._columns = Columns(plan, self._rows, list(dict.fromkeys([*names, self._time])))
        self._times = np.empty(self._rows, np.int64)
        self._ranks = np.empty(self._rows, np.int64) if ranked else None
        self._parts = list(_split(wanted))
        self._futures: list[Future[None]] = []
        if len(self._parts) > 1:
            self._futures = [_threads().submit(self._decode, part) for part in self._parts]

    def cancel(self) -> None:
        """End it; when this returns no thread is at work on it."""
        for future in self._futures:
            future.cancel()
        for future in self._futures:
            if not future.cancelled():
                future.exception()

    def take(
        self, check: Callable[[], None] | None
    ) -> tuple[Array, Array | None, dict[str, Array], list[Damage]]:
        """Times, ranks, the columns wanted, and what is left out; `check` is called often."""
        if not self._futures:
            for part in self._parts:
                self._decode(part)
        for future in self._futures:
            future.result()
            if check:
                check()
        if check:
            check()
        columns = self._columns.take()
        times, ranks = self._times, self._ranks
        if sum(part.filled for part in self._parts) < self._rows:
            kept = np.zeros(self._rows, np.bool_)
            for part in self._parts:
                kept[part.row : part.row + part.filled] = True
            times, ranks = times[kept], None if ranks is None else ranks[kept]
            columns = {name: column[kept] for name, column in columns.items()}
        return times, ranks, columns, [damage for part in self._parts for damage in part.damages]

    def _decode(self, part: _Part) -> None:
        segment = part.wanted.segment
        for piece in segment.read(part.wanted.entries.tobytes(), part.damages):
            for _ in sound_parts(segment, piece, lambda whole: self._fill(part, whole), part.damages):
                pass

    def _fill(self, part: _Part, piece: Piece) -> None:
        """Decode the records of whole blocks into the next rows of a part."""
        segment, first, count = part.wanted.segment, part.row + part.filled, piece.count
        rows = slice(first, first + count)
        self._columns.fill(piece.data, count, first)
        raw, nulls = self._columns.numbers(self._time)
        given = raw[rows] if nulls is None else np.ma.MaskedArray(raw[rows], mask=nulls[rows])
        self._times[rows] = times_in(segment, piece, given)
        if self._ranks is not None:
            # As the entries of a part follow each other, a record's place among all is told by that of the part.
            self._ranks[rows] = (part.wanted.place << 32) + np.arange(part.filled, part.filled + count)
        part.filled += count


def sound_parts(
    segment: Segment, piece: Piece, decode: Callable[[Piece], T], damages: list[Damage]
) -> Iterator[T]:
    """What `decode` gives for a piece, or, where it raises RecordError, for each of its blocks that it can be done for."""
    try:
        yield decode(piece)
    except RecordError as error:
        if len(piece.entries) == ENTRY_SIZE:
            entry = entry_array(piece.entries)[0]
            start, stop = int(entry["offset"]), int(entry["offset"]) + int(entry["length"])
            damages.append(Damage(segment.path.name, start, stop, int(entry["count"]), str(error)))
            return
        for at in range(0, len(piece.entries), ENTRY_SIZE):
            for one in segment.read(piece.entries[at : at + ENTRY_SIZE], damages):
                yield from sound_parts(segment, one, decode, damages)


def times_in(segment: Segment, piece: Piece, column: Array) -> Array:
    """The times of a piece's records as int64 ns; one that cannot be right is the receive time of its block."""
    times, wrong = time_ns(segment.head.plan, column, segment.unit)
    if wrong.any():
        # The index has these records by receive time, of which the block's first is known.
        entries = entry_array(piece.entries)
        received = np.clip(entries["arrival_ns"], entries["min_ns"], entries["max_ns"])
        times[wrong] = np.repeat(received, entries["count"])[wrong]
    return times


def _split(wanted: list[Wanted]) -> Iterator[_Part]:
    """Parts of about equal work, in the order of their rows: as many for each thread, where there are enough records."""
    row, size = 0, _size(sum(int(one.entries["count"].sum()) for one in wanted))
    for one in wanted:
        numbers = np.cumsum(one.entries["count"], dtype=np.int64)
        total = int(numbers[-1]) if len(numbers) else 0
        first, before = 0, 0
        while first < len(numbers):
            # Up to the end of the block that is the nearest to the size.
            middles = numbers - one.entries["count"] // 2
            end = max(first + 1, int(np.searchsorted(middles, before + size, "right")))
            yield _Part(Wanted(one.segment, one.entries[first:end], one.place + first), row + before)
            first, before = end, int(numbers[end - 1])
        row += total


def _size(total: int) -> int:
    """Records of a part."""
    workers = max(1, min(THREADS, total // LEAST))
    rounds = max(1, -(-total // (workers * PART)))
    return max(1, -(-total // (workers * rounds)))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, "decode")
