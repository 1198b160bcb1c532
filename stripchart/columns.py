"""Samples reduced to columns of absolute time: of each column first, minimum, maximum and last, and how many there were.

Nothing is averaged: each number is that of a sample. Column k of a width covers the times [k * width, (k + 1) * width).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Columns:
    """The columns of a channel that hold samples, in order. Arrays have a row per signal but for `numbers`."""

    numbers: NDArray[np.int64]
    first: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    last: NDArray[np.float64]
    """NaN where a signal has no value in a column."""
    counts: NDArray[np.int64]
    broken: NDArray[np.bool_]
    """A break came right before its first value: it is not joined to the value before."""

    def take(self, chosen: NDArray[np.bool_]) -> "Columns":
        """Only some of the columns."""
        first, low, high, last = (part[:, chosen] for part in (self.first, self.min, self.max, self.last))
        counts, broken = self.counts[:, chosen], self.broken[:, chosen]
        return Columns(self.numbers[chosen], first, low, high, last, counts, broken)


def reduce(times: NDArray[np.int64], values: NDArray[np.float64], width_ns: int, start: int) -> Columns:
    """Reduce samples in the order of their times to the columns from number `start` on.

    `values` has a row per signal, NaN for a break. Samples before those columns only tell what the first is joined to.
    """
    numbers = times // width_ns
    before = int(np.searchsorted(numbers, start))
    own = numbers[before:]
    if not len(own):
        empty = np.empty((len(values), 0))
        none, unbroken = empty.astype(np.int64), empty.astype(np.bool_)
        return Columns(own, empty, empty, empty, empty, none, unbroken)
    starts = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
    shown = values[:, before:]
    has = ~np.isnan(shown)
    place = np.arange(before, len(times))
    firsts = np.minimum.reduceat(np.where(has, place, len(times)), starts, axis=1)
    lasts = np.maximum.reduceat(np.where(has, place, -1), starts, axis=1)
    counts = np.add.reduceat(has, starts, axis=1, dtype=np.int64)
    rows = np.arange(len(values))[:, None]
    is_empty = counts == 0
    firsts[is_empty] = lasts[is_empty] = 0
    joined = values[rows, np.maximum(firsts - 1, 0)]
    return Columns(
        own[starts],
        np.where(is_empty, np.nan, values[rows, firsts]),
        np.fmin.reduceat(shown, starts, axis=1),
        np.fmax.reduceat(shown, starts, axis=1),
        np.where(is_empty, np.nan, values[rows, lasts]),
        counts,
        ~is_empty & ((firsts == 0) | np.isnan(joined)),
    )
