"""Channels joined on one time base: the records of one of them, or a grid of equal steps.

Of each other channel one table is held at a time, and the record before it, whatever the base is. What a channel does
not have at a time is NaN, masked or None.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from speeddata.pivot.export_column import Column
from speeddata.table import Array, Table

__all__ = ["Joined", "align", "aligned_columns"]

ROWS = 1 << 16  # of a table that is made
LATEST = 2**63 - 1


@dataclass
class Joined:
    """A channel that is joined with others."""

    name: str
    columns: Sequence[Column]
    tables: Iterator[Table]
    held: Table | None = field(default=None)  # records not used up yet
    ended: bool = False

    def pull(self) -> bool:
        """Take another table with records; False when there is none."""
        for table in self.tables:
            if len(table):
                self.held = table if self.held is None else Table.join([self.held, table])
                return True
        self.ended = True
        return False

    @property
    def known_ns(self) -> int:
        """Up to before which time everything is known."""
        return LATEST if self.ended else int(self.held.time_ns[-1]) if self.held is not None else -LATEST - 1

    def pass_on(self, time_ns: int) -> None:
        """Read on, as all that is known is before a time; the newest record of it may still be wanted."""
        if self.held is not None:
            last = int(np.searchsorted(self.held.time_ns, time_ns, "right")) - 1
            self.held = self.held.take(slice(max(last, 0), None))
        self.pull()


def aligned_columns(channels: Sequence[Joined], how: str, base: str | None) -> list[Column]:
    """The columns of the table that is made, `channel.signal`; those of the base are as they were."""
    made = []
    for channel in channels:
        for column in channel.columns:
            named = replace(column, name=f"{channel.name}.{column.name}")
            if channel.name != base and how == "linear" and column.number:
                named = replace(named, kind="double", type=None)
            made.append(named if channel.name == base else replace(named, nullable=True))
    return made


def align(
    channels: Sequence[Joined], how: str, *, base: str | None = None, width_ns: int | None = None
) -> Iterator[Table]:
    """Join channels on the times of `base`, or on multiples of `width_ns` from the first to the last record.

    `how` is previous (the last record up to then), nearest (the earlier of two) or linear (numbers between two records,
    else previous).
    """
    others = [channel for channel in channels if channel.name != base]
    for channel in others:
        channel.pull()
    if base is not None:
        bases: Iterable[Table] = next(channel for channel in channels if channel.name == base).tables
    else:
        assert width_ns is not None
        bases = _grid(others, width_ns)
    for table in bases:
        left = table
        while len(left):
            known = min((channel.known_ns for channel in others), default=LATEST)
            ready = int(np.searchsorted(left.time_ns, known, "left"))
            if known == LATEST:
                ready = len(left)
            for at in range(0, ready, ROWS):
                yield _joined(channels, base, left.take(slice(at, min(at + ROWS, ready))), how)
            left = left.take(slice(ready, None))
            if len(left):
                first = int(left.time_ns[0])
                for channel in others:
                    if channel.known_ns <= first and not channel.ended:
                        channel.pass_on(first)


def _grid(channels: Sequence[Joined], width_ns: int) -> Iterator[Table]:
    """Multiples of a width, as long as there are records."""
    firsts = [int(channel.held.time_ns[0]) for channel in channels if channel.held is not None]
    if not firsts:
        return
    at = -(-min(firsts) // width_ns)
    while True:
        reach = max(int(channel.held.time_ns[-1]) for channel in channels if channel.held is not None)
        count = min(ROWS, reach // width_ns + 1 - at)
        if count > 0:
            yield Table(np.arange(at, at + count, dtype=np.int64) * width_ns, {})
            at += count
            continue
        running = [channel for channel in channels if not channel.ended]
        if not running:
            return
        for channel in running:
            channel.pass_on(min(at * width_ns, LATEST))


def _joined(channels: Sequence[Joined], base: str | None, rows: Table, how: str) -> Table:
    columns: dict[str, Array] = {}
    for channel in channels:
        for column in channel.columns:
            name = f"{channel.name}.{column.name}"
            columns[name] = (
                rows.columns[column.name]
                if channel.name == base
                else _values(channel, column, rows.time_ns, how)
            )
    return Table(rows.time_ns, columns)


def _values(channel: Joined, column: Column, at_ns: Array, how: str) -> Array:
    """The values of a column at some times."""
    if channel.held is None:
        return _absent(column, how, len(at_ns))
    times, values = channel.held.time_ns, channel.held.columns[column.name]
    before = np.searchsorted(times, at_ns, "right") - 1
    after = np.minimum(before + 1, len(times) - 1)
    if how == "linear" and column.number:
        return _between(times, values, at_ns, before, after)
    if how == "nearest":
        # Differences as unsigned: they may be larger than int64 holds.
        back = (at_ns - times[np.maximum(before, 0)]).view(np.uint64)
        ahead = (times[after] - at_ns).view(np.uint64)
        nearer = (before < 0) | ((before + 1 < len(times)) & (ahead < back))
        before = np.where(nearer, before + 1, before)
    return _taken(values, np.maximum(before, 0), before < 0)


def _between(times: Array, values: Array, at_ns: Array, before: Array, after: Array) -> Array:
    """Linear between the records before and after; where there are not both, NaN."""
    numbers = np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
    start, low, high = times[np.maximum(before, 0)], numbers[np.maximum(before, 0)], numbers[after]
    passed = (at_ns - start).view(np.uint64).astype(np.float64)
    whole = (times[after] - start).view(np.uint64).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        made: Array = low + (high - low) * (passed / whole)
    made = np.where(at_ns == start, low, made)
    made[(before < 0) | ((at_ns != start) & (before + 1 >= len(times)))] = np.nan
    return made


def _taken(values: Array, rows: Array, absent: Array) -> Array:
    """Rows of a column, some of which there are not."""
    taken = values[rows]
    if values.dtype.kind == "f" and values.ndim == 1:
        taken[absent] = np.nan
        return taken
    if values.dtype == object or values.ndim > 1:
        made = np.empty(len(rows), object)
        if values.ndim > 1:
            for place, value in enumerate(taken):
                made[place] = value
        else:
            made[:] = taken
        made[absent] = None
        return made
    masked: Array = np.ma.MaskedArray(np.ma.getdata(taken), np.ma.getmaskarray(taken) | absent)
    return masked


def _absent(column: Column, how: str, rows: int) -> Array:
    kind = "double" if how == "linear" and column.number else column.kind
    if kind in ("float", "double"):
        return np.full(rows, np.nan, np.float32 if kind == "float" else np.float64)
    if kind in ("int", "long", "boolean"):
        dtype = {"int": np.int32, "long": np.int64}.get(kind, np.bool_)
        masked: Array = np.ma.MaskedArray(np.zeros(rows, dtype), np.ones(rows, np.bool_))
        return masked
    return np.empty(rows, object)
