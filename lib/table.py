"""Records of a channel as columns: what readers give and files are written from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Array", "GapFinder", "Table", "join_columns"]

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length, one row a record."""

    time_ns: Array  # int64
    columns: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, rows: slice | Array) -> "Table":
        """Rows by slice, mask or places."""
        return Table(self.time_ns[rows], {name: column[rows] for name, column in self.columns.items()})

    def sorted(self) -> "Table":
        """The rows by time; those of equal time stay in their order."""
        if (self.time_ns[1:] >= self.time_ns[:-1]).all():
            return self
        return self.take(np.argsort(self.time_ns, kind="stable"))

    @classmethod
    def join(cls, tables: Sequence["Table"]) -> "Table":
        """Tables of the same columns, one below the other."""
        if len(tables) == 1:
            return tables[0]
        names = tables[0].columns
        columns = {name: join_columns([table.columns[name] for table in tables]) for name in names}
        return cls(np.concatenate([table.time_ns for table in tables]), columns)


def join_columns(parts: Sequence[Array]) -> Array:
    """One column of several: arrays of another length in each part make it a column of objects."""
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        joined: Array = np.ma.concatenate(parts)  # type: ignore[no-untyped-call]
        return joined
    parts = [part for part in parts if len(part)] or parts[:1]
    if len({(part.shape[1:], part.dtype == object) for part in parts}) == 1:
        return np.concatenate(parts)
    out = np.empty(sum(map(len, parts)), object)
    at = 0
    for part in parts:
        for row in part:
            out[at] = row
            at += 1
    return out


class GapFinder:
    """Finds missing records by the numbers that a source gives them, in tables that follow each other in time."""

    def __init__(self) -> None:
        self.gaps: list[tuple[int, int]] = []  # (time of the record before, records missing)
        self._last: tuple[int, int] | None = None  # number and time

    def add(self, time_ns: Array, sequence: Array) -> None:
        """Look at more records. A number that does not rise is a repetition or a new start, no gap."""
        valid = ~np.ma.getmaskarray(sequence)
        numbers = np.ma.getdata(sequence)[valid].astype(np.int64)
        times = time_ns[valid]
        if self._last is not None:
            numbers = np.concatenate([[self._last[0]], numbers])
            times = np.concatenate([[self._last[1]], times])
        if not len(numbers):
            return
        with np.errstate(over="ignore"):
            steps = numbers[1:] - numbers[:-1]
        for place in np.flatnonzero((steps > 1) & (numbers[1:] > numbers[:-1])):
            self.gaps.append((int(times[place]), int(steps[place]) - 1))
        self._last = int(numbers[-1]), int(times[-1])
