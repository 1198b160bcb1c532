"""Sums up a channel's records per time bucket, from rollups where they cover it and from records at the edges: always exactly.

A range is covered at the coarsest level that no edge of a bucket divides; what is left at its ends at the next finer level,
and so on down to the records.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from speeddata.archive import Archive
from speeddata.reader import Reader
from speeddata.rollup import LEVELS, REAL, Totals, level_within
from speeddata.rollup_memory import Memory
from speeddata.rollup_parts import Kept, Parts
from speeddata.rollup_segments import Seen, Segments, View
from speeddata.schema import Signal
from speeddata.segment import Segment
from speeddata.table import Array

__all__ = ["ChannelRollups", "Sums"]

PIECES = 64  # of a range without a granule: what may have to be read at its ends is less than one
DAY = LEVELS[-1]
HIGHEST = 2**63 - 1
Check = Callable[[], None]


@dataclass(eq=False)
class Sums:
    """What came of it: the totals of each signal, and how many places could not be read."""

    totals: dict[str, Totals]
    damages: int = 0
    # Places found to be unreadable while records were read, each of which may be met several times.
    found: set[tuple[str, int]] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class _Task:
    """One summing up."""

    view: View
    signals: Sequence[Signal]
    sums: Sums
    check: Check


class ChannelRollups:
    """The rollups of one channel's archive. Threads may share it."""

    def __init__(self, archive: Archive, memory: Memory[Kept]) -> None:
        self.archive = archive
        self.segments = Segments(archive)
        self._parts = Parts(archive.folder, memory)

    def look(self) -> View:
        """The segments there are now."""
        return self.segments.look()

    def open(self, view: View, start_ns: int, end_ns: int) -> Reader:
        """A reader of the records in [start_ns, end_ns], of no other segments than those that have some there."""
        return Reader(_opened(view.within(start_ns, end_ns)), start_ns, end_ns)

    def sum_up(self, view: View, signals: Sequence[Signal], edges: Array, granule: int, check: Check) -> Sums:
        """Sum up signals that are numbers between edges, all of which a granule is whole in but the first and the last.

        Records before the first edge, and at the last or behind it, do not count. A granule of 0 says that there are no
        edges between. `check` is called often; what it raises ends the work.
        """
        task = _Task(view, signals, Sums({s.name: Totals(edges, s.type in REAL) for s in signals}), check)
        span = view.span
        if span is None:
            return task.sums
        # Where there are no records, how a range begins and ends does not matter.
        start = max(int(edges[0]), span[0] // DAY * DAY)
        stop = min(int(edges[-1]), (span[1] // DAY + 1) * DAY)
        if start >= stop:
            return task.sums
        level = level_within(granule) if granule else _coarsest((stop - start) // PIECES)
        self._cover(task, start, stop, -1 if level is None else level)
        task.sums.damages += view.damages_within(start, stop - 1) + len(task.sums.found)
        return task.sums

    def _cover(self, task: _Task, start: int, stop: int, level: int) -> None:
        """Take in what lies in [start, stop), of which no edge divides a bucket of this level."""
        finest = task.view.finest_within(start, min(stop, HIGHEST) - 1) if start < stop else None
        if finest is None:
            return
        low = high = start
        while level >= finest:
            low = -(-start // LEVELS[level]) * LEVELS[level]
            high = stop // LEVELS[level] * LEVELS[level]
            if low < high:
                break
            level -= 1
        if level < finest:
            self._from_records(task, start, stop)
            return
        self._cover(task, start, low, level - 1)
        self._at_level(task, low, high, level)
        self._cover(task, high, stop, level - 1)

    def _at_level(self, task: _Task, start: int, stop: int, level: int) -> None:
        """Take in whole buckets of a level."""
        names = [signal.name for signal in task.signals]
        merged, count, lost = self._parts.merged(task.view, names, level, start, stop, task.check)
        task.sums.damages += lost
        for name, rollup in merged.items():
            task.sums.totals[name].add_rollup(rollup, start, stop)
        known = task.view.within(start, stop - 1, count)
        covered = [self._parts.covers(one, level, start, stop) for one in known]
        if known and not count and not any(covered):
            self._from_records(task, start, stop)
            return
        for one, has in zip(known, covered, strict=True):
            task.check()
            if has:
                self._from_rollup(task, one, level, start, stop)
            else:
                self._from_segment(task, one, start, stop)

    def _from_rollup(self, task: _Task, known: Seen, level: int, start: int, stop: int) -> None:
        with suppress(FileNotFoundError):  # deleted by retention since
            names = [signal.name for signal in task.signals]
            made, lost = self._parts.of_segment(known, names, level, task.check)
            task.sums.damages += lost
            for name, rollup in made.items():
                task.sums.totals[name].add_rollup(rollup, start, stop)

    def _from_records(self, task: _Task, start: int, stop: int) -> None:
        with self.open(task.view, start, min(stop, HIGHEST) - 1) as reader:
            self._read(task, reader)

    def _from_segment(self, task: _Task, known: Seen, start: int, stop: int) -> None:
        with Reader(_opened([known]), start, min(stop, HIGHEST) - 1) as reader:
            self._read(task, reader)

    def _read(self, task: _Task, reader: Reader) -> None:
        known = len(reader.damages)  # told by the view
        has = {signal.name for signal in reader.signals}
        names = [signal.name for signal in task.signals if signal.name in has]
        for table in reader.batches(names, task.check):
            for name in names:
                task.sums.totals[name].add_records(table.time_ns, table.columns[name])
                task.check()
        task.sums.found.update((damage.segment, damage.start) for damage in reader.damages[known:])


def _opened(known: Sequence[Seen]) -> Iterator[Segment]:
    """The segments, without those that retention has deleted since."""
    for one in known:
        with suppress(FileNotFoundError):
            yield Segment(one.path, known=one.known)


def _coarsest(width: int) -> int | None:
    return next((level for level in reversed(range(len(LEVELS))) if LEVELS[level] <= width), None)
