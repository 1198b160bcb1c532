"""What becomes of the values of a bucket. NaN and null are left out; of what is no number the last value is given.

`reduce` gives parts with a row a bucket, `join` adds the parts of the one bucket that came before to the first row.
"""

from typing import Protocol

import numpy as np

from speeddata.table import Array

__all__ = ["REDUCERS", "Reducer"]

Parts = tuple[Array, ...]


class Reducer(Protocol):
    """A way to reduce buckets, which begin at `starts`."""

    def reduce(self, column: Array, starts: Array) -> Parts: ...

    def join(self, before: Parts, parts: Parts) -> None: ...

    def result(self, parts: Parts) -> Array: ...


class Last:
    """The last value, be it null."""

    def reduce(self, column: Array, starts: Array) -> Parts:
        return (column[np.append(starts[1:], len(column)) - 1],)

    def join(self, before: Parts, parts: Parts) -> None:
        """The later one is there already."""

    def result(self, parts: Parts) -> Array:
        return parts[0]


class Mean:
    """The mean as double; NaN where there is no value."""

    def reduce(self, column: Array, starts: Array) -> Parts:
        values = np.ma.getdata(column).astype(np.float64)
        missing = np.isnan(values) | np.ma.getmaskarray(column)
        values[missing] = 0.0
        with np.errstate(invalid="ignore", over="ignore"):
            return np.add.reduceat(values, starts), np.add.reduceat((~missing).astype(np.int64), starts)

    def join(self, before: Parts, parts: Parts) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            parts[0][0] += before[0][0]
        parts[1][0] += before[1][0]

    def result(self, parts: Parts) -> Array:
        total, count = parts
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Array = np.where(count > 0, total / count, np.nan)
        return mean


class Extreme:
    """The smallest or the largest value, of the type that the values have."""

    def __init__(self, largest: bool) -> None:
        self.largest = largest

    def reduce(self, column: Array, starts: Array) -> Parts:
        if column.dtype.kind == "f":
            return ((np.fmax if self.largest else np.fmin).reduceat(np.asarray(column), starts),)
        ufunc = np.maximum if self.largest else np.minimum
        if not isinstance(column, np.ma.MaskedArray):
            return (ufunc.reduceat(column, starts),)
        missing = np.ma.getmaskarray(column)
        limits = np.iinfo(column.dtype)
        values = np.where(missing, limits.min if self.largest else limits.max, column.data)
        none = np.logical_and.reduceat(missing, starts)
        return ufunc.reduceat(values.astype(column.dtype), starts), none

    def join(self, before: Parts, parts: Parts) -> None:
        if parts[0].dtype.kind == "f":
            parts[0][0] = (np.fmax if self.largest else np.fmin)(parts[0][0], before[0][0])
        else:
            parts[0][0] = (max if self.largest else min)(parts[0][0], before[0][0])
        if len(parts) > 1:
            parts[1][0] &= before[1][0]

    def result(self, parts: Parts) -> Array:
        if len(parts) == 1:
            return parts[0]
        masked: Array = np.ma.MaskedArray(parts[0], parts[1])
        return masked


REDUCERS: dict[str, Reducer] = {"mean": Mean(), "min": Extreme(False), "max": Extreme(True), "last": Last()}
