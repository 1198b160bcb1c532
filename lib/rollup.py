"""Mergeable aggregates of a signal per time bucket, at the levels of a ladder: made of records, merged, summed up.

A rollup row is what `speeddata.aggregate` makes of a run of records: count, minimum, maximum, first, last, sum, squared
deviation and two times. Merging rows gives what the records of both would have given, to the last digit but for sums,
which may differ in their last ones. No files here; they are in rollup_file.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from speeddata.aggregate import find_runs, merge_rows, reduce_values
from speeddata.table import Array

if TYPE_CHECKING:
    from speeddata.aggregate import Rows as Rows_

__all__ = [
    "LEVELS",
    "NUMERIC",
    "REAL",
    "Rollup",
    "Rows",
    "Totals",
    "finest_level",
    "level_within",
    "rows_of_values",
]

Rows: TypeAlias = "Rows_"  # the columns of some rows
S = 1_000_000_000
# Widths of the buckets in ns; each is whole in all that are finer.
LEVELS = (S // 1000, S // 100, S // 10, S, 10 * S, 60 * S, 600 * S, 3600 * S, 6 * 3600 * S, 86400 * S)
RECORDS = 32  # that a bucket of the finest level has on average at least
FREE = 64  # rows that are worth it however few records they stand for
NUMERIC = ("int", "long", "float", "double", "boolean")
REAL = ("float", "double")
LOWEST = -(2**63)


@dataclass(frozen=True, eq=False)
class Rollup:
    """Rows of one signal at one level, of the buckets that have records: `start_ns` ascends."""

    width_ns: int
    start_ns: Array
    rows: Rows

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def nbytes(self) -> int:
        return int(self.start_ns.nbytes) + sum(int(column.nbytes) for column in self.rows)

    @classmethod
    def of_records(cls, times: Array, values: Array, width_ns: int) -> "Rollup":
        """Of records in the order of their times."""
        starts, bounds = find_runs(times, width_ns)
        return cls(width_ns, starts, rows_of_values(values, times, bounds))

    @classmethod
    def empty(cls, width_ns: int) -> "Rollup":
        """Of no records."""
        none = np.empty(0, np.int64)
        return cls(width_ns, none, rows_of_values(none, none, np.zeros(1, np.int64)))

    @classmethod
    def merged(cls, parts: Sequence["Rollup"]) -> "Rollup":
        """One of several of the same level, whose records arrived in the order of the parts."""
        parts = [part for part in parts if len(part)] or list(parts[:1])
        assert len({part.width_ns for part in parts}) == 1, "rows of one level"
        if len(parts) == 1:
            return parts[0]
        starts = np.concatenate([part.start_ns for part in parts])
        rows = _joined([part.rows for part in parts])
        if not (starts[1:] > starts[:-1]).all():
            order = np.argsort(starts, kind="stable")
            starts = starts[order]
            first = np.flatnonzero(np.append(True, starts[1:] != starts[:-1]))
            rows = merge_rows(tuple(column[order] for column in rows), np.append(first, len(starts)))  # type: ignore[arg-type]
            starts = starts[first]
        return cls(parts[0].width_ns, starts, rows)

    def at(self, width_ns: int) -> "Rollup":
        """The same at a coarser level."""
        if width_ns == self.width_ns:
            return self
        starts, bounds = find_runs(self.start_ns, width_ns)
        return Rollup(width_ns, starts, merge_rows(self.rows, bounds))

    def as_real(self) -> "Rollup":
        """The same with values of float64."""
        if self.rows[1].dtype == np.float64:
            return self
        real = (column.astype(np.float64) for column in self.rows[1:5])
        return Rollup(self.width_ns, self.start_ns, (self.rows[0], *real, *self.rows[5:]))  # type: ignore[arg-type]


class Totals:
    """What buckets between edges amount to, as parts of their records come in."""

    def __init__(self, edges: Array, real: bool) -> None:
        self.edges = edges
        count, value = len(edges) - 1, np.float64 if real else np.int64
        kinds = (np.int64, value, value, value, value, np.float64, np.float64, np.int64, np.int64)
        self.rows: Rows = tuple(np.zeros(count, kind) for kind in kinds)  # type: ignore[assignment]

    def add_records(self, times: Array, values: Array) -> None:
        """Take in records in the order of their times, which arrived after those before."""
        if not len(times):
            return
        low, high = self._touched(int(times[0]), int(times[-1]))
        bounds = np.searchsorted(times, self.edges[low : high + 1], "left")
        self._put(low, rows_of_values(values, times, bounds))

    def add_rollup(self, rollup: Rollup, start_ns: int, stop_ns: int) -> None:
        """Take in the rows of [start_ns, stop_ns), of which no edge divides one."""
        first, last = np.searchsorted(rollup.start_ns, [start_ns, stop_ns], "left")
        if first == last:
            return
        low, high = self._touched(int(rollup.start_ns[first]), int(rollup.start_ns[last - 1]))
        bounds = np.searchsorted(rollup.start_ns, self.edges[low : high + 1], "left")
        bounds = np.clip(bounds, first, last)
        if high - low == last - first and (np.diff(bounds) == 1).all():
            self._put(low, tuple(column[first:last] for column in rollup.rows))  # type: ignore[arg-type]
        else:
            self._put(low, merge_rows(rollup.rows, bounds))

    def _touched(self, first_ns: int, last_ns: int) -> tuple[int, int]:
        """The buckets, low to high - 1, from that of one time to that of another."""
        low, high = np.searchsorted(self.edges, [first_ns, last_ns], "right")
        return max(int(low) - 1, 0), min(int(high), len(self.edges) - 1)

    def _put(self, low: int, rows: Rows) -> None:
        """Merge rows into the buckets from `low` on."""
        part = slice(low, low + len(rows[0]))
        if self.rows[0][part].any():
            both = [np.stack([mine[part], new], 1).ravel() for mine, new in zip(self.rows, rows, strict=True)]
            rows = merge_rows(tuple(both), np.arange(0, len(both[0]) + 1, 2))  # type: ignore[arg-type]
        for mine, new in zip(self.rows, rows, strict=True):
            mine[part] = new


def rows_of_values(values: Array, times: Array, bounds: Array) -> Rows:
    """Rows of runs of a column, as readers give it."""
    nulls = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    return reduce_values(np.ma.getdata(values), nulls, times, np.ascontiguousarray(bounds, np.int64))


def level_within(granule_ns: int) -> int | None:
    """The coarsest level whose buckets edges do not divide that are whole in a granule."""
    found = [level for level, width in enumerate(LEVELS) if granule_ns % width == 0]
    return found[-1] if found else None


def finest_level(entries: Array) -> int | None:
    """The finest level at which records make rows worth having, by the index entries of their blocks; None: none is."""
    if not len(entries) or int(entries["min_ns"].min()) < LOWEST + 2 * LEVELS[-1]:
        return None
    records = int(entries["count"].sum())
    order = np.argsort(entries["min_ns"], kind="stable")
    lows, highs = entries["min_ns"][order], entries["max_ns"][order]
    for level, width in enumerate(LEVELS):
        if min(_buckets(lows // width, highs // width), records) <= max(records // RECORDS, FREE):
            return level
    return len(LEVELS) - 1


def _buckets(lows: Array, highs: Array) -> int:
    """How many numbers lie in the union of ranges, both ends included, that are sorted by their low ends."""
    before = np.append(lows[0] - 1, np.maximum.accumulate(highs)[:-1])
    return int(np.maximum(highs - np.maximum(lows, before + 1) + 1, 0).sum())


def _joined(rows: Sequence[Rows]) -> Rows:
    return cast("Rows", tuple(np.concatenate(columns) for columns in zip(*rows, strict=True)))
