"""Reads the records of one or several segments of a channel as columns, sorted by time, a batch at a time.

Batches are as small as the order of the records lets them be: blocks whose times do not interleave are never in memory
together.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Self

import numpy as np

from speeddata.columns import decode, time_ns
from speeddata.damage import Damage
from speeddata.errors import ArchiveError, RecordError
from speeddata.index import ENTRY_SIZE
from speeddata.schema import Schema
from speeddata.segment import Piece, Segment
from speeddata.table import Array, GapFinder, Table

__all__ = ["ENTRY_DTYPE", "LATEST", "EARLIEST", "Reader", "entry_array"]

EARLIEST, LATEST = -(2**63), 2**63 - 1
BATCH = 1 << 18  # records wanted in a batch
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


@dataclass
class _Source:
    """The blocks of one segment that are wanted."""

    segment: Segment
    entries: Array
    place: int = field(default=0)  # of its first block among those of all sources


class Reader:
    """The records of [start_ns, end_ns] in some segments, which it closes at the end.

    `damages` tells what is left out; what is found while reading is added to it. Segments whose schema is not that of
    the last one are left out, and told too.
    """

    def __init__(self, segments: Iterable[Segment], start_ns: int = EARLIEST, end_ns: int = LATEST) -> None:
        self.start_ns, self.end_ns = start_ns, end_ns
        self.damages: list[Damage] = []
        self.schema: Schema | None = None  # None: there is no segment
        self.gaps: list[
            tuple[int, int]
        ] = []  # (time of the record before, records missing), of the batches so far
        self._segments: list[Segment] = []
        self._sources: list[_Source] = []
        try:
            for segment in segments:
                self._segments.append(segment)
                self.damages += segment.damages
            self._choose()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        for segment in self._segments:
            segment.close()

    @property
    def count(self) -> int:
        """Records in the blocks that will be read: at least as many as there are in the range."""
        return sum(int(source.entries["count"].sum()) for source in self._sources)

    def newest_told(self) -> int:
        """The newest time in the range that the index tells, or where the range begins: of blocks that end in it."""
        ends = [source.entries["max_ns"] for source in self._sources]
        return max(
            (int(end[end <= self.end_ns].max(initial=self.start_ns)) for end in ends), default=self.start_ns
        )

    def batches(
        self, names: Sequence[str] | None = None, check: Callable[[], None] | None = None
    ) -> Iterator[Table]:
        """Read some signals (all, unless they are named) in tables that follow each other in time.

        `check` is called often; what it raises ends the reading.
        """
        if not self.schema or not self._sources:
            return
        wanted = [name for name in self.schema.signal_names if name != self.schema.time]
        wanted = wanted if names is None else [name for name in wanted if name in set(names)]
        read = {*wanted, self.schema.time, *([self.schema.sequence] if self.schema.sequence else [])}
        finder = GapFinder()
        self.gaps = finder.gaps
        for first, last in self._groups():
            parts = []
            for table in chain.from_iterable(
                self._read(source, first, last, list(read)) for source in self._sources
            ):
                parts.append(table)
                if check:
                    check()
            if not parts:
                continue
            table = Table.join(parts).sorted()
            low = np.searchsorted(table.time_ns, self.start_ns, "left")
            high = np.searchsorted(table.time_ns, self.end_ns, "right")
            table = table.take(slice(low, high))
            if self.schema.sequence:
                finder.add(table.time_ns, table.columns[self.schema.sequence])
            if len(table):
                yield Table(table.time_ns, {name: table.columns[name] for name in wanted})

    def read(self, names: Sequence[str] | None = None) -> Table:
        """Read all at once."""
        tables = list(self.batches(names))
        if tables:
            return Table.join(tables)
        return self.empty(names)

    def empty(self, names: Sequence[str] | None = None) -> Table:
        """A table without rows, of the right columns and types."""
        if self.schema is None:
            return Table(np.empty(0, np.int64), {})
        names = self.schema.signal_names if names is None else names
        columns = decode(self._plan, b"", 0, [name for name in names if name != self.schema.time])
        return Table(np.empty(0, np.int64), columns)

    def _choose(self) -> None:
        """Pick the blocks that overlap the range, of segments with the schema of the last that has any."""
        sources = [source for segment in self._segments if (source := self._source(segment))]
        with_records = [source for source in sources if len(source.entries)]
        if not sources:
            return
        self._plan = (with_records or sources)[-1].segment.head.plan
        self.schema = self._plan.schema
        place = 0
        for source in with_records:
            if same_records(source.segment.head.plan.schema, self.schema):
                source.place = place
                place += len(source.entries)
                self._sources.append(source)
            else:
                records = int(source.entries["count"].sum())
                self.damages.append(_whole(source.segment, records, "another version of the schema"))

    def _source(self, segment: Segment) -> _Source | None:
        if not segment.size:
            return None
        try:
            segment.head.plan  # noqa: B018
        except ArchiveError as error:
            self.damages.append(_whole(segment, None, str(error)))
            return None
        entries = entry_array(segment.entries)
        return _Source(
            segment, entries[(entries["max_ns"] >= self.start_ns) & (entries["min_ns"] <= self.end_ns)]
        )

    def _groups(self) -> Iterator[tuple[int, int]]:
        """Ranges of blocks such that no record of one is older than any of those before it."""
        entries = np.concatenate([source.entries for source in self._sources])
        newest = np.maximum.accumulate(np.minimum(entries["max_ns"], self.end_ns))
        oldest = np.minimum.accumulate(np.maximum(entries["min_ns"], self.start_ns)[::-1])[::-1]
        ends = np.append(np.flatnonzero(newest[:-1] <= oldest[1:]) + 1, len(entries))
        records = np.cumsum(entries["count"], dtype=np.int64)[ends - 1]
        first, before = 0, 0
        for end, count in zip(ends.tolist(), records.tolist(), strict=True):
            if count - before >= BATCH or end == len(entries):
                yield first, end
                first, before = end, count

    def _read(self, source: _Source, first: int, last: int, names: list[str]) -> Iterator[Table]:
        """Read the blocks of a source that are in a group."""
        entries = source.entries[max(first - source.place, 0) : max(last - source.place, 0)]
        for piece in source.segment.read(entries.tobytes(), self.damages):
            try:
                yield self._decode(source.segment, piece, names)
            except RecordError as error:
                yield from self._decode_each(source.segment, piece, names, error)

    def _decode_each(
        self, segment: Segment, piece: Piece, names: list[str], error: RecordError
    ) -> Iterator[Table]:
        """Decode what can be of a piece that is damaged."""
        if len(piece.entries) == ENTRY_SIZE:
            entry = entry_array(piece.entries)[0]
            start, stop = int(entry["offset"]), int(entry["offset"]) + int(entry["length"])
            self.damages.append(Damage(segment.path.name, start, stop, int(entry["count"]), str(error)))
            return
        for at in range(0, len(piece.entries), ENTRY_SIZE):
            for part in segment.read(piece.entries[at : at + ENTRY_SIZE], self.damages):
                try:
                    yield self._decode(segment, part, names)
                except RecordError as reason:
                    yield from self._decode_each(segment, part, names, reason)

    def _decode(self, segment: Segment, piece: Piece, names: list[str]) -> Table:
        plan, entries = segment.head.plan, entry_array(piece.entries)
        columns = decode(plan, piece.data, int(entries["count"].sum()), names)
        times, wrong = time_ns(plan, columns.pop(plan.schema.time), segment.unit)
        if wrong.any():
            # The index has these records by receive time, of which the block's first is known.
            received = np.clip(entries["arrival_ns"], entries["min_ns"], entries["max_ns"])
            times[wrong] = np.repeat(received, entries["count"])[wrong]
        return Table(times, columns)


def same_records(a: Schema, b: Schema) -> bool:
    """Whether records of two schemas have the same columns."""
    return a is b or (a.fingerprint, a.time, a.sequence, a.signals) == (
        b.fingerprint,
        b.time,
        b.sequence,
        b.signals,
    )


def _whole(segment: Segment, records: int | None, reason: str) -> Damage:
    return Damage(segment.path.name, 0, segment.size, records, reason)
