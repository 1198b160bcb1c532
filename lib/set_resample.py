"""Resampling: the records of each bucket of time become one row.

Buckets are as long as asked and begin at whole multiples of that since 1970 UTC. NaN, null and masked values are left
out of every aggregate; `count` counts what is left. Sums of whole numbers are exact or an OverflowError.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from speeddata.set_times import duration_of, time_order
from speeddata.table import Array
from speeddata.times import format_time

if TYPE_CHECKING:
    from speeddata.channel import Channel

__all__ = ["ANY_TYPE", "aggregates_of", "check_buckets", "is_null", "resample"]

HOWS = ("mean", "min", "max", "first", "last", "sum", "count", "minmax")
ANY_TYPE = ("first", "last", "count")  # what text and other objects have too
MAX_BUCKETS = 5_000_000  # that may be empty, save where there are
RECORDS_TO_BUCKETS = 10  # a tenth as many records


def resample(
    channel: "Channel", every: Any, how: str | Sequence[str] = "mean", fill: str = "null"
) -> "Channel":
    """See `Channel.resample`."""
    from speeddata.channel import Channel

    hows, named = aggregates_of(how)
    if fill not in ("null", "none"):
        raise ValueError(f"fill must be 'null' or 'none', not {fill!r}")
    times, bucket, order = _buckets(channel.time_ns, duration_of(every), fill)
    signals: dict[str, Array] = {}
    units: dict[str, str | None] = {}
    for name, signal in channel.signal.items():
        values = signal._plain()
        values = values if order is None else values[order]
        for one in hows:
            if values.dtype == object and one not in ANY_TYPE:
                continue
            made = f"{name}.{one}" if named else name
            signals[made] = _each(values, bucket, len(times), one)
            units[made] = None if one == "count" else signal.unit
    return Channel.from_ns(channel.name, times, signals, units)


def is_null(values: Array) -> Array:
    """Which values are masked, NaN, NaT or None, of the same shape."""
    masked = np.ma.getmaskarray(values)
    plain = np.ma.getdata(values)
    if plain.dtype.kind in "fc":
        masked = masked | np.isnan(plain)
    elif plain.dtype.kind in "mM":
        masked = masked | np.isnat(plain)
    elif plain.dtype == object:
        masked = masked | np.array([value is None for value in plain.flat], bool).reshape(plain.shape)
    found: Array = masked
    return found


def aggregates_of(how: str | Sequence[str]) -> tuple[list[str], bool]:
    """The aggregates, and whether signals are named by them. ValueError for a word that is none."""
    given = ["mean" if one == "avg" else one for one in ([how] if isinstance(how, str) else how)]
    for one in given:
        if one not in HOWS:
            raise ValueError(f"how must be of {', '.join(HOWS)}, not {one!r}")
    if not given:
        raise ValueError(f"how is empty, wanted some of {', '.join(HOWS)}")
    hows = [part for one in given for part in (("min", "max") if one == "minmax" else (one,))]
    return list(dict.fromkeys(hows)), not isinstance(how, str) or how == "minmax"


def check_buckets(count: int, records: int, start_ns: int, end_ns: int, every: int) -> None:
    """ValueError for millions of buckets of which most are empty, as one record far from the others makes them."""
    if count > max(MAX_BUCKETS, RECORDS_TO_BUCKETS * records):
        raise ValueError(
            f"from {format_time(start_ns)} to {format_time(end_ns)} there are {count} buckets of {every / 1e9:g} s for "
            f"{records} records, most of them empty: choose a longer one, take a range by between() before, or leave empty "
            "ones out by fill='none'"
        )


def _buckets(time_ns: Array, every: int, fill: str) -> tuple[Array, Array, Array | None]:
    """Times of the buckets, the bucket of each record, and the order of the records by time (None: as they are)."""
    if not len(time_ns):
        return np.empty(0, np.int64), np.empty(0, np.int64), None
    order = time_order(time_ns)
    sorted_ns = time_ns if order is None else time_ns[order]
    number = np.floor_divide(sorted_ns, every)
    if fill == "none":
        kept, bucket = np.unique(number, return_inverse=True)
        return kept * every, bucket, order
    count = int(number[-1]) - int(number[0]) + 1
    check_buckets(count, len(time_ns), int(sorted_ns[0]), int(sorted_ns[-1]), every)
    return (number[0] + np.arange(count, dtype=np.int64)) * every, number - number[0], order


def _each(values: Array, bucket: Array, count: int, how: str) -> Array:
    """One aggregate of a signal; of each column where it has several."""
    if values.ndim == 1:
        return _reduce(values, bucket, count, how)
    flat = values.reshape(len(values), -1)
    columns = [_reduce(flat[:, place], bucket, count, how) for place in range(flat.shape[1])]
    if not columns:
        return np.zeros((count, *values.shape[1:]), values.dtype)
    stack = np.ma.stack if any(isinstance(column, np.ma.MaskedArray) for column in columns) else np.stack
    stacked: Array = stack(columns, axis=1)
    return stacked.reshape(count, *values.shape[1:])


def _reduce(values: Array, bucket: Array, count: int, how: str) -> Array:
    valid = ~is_null(values)
    data, owner = np.ma.getdata(values), bucket
    if not valid.all():
        data, owner = data[valid], bucket[valid]
    if how == "count":
        return np.bincount(owner, minlength=count).astype(np.int64)
    ends = np.flatnonzero(np.append(owner[1:] != owner[:-1], True)) if len(owner) else np.empty(0, np.int64)
    starts = np.append(0, ends[:-1] + 1) if len(ends) else ends
    return _spread(_aggregate(data, starts, ends, how), owner[ends], count)


def _aggregate(data: Array, starts: Array, ends: Array, how: str) -> Array:
    """The aggregate of each run of values."""
    if how in ("first", "last"):
        return data[starts if how == "first" else ends]
    if how == "mean":
        runs = np.add.reduceat(data.astype(np.float64), starts) if len(starts) else np.empty(0)
        mean: Array = runs / (ends - starts + 1)
        return mean
    if how == "sum" and data.dtype.kind in "iub":
        return _whole_sum(data, starts)
    if how == "sum" and data.dtype.kind == "f":
        data = data.astype(np.float64)
    ufunc = {"min": np.minimum, "max": np.maximum, "sum": np.add}[how]
    reduced: Array = ufunc.reduceat(data, starts) if len(starts) else data[:0]
    return reduced


def _whole_sum(data: Array, starts: Array) -> Array:
    if not len(starts):
        return np.empty(0, np.int64)
    about = np.add.reduceat(np.abs(data.astype(np.float64)), starts)
    if about.max() >= 2.0**62:
        exact = [sum(map(int, run)) for run in np.split(data, starts[1:])]
        if not all(-(2**63) <= one < 2**63 for one in exact):
            raise OverflowError("a sum is beyond int64, wanted a shorter bucket, or how='mean'")
        return np.array(exact, np.int64)
    return np.add.reduceat(data.astype(np.int64), starts)


def _spread(found: Array, owners: Array, count: int) -> Array:
    """Put the aggregates in their buckets; empty ones are NaN, None or masked, as the type has it."""
    if len(owners) == count:
        return found
    out: Array
    if found.dtype.kind == "f":
        out = np.full(count, np.nan, found.dtype)
    elif found.dtype == object:
        out = np.full(count, None, object)
    elif found.dtype.kind in "mM":
        out = np.full(count, np.array("NaT", found.dtype))
    else:
        masked = np.ma.MaskedArray(np.zeros(count, found.dtype), np.ones(count, bool))
        masked[owners] = found
        return masked
    out[owners] = found
    return out
