"""Times, ranges and durations as a person gives them to the library, and which rows of a channel they stand for."""

import datetime
from fractions import Fraction
from typing import Any

import numpy as np

from speeddata.errors import TimeError
from speeddata.stamps import NO_TIME, to_ns
from speeddata.table import Array
from speeddata.times import HIGHEST, LOWEST, parse_duration, parse_time

__all__ = ["duration_of", "gap_rows", "is_stamp", "range_of", "rows_between", "stamp_of", "time_order"]

ROWS = 10**8  # whole numbers below are no times of today, in whatever unit
GAP_STEPS = 5  # a step in time that is longer than so many ordinary ones is a gap
WANTED = (
    "wanted ISO 8601 text, a datetime, a datetime64, or a number of seconds (ms, us, ns by its magnitude)"
)


def is_stamp(value: Any) -> bool:
    """Whether a value can only be meant as a time, and not as the number of a row."""
    return isinstance(value, (str, datetime.datetime, np.datetime64, float, np.floating))


def range_of(key: slice) -> tuple[Any, Any]:
    """The bounds of a slice that is a range of time; ValueError where they might be meant as the numbers of rows."""
    if key.step is not None:
        raise ValueError(f"a range of time has no step, not {key.step!r}; see resample()")
    for bound in (key.start, key.stop):
        if isinstance(bound, (int, np.integer)) and abs(int(bound)) < ROWS:
            raise ValueError(
                f"a slice is a range of time here, and {bound} looks like the number of a row: write "
                f"channel.take(slice({key.start}, {key.stop})) for rows, or between({key.start}, {key.stop}) for seconds since 1970"
            )
    return key.start, key.stop


def stamp_of(value: Any) -> int:
    """A time as int64 ns since 1970 UTC; without a zone it is UTC. TimeError when it is none."""
    if isinstance(value, str):
        return parse_time(value)
    if hasattr(value, "to_datetime64"):  # a pandas.Timestamp, which has nanoseconds
        value = value.to_datetime64()
    if isinstance(value, datetime.datetime):
        return _of_datetime(value)
    if isinstance(value, np.datetime64):
        return _of_datetime64(value)
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return _of_number(value)
    raise TimeError(f"cannot take {value!r} for a time, {WANTED}")


def duration_of(value: Any) -> int:
    """A span of time above zero as ns: "100ms", "30s", "15m", "1h", "1d", ISO 8601, a timedelta, or seconds."""
    if isinstance(value, str):
        span = parse_duration(value)
    elif isinstance(value, datetime.timedelta):
        span = (value.days * 86400 + value.seconds) * 10**9 + value.microseconds * 1000
    elif isinstance(value, np.timedelta64):
        span = int(value.astype("timedelta64[ns]").astype(np.int64))
    elif isinstance(value, (int, float, np.integer, np.floating)) and np.isfinite(value):
        span = (
            round(Fraction(float(value)) * 10**9)
            if isinstance(value, (float, np.floating))
            else int(value) * 10**9
        )
    else:
        raise TimeError(f"cannot take {value!r} for a duration, wanted such as '100ms', 'PT1H' or seconds")
    if not 0 < span <= HIGHEST:
        raise TimeError(f"the duration {value!r} must be above zero, and below 292 years")
    return span


def rows_between(time_ns: Array, start: Any = None, end: Any = None) -> slice | Array:
    """The rows of [start, end): a slice where the times ascend, else a mask. None: without a bound on that side."""
    low = LOWEST if start is None else stamp_of(start)
    high = None if end is None else stamp_of(end)
    if (time_ns[1:] >= time_ns[:-1]).all():
        first = int(np.searchsorted(time_ns, low, "left"))
        last = len(time_ns) if high is None else int(np.searchsorted(time_ns, high, "left"))
        return slice(first, max(first, last))
    mask: Array = time_ns >= low
    return mask if high is None else mask & (time_ns < high)


def time_order(time_ns: Array) -> Array | None:
    """The order of the rows by time, those of one time as they stand; None: they ascend already."""
    return None if (time_ns[1:] >= time_ns[:-1]).all() else np.argsort(time_ns, kind="stable")


def gap_rows(time_ns: Array) -> Array:
    """The rows after which there is a gap: the next record is more than 5 times the median step away."""
    if len(time_ns) < 3:
        return np.empty(0, np.int64)
    steps = np.diff(time_ns)
    return np.flatnonzero(steps > GAP_STEPS * max(1.0, float(np.median(steps))))


def _of_datetime(value: datetime.datetime) -> int:
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.UTC)
    span = value - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return _in_range((span.days * 86400 + span.seconds) * 10**9 + span.microseconds * 1000, value)


def _of_datetime64(value: np.datetime64) -> int:
    if np.isnat(value):
        raise TimeError(f"NaT is no time, {WANTED}")
    seconds = int(value.astype("datetime64[s]").astype(np.int64))
    if not LOWEST // 10**9 < seconds < HIGHEST // 10**9:
        raise TimeError(f"the time {value} is outside the years 1677 to 2262")
    return int(value.astype("datetime64[ns]").astype(np.int64))


def _of_number(value: Any) -> int:
    size = np.abs(np.array([value], np.float64 if isinstance(value, (float, np.floating)) else np.int64))
    stamp = int(to_ns(size)[0]) if np.isfinite(size).all() else NO_TIME
    if stamp == NO_TIME:
        raise TimeError(f"the time {value!r} is outside the years 1677 to 2262")
    return -stamp if value < 0 else stamp


def _in_range(stamp: int, value: Any) -> int:
    if not LOWEST <= stamp <= HIGHEST:
        raise TimeError(f"the time {value} is outside the years 1677 to 2262")
    return stamp
