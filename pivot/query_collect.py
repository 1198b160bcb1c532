"""Aggregates that need the records themselves, collected bucket by bucket from tables that follow each other in time.

Each collector takes in the records of one signal and gives a column for each aggregate. Null and NaN do not count.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from speeddata.aggregate import weigh
from speeddata.pivot.problem import Problem
from speeddata.rollup import Totals
from speeddata.table import Array

__all__ = [
    "MOMENTS",
    "PERCENTILE",
    "Collector",
    "Moments",
    "Quantiles",
    "Weighted",
    "Words",
    "column_of",
    "quantile_of",
]

# What rollups can tell.
MOMENTS = ("avg", "sum", "min", "max", "count", "first", "last", "stddev", "rate")
MAX_HELD = 1 << 26  # values of one bucket that are held for its quantiles
MAX_PAIRS = 1 << 23  # distinct values of all buckets
PERCENTILE = re.compile(r"p(100|\d{1,2}(?:\.\d{1,6})?)", re.ASCII)
NS = 1e9


class Collector(Protocol):
    """Takes in the records of one signal."""

    def add(self, times: Array, values: Array) -> None:
        """Take in records in the order of their times, none before those of the last call."""

    def columns(self) -> dict[str, Array]:
        """A column of one value a bucket for each aggregate."""


def quantile_of(name: str) -> float | None:
    """The quantile that an aggregate's name stands for; None for another name."""
    if name == "median":
        return 0.5
    match = PERCENTILE.fullmatch(name)
    return float(match[1]) / 100 if match else None


def column_of(name: str, totals: Totals, kind: str) -> Array:
    """One aggregate of a signal of a kind; empty buckets are NaN, or masked where the values are whole."""
    count, low, high, first, last, total, m2, first_ns, last_ns = totals.rows
    empty = count == 0
    if name == "count":
        return count
    if name in ("min", "max", "first", "last"):
        values: Array = {"min": low, "max": high, "first": first, "last": last}[name]
        if values.dtype == np.float64:
            return np.where(empty, np.nan, values)
        masked: Array = np.ma.MaskedArray(
            values.astype(np.bool_) if kind == "boolean" else values, mask=empty
        )
        return masked
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if name == "avg":
            return total / count
        if name == "sum":
            return np.where(empty, np.nan, total)
        if name == "stddev":
            return np.where(count > 1, np.sqrt(m2 / (count - 1)), np.nan)
        rate: Array = np.where(last_ns > first_ns, _rise(first, last) / ((last_ns - first_ns) / NS), np.nan)
        return rate


def _rise(first: Array, last: Array) -> Array:
    """The difference of two columns; of whole numbers to the last digit, where int64 holds it."""
    rise: Array = last.astype(np.float64) - first.astype(np.float64)
    if first.dtype.kind != "i":
        return rise
    return np.where(np.abs(rise) < 2.0**62, (last - first).astype(np.float64), rise)


class Moments:
    """What rollups can tell, of records."""

    def __init__(self, edges: Array, kind: str, names: Sequence[str]) -> None:
        self.totals = Totals(edges, kind in ("float", "double"))
        self._kind = kind
        self._names = names

    def add(self, times: Array, values: Array) -> None:
        self.totals.add_records(times, values)

    def columns(self) -> dict[str, Array]:
        return {name: column_of(name, self.totals, self._kind) for name in self._names}


class Quantiles:
    """Median and percentiles, by linear interpolation between the two values next to them."""

    def __init__(self, edges: Array, names: Sequence[str]) -> None:
        self._edges = edges
        self._quantiles = {name: quantile_of(name) or 0.0 for name in names}
        self._columns = {name: np.full(len(edges) - 1, np.nan) for name in names}
        self._held: list[Array] = []
        self._bucket = -1  # whose values are held

    def add(self, times: Array, values: Array) -> None:
        times, values = real_values(times, values)
        if not len(times):
            return
        low, high = (int(np.searchsorted(self._edges, stamp, "right")) - 1 for stamp in (times[0], times[-1]))
        bounds = np.searchsorted(times, self._edges[low : high + 2], "left")
        if low != self._bucket:
            self._settle()
        for bucket in np.flatnonzero(np.diff(bounds)).tolist():
            part = values[bounds[bucket] : bounds[bucket + 1]]
            if bucket + low != self._bucket:
                self._settle()
            self._bucket = bucket + low
            self._held.append(part)
            if sum(map(len, self._held)) > MAX_HELD:
                error = f"A bucket has more than {MAX_HELD} values, too many for a median or percentile: take a smaller every"
                raise Problem(413, error, field="every")

    def columns(self) -> dict[str, Array]:
        self._settle()
        return self._columns

    def _settle(self) -> None:
        """Tell the quantiles of the values that are held."""
        if self._held:
            values = np.sort(np.concatenate(self._held))
            for name, quantile in self._quantiles.items():
                place = quantile * (len(values) - 1)
                below = int(place)
                above = min(below + 1, len(values) - 1)
                low, high = float(values[below]), float(values[above])
                self._columns[name][self._bucket] = (
                    low if low == high else low + (high - low) * (place - below)
                )
        self._held = []


