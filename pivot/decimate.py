"""Fewer records: every so many-th, or per bucket the mean, or the smallest and the largest value of each signal.

A bucket is so many records, or a width of record time whose bounds are multiples of it since 1970 UTC. It may go over any
number of tables: of the last one only what was reduced so far is held.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from speeddata.errors import TimeError
from speeddata.pivot.export_column import Column
from speeddata.pivot.reducers import REDUCERS, Reducer
from speeddata.table import Array, Table
from speeddata.times import parse_duration

__all__ = ["WANTED", "Decimation", "decimate", "decimated_columns", "parse_width"]

WANTED = "every, mean or minmax, then a count, rate or width, such as every:10, mean:10Hz, minmax:1s"
GRAMMAR = re.compile(r"(every|mean|minmax|min-max):(.+)")
AMOUNT = re.compile(r"(\d{1,18}(?:\.\d{1,18})?)\s*([A-Za-z]+)")
RATES = {"hz": 1, "khz": 1000, "mhz": 10**6}
MOST = 2**62  # of a count, and of the nanoseconds of a width


def parse_width(text: str) -> int | None:
    """Nanoseconds that a rate (`50Hz`, to the nearest nanosecond) or a width (`10ms`, `PT1S`) stands for."""
    found = AMOUNT.fullmatch(text.strip())
    width: Fraction | int | None = None
    if found and found[2].lower() in RATES:
        rate = Fraction(found[1]) * RATES[found[2].lower()]
        width = 10**9 / rate if rate else None
    else:
        try:
            width = parse_duration(text)
        except TimeError:
            return None
    return round(width) if width is not None and 1 <= round(width) <= MOST else None


@dataclass(frozen=True)
class Decimation:
    """How records become fewer; `count` or `width_ns` is given."""

    how: str  # every, mean, minmax
    count: int | None = None
    width_ns: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Decimation | None":
        """Read what a parameter says; None when that is nothing."""
        found = GRAMMAR.fullmatch(text.strip())
        if found is None:
            return None
        how = found[1].replace("-", "")
        if found[2].isascii() and found[2].isdigit():
            count = int(found[2][:20])
            return cls(how, count=count) if 1 <= count <= MOST else None
        width_ns = parse_width(found[2])
        return cls(how, width_ns=width_ns) if width_ns else None


def decimated_columns(columns: Sequence[Column], how: str) -> list[Column]:
    """The columns that there are afterwards."""
    return [made for _, made in _plan(columns, how)]


def _plan(columns: Sequence[Column], how: str) -> list[tuple[Column, Column]]:
    """Each column that there is afterwards, and the one it is made of."""
    if how == "every":
        return [(column, column) for column in columns]
    taken = {column.name for column in columns}
    plan = []
    for column in columns:
        if not column.number:
            plan.append((column, column))
        elif how == "mean":
            plan.append((column, replace(column, kind="double", type=None, reduced="mean")))
        else:
            for end in ("min", "max"):
                name = f"{column.name}_{end}"
                while name in taken:
                    name += "_"
                taken.add(name)
                plan.append((column, replace(column, name=name, reduced=end)))
    return plan


def decimate(tables: Iterable[Table], columns: Sequence[Column], how: Decimation) -> Iterator[Table]:
    """Make tables of fewer rows; an incomplete last bucket counts like the others."""
    keys = _Keys(how)
    if how.how == "every":
        last: int | None = None
        for table in tables:
            ids = keys.of(table.time_ns)
            first = np.ones(len(ids), np.bool_)
            first[1:] = ids[1:] != ids[:-1]
            if last is not None and len(ids):
                first[0] = ids[0] != last
            last = int(ids[-1]) if len(ids) else last
            if first.any():
                yield table.take(first)
        return
    yield from _reduced(tables, _plan(columns, how.how), keys)


def _reduced(tables: Iterable[Table], plan: list[tuple[Column, Column]], keys: "_Keys") -> Iterator[Table]:
    reducers = {made.name: (source.name, REDUCERS[made.reduced]) for source, made in plan}
    held: _Buckets | None = None
    for table in tables:
        if not len(table):
            continue
        found = _Buckets.of(table, keys.of(table.time_ns), reducers)
        if held is not None and held.ids[0] == found.ids[0]:
            found.join(held)
        elif held is not None:
            yield held.table(keys)
        if len(found.ids) > 1:
            yield found.rows(slice(0, -1)).table(keys)
        held = found.rows(slice(-1, None))
    if held is not None:
        yield held.table(keys)


class _Keys:
    """Numbers the buckets that records belong to."""

    def __init__(self, how: Decimation) -> None:
        self.how = how
        self._seen = 0

    def of(self, time_ns: Array) -> Array:
        """The bucket of each record of the next table."""
        if self.how.width_ns is not None:
            return np.floor_divide(time_ns, self.how.width_ns)
        assert self.how.count is not None
        ids = np.arange(self._seen, self._seen + len(time_ns), dtype=np.int64) // self.how.count
        self._seen += len(time_ns)
        return ids

    def times(self, ids: Array, first_ns: Array) -> Array:
        """The time of each bucket: where its width begins, or of its first record."""
        if self.how.width_ns is None:
            return first_ns
        lowest = -(2**63) // self.how.width_ns + 1  # the one before would begin before what int64 holds
        return np.where(ids >= lowest, np.maximum(ids, lowest) * self.how.width_ns, first_ns)


@dataclass
class _Buckets:
    """Buckets as far as they are reduced: a row each in every part of every column."""

    ids: Array
    first_ns: Array
    parts: dict[str, tuple[Array, ...]]
    reducers: dict[str, tuple[str, Reducer]]

    @classmethod
    def of(cls, table: Table, ids: Array, reducers: dict[str, tuple[str, Reducer]]) -> "_Buckets":
        starts = np.concatenate([[0], np.flatnonzero(ids[1:] != ids[:-1]) + 1])
        parts = {name: r.reduce(table.columns[source], starts) for name, (source, r) in reducers.items()}
        return cls(ids[starts], table.time_ns[starts], parts, reducers)

    def join(self, before: "_Buckets") -> None:
        """Add what was there of the first bucket."""
        self.first_ns[0] = before.first_ns[0]
        for name, (_, reducer) in self.reducers.items():
            reducer.join(before.parts[name], self.parts[name])

    def rows(self, rows: slice) -> "_Buckets":
        def cut(part: Array) -> Array:
            return part[rows].copy()

        parts = {name: tuple(map(cut, arrays)) for name, arrays in self.parts.items()}
        return _Buckets(cut(self.ids), cut(self.first_ns), parts, self.reducers)

    def table(self, keys: _Keys) -> Table:
        make: Callable[[str], Array] = lambda name: self.reducers[name][1].result(self.parts[name])  # noqa: E731
        return Table(keys.times(self.ids, self.first_ns), {name: make(name) for name in self.parts})
