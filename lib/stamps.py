"""Columns of times, however they are written, as int64 nanoseconds since 1970 UTC."""

import numpy as np

from speeddata.errors import TimeError
from speeddata.table import Array
from speeddata.times import SCALES, parse_time, unit_of

__all__ = ["NO_TIME", "times_of", "to_ns", "unit_told"]

NO_TIME = -(2**63)  # as datetime64 has it


def to_ns(time: Array, unit: str | None = None) -> Array:
    """Times as int64 ns. Where no unit is told, the magnitude of the first one over 0 tells it.

    What int64 cannot hold is NO_TIME.
    """
    if time.dtype.kind == "M":
        return time.astype("datetime64[ns]").astype(np.int64)
    unit = unit or unit_told(time)
    if unit not in SCALES:
        raise TimeError(f"times in {unit!r}, wanted one of {', '.join(SCALES)}")
    scale = SCALES[unit]
    limit = 2**63 // scale - 1025  # as float64 too it is below
    valid = (time <= limit) & (time >= -limit)
    time = np.where(valid, time, 0)
    if time.dtype.kind in "iu":
        return np.where(valid, time.astype(np.int64) * scale, NO_TIME)
    whole = np.floor(time)
    return np.where(
        valid, whole.astype(np.int64) * scale + np.rint((time - whole) * scale).astype(np.int64), NO_TIME
    )


def unit_told(time: Array) -> str:
    """The unit of times that are numbers, which the magnitude of the first one over 0 tells."""
    first = next((abs(int(value)) for value in time[np.isfinite(time) & (time > 0)][:1]), 0)
    return unit_of(first)


def times_of(times: Array) -> Array:
    """Times as int64 ns: numbers by their magnitude (small ones are seconds), ISO 8601 text, datetime64."""
    if times.dtype.kind in "Miuf":
        return to_ns(times)
    try:
        return np.array([parse_time(str(value)) for value in times], np.int64)
    except TimeError as error:
        raise TimeError(f"the times are neither numbers nor ISO 8601: {error}") from error
