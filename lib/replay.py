"""Archived records of some channels, one by one as they were archived, in the order of time across the channels.

Blocks are read one after the other, so no more than a block of each channel is in memory. Within a channel the order is that of
the archive, which is that of arrival: a record that is older than the one before is due with it.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speeddata.errors import ArchiveError
from speeddata.examination import Examination
from speeddata.index import ENTRY, Entry, entries_of
from speeddata.index_state import read_index
from speeddata.plan import Plan
from speeddata.rows import encode_record
from speeddata.schema import Schema
from speeddata.segment import Segment
from speeddata.segment_files import segment_files
from speeddata.times import SCALES
from speeddata.unpack import Records
from speeddata.writers import writer_of

__all__ = ["Item", "Track", "in_turn", "shifted", "tracks_of"]


@dataclass(frozen=True)
class Item:
    """A record, and when it is due."""

    due_ns: int
    track: "Track"
    plan: Plan
    data: bytes
    timed: bool  # whether its own time can be right


class Track:
    """The segments of one channel, in the order of their arrival."""

    def __init__(self, name: str, start_ns: int | None, end_ns: int | None) -> None:
        self.name = name
        self.start_ns, self.end_ns = start_ns, end_ns
        # Records in the blocks of the range: as many as will come, or somewhat more.
        self.count = 0
        # What is left out.
        self.damages: list[str] = []
        # Of the newest version of the schema.
        self.schema: Schema | None = None
        # When its first block came, and where it is.
        self._parts: list[tuple[int, Path]] = []

    def add(self, segment: Segment) -> None:
        """Take a segment, unless the range has none of its blocks."""
        entries = [entry for entry in entries_of(segment.entries) if self._overlaps(entry)]
        if not entries:
            return
        self.count += sum(entry.count for entry in entries)
        self._parts.append((entries[0].arrival_ns, segment.path))
        self._parts.sort()
        if self._parts[-1][1] == segment.path:
            self.schema = segment.head.plan.schema

    def items(self) -> Iterator[Item]:
        """The records, in the order of the archive."""
        due_ns = None
        self.damages = []
        for _, path in self._parts:
            for item in self._items(path, due_ns):
                due_ns = item.due_ns
                yield item

    def _items(self, path: Path, due_ns: int | None) -> Iterator[Item]:
        index = read_index(path)
        with Segment(path, timed=False) as segment:
            examination = Examination(segment, index)
            plan = Plan(Schema.parse(segment.head.schema_text, time_unit=segment.unit, timed=False))
            for packed, content in examination.read(self.start_ns, self.end_ns):
                entry, place = Entry._make(ENTRY.unpack(packed)), 0
                for _ in range(entry.count):
                    length, time_ns, _sequence = plan.walk(content, place)
                    # One whose time is impossible counts by its receive time, as in the index.
                    stamp = (
                        time_ns
                        if time_ns is not None
                        else min(max(entry.arrival_ns, entry.min_ns), entry.max_ns)
                    )
                    if self._within(stamp):
                        due_ns = stamp if due_ns is None else max(due_ns, stamp)
                        yield Item(
                            due_ns, self, plan, bytes(content[place : place + length]), time_ns is not None
                        )
                    place += length
            examination.find_tail()
            faults = [*examination.faults]
            if examination.tail and not writer_of(path):
                faults.append(examination.tail)
            self.damages += [f"{path}: {fault}" for fault in faults]

    def _overlaps(self, entry: Entry) -> bool:
        after = self.start_ns is None or entry.max_ns >= self.start_ns
        return after and (self.end_ns is None or entry.min_ns < self.end_ns)

    def _within(self, stamp: int) -> bool:
        return (self.start_ns is None or stamp >= self.start_ns) and (
            self.end_ns is None or stamp < self.end_ns
        )


def tracks_of(paths: Sequence[Path], start_ns: int | None = None, end_ns: int | None = None) -> list[Track]:
    """The channels that files, or the segments of folders, are of. ArchiveError for a file that cannot be read or has no times."""
    tracks: dict[str, Track] = {}
    for path, error in segment_files(paths):
        if error:
            raise ArchiveError(f"{path}: {error.strerror or error}")
        try:
            with Segment(path, timed=False) as segment:
                if not segment.size:
                    continue
                if not segment.head.plan.schema.time:
                    raise ArchiveError("its records have no time to be sent by")
                name = segment.head.channel
                tracks.setdefault(name, Track(name, start_ns, end_ns)).add(segment)
        except FileNotFoundError:
            continue
        except OSError as failure:
            raise ArchiveError(f"{path}: {failure.strerror or failure}") from None
    return [track for track in tracks.values() if track.count]


def in_turn(tracks: Sequence[Track]) -> Iterator[Item]:
    """The records of all, in the order in which they are due."""
    return heapq.merge(*(track.items() for track in tracks), key=lambda item: item.due_ns)


def shifted(item: Item, shift_ns: int) -> bytes:
    """A record whose time is later by so much; one whose time cannot be right is left as it is."""
    schema = item.plan.schema
    if not item.timed:
        return item.data
    ((time_ns, record),) = Records(item.plan, item.data, schema.time_unit)
    unit = schema.time_unit or _unit_of(time_ns, record[schema.time])
    return encode_record(item.plan, moved(record, schema.time, shift_ns, SCALES[unit]))


def moved(record: Mapping[str, Any], time: str, shift_ns: int, scale: int) -> dict[str, Any]:
    """The record, with its time shifted by so much; of a unit of so many nanoseconds."""
    value = record[time]
    shift = shift_ns / scale if isinstance(value, float) else round(shift_ns / scale)
    return {**record, time: value + shift}


def _unit_of(time_ns: int | None, value: float) -> str:
    """The unit that a time of a segment is in which has told none."""
    for unit, scale in SCALES.items():
        if time_ns is not None and abs(time_ns - value * scale) <= scale:
            return unit
    return "ns"