class Weighted:
    """The average over time: a value holds until the next one, over the edges of buckets too, and to the end of the range.

    `held` is the last value before the range; the time before the first value there is does not count.
    """

    def __init__(self, edges: Array, held: float = float("nan")) -> None:
        self._edges = edges
        self._area, self._weight = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
        self._held, self._since = held, int(edges[0])

    def add(self, times: Array, values: Array) -> None:
        times, values = real_values(times, values)
        if len(times):
            self._hold(times, values, int(times[-1]))

    def columns(self) -> dict[str, Array]:
        self._hold(np.empty(0, np.int64), np.empty(0), int(self._edges[-1]))
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"twa": self._area / self._weight}

    def _hold(self, times: Array, values: Array, until: int) -> None:
        self._held, self._since = weigh(
            values, times, self._edges, self._area, self._weight, self._held, self._since, until
        )


class Words:
    """First, last, count, distinct and mode of values of any kind; of equally frequent ones the mode is that which came first
    in the bucket."""

    def __init__(self, edges: Array, names: Sequence[str]) -> None:
        self._edges = edges
        self._names = names
        buckets = len(edges) - 1
        self._codes: dict[Any, int] = {}
        self._values: list[Any] = []
        self._count = np.zeros(buckets, np.int64)
        self._first, self._last = np.full(buckets, -1, np.int64), np.full(buckets, -1, np.int64)
        # Bucket and code as one number, how often, and where that came first among all that was added.
        self._pairs: list[tuple[Array, Array, Array]] = []
        self._added = 0

    def add(self, times: Array, values: Array) -> None:
        codes = np.fromiter(self._codes_of(values), np.int64, len(values))
        valid = codes >= 0
        times, codes = times[valid], codes[valid]
        if not len(times):
            return
        low, high = (int(np.searchsorted(self._edges, stamp, "right")) - 1 for stamp in (times[0], times[-1]))
        bounds = np.searchsorted(times, self._edges[low : high + 2], "left")
        filled = np.flatnonzero(np.diff(bounds))
        self._count[low : high + 1] += np.diff(bounds)
        new = filled[self._first[low + filled] < 0]
        self._first[low + new] = codes[bounds[new]]
        self._last[low + filled] = codes[bounds[filled + 1] - 1]
        if "distinct" in self._names or "mode" in self._names:
            buckets = np.repeat(np.arange(low, high + 1), np.diff(bounds))
            pairs, first, often = np.unique((buckets << 32) + codes, return_index=True, return_counts=True)
            self._pairs.append((pairs, often, first + self._added))
            self._added += len(codes)
            if sum(len(pairs) for pairs, _, _ in self._pairs) > MAX_PAIRS:
                raise Problem(413, "Too many distinct values: ask for a shorter range", field="aggregates")

    def columns(self) -> dict[str, Array]:
        told = {"count": self._count}
        told |= {
            name: self._looked_up(codes) for name, codes in (("first", self._first), ("last", self._last))
        }
        if self._pairs or {"distinct", "mode"} & set(self._names):
            told |= self._frequent()
        return {name: told[name] for name in self._names}

    def _codes_of(self, values: Array) -> Iterator[int]:
        """A number for each value; -1 for those that are not there."""
        codes, known = self._codes, self._values
        for value in values.tolist():
            if value is None or value != value:
                yield -1
                continue
            key = value if isinstance(value, str | bytes | int | float) else repr(value)
            code = codes.setdefault(key, len(known))
            if code == len(known):
                known.append(value)
            yield code

    def _looked_up(self, codes: Array) -> Array:
        made = np.empty(len(codes), np.object_)
        made[:] = [self._values[code] if code >= 0 else None for code in codes.tolist()]
        return made

    def _frequent(self) -> dict[str, Array]:
        empty = np.empty(0, np.int64)
        pairs, often, first = (
            np.concatenate([empty, *parts])
            for parts in (zip(*self._pairs, strict=True) if self._pairs else ((), (), ()))
        )
        pairs, place = np.unique(pairs, return_inverse=True)
        often = np.bincount(place, often, len(pairs)).astype(np.int64)
        before = np.full(len(pairs), self._added)
        np.minimum.at(before, place, first)
        distinct = np.bincount(pairs >> 32, minlength=len(self._count))
        mode = np.full(len(self._count), -1, np.int64)
        order = np.lexsort((-before, often))  # the most frequent last, of those the one that came first
        mode[pairs[order] >> 32] = pairs[order] & 0xFFFFFFFF
        return {"distinct": distinct.astype(np.int64), "mode": self._looked_up(mode)}


def real_values(times: Array, values: Array) -> tuple[Array, Array]:
    """The values that are there as float64, and their times."""
    data = np.ma.getdata(values).astype(np.float64)
    valid = ~(np.ma.getmaskarray(values) | np.isnan(data))
    if valid.all():
        return times, np.ascontiguousarray(data)
    return times[valid], data[valid]
