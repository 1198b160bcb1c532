# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because the loop runs over arrays that were all made with the same length.
"""Columns of source times as int64 nanoseconds."""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t
from libc.string cimport memcpy

from speeddata.arrays cimport address
from speeddata.plan cimport UNIT_UNKNOWN, Number, Plan, TimeUnit, guess_unit
from speeddata.plan cimport time_ns as number_ns

import numpy as np

from speeddata.plan import TIME_UNITS

__all__ = ["time_ns"]


SCALES = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


cdef inline void load(Number* number, const uint8_t* values, const uint8_t* nulls, int64_t row) noexcept nogil:
    number.is_null = nulls[row]
    if number.is_real:
        number.real = (<const double*>values)[row]
    else:
        number.whole = (<const int64_t*>values)[row]


def time_ns(Plan plan not None, column, unit=None):
    cdef Number number
    cdef TimeUnit known = UNIT_UNKNOWN
    cdef int64_t row, rows
    if unit is not None and unit not in TIME_UNITS:
        raise ValueError(f"unit must be one of {', '.join(TIME_UNITS)}, not {unit!r}")
    unit = unit or plan.schema.time_unit
    if unit is not None:
        known = TIME_UNITS[unit]
    values = np.ma.getdata(column)
    if unit is not None and values.dtype == np.int64 and np.ma.getmask(column) is np.ma.nomask:
        return whole_ns(np.ascontiguousarray(values), SCALES[unit])
    rows = len(values)
    number.is_real = values.dtype.kind == "f"
    values = np.ascontiguousarray(values, np.float64 if number.is_real else np.int64)
    nulls = np.ascontiguousarray(np.ma.getmaskarray(column))
    made = np.zeros(rows, np.int64)
    bad = np.zeros(rows, np.bool_)
    cdef const uint8_t* from_ = address(values)
    cdef const uint8_t* null = address(nulls)
    cdef int64_t* to = <int64_t*>address(made)
    cdef uint8_t* wrong = address(bad)
    with nogil:
        for row in range(rows):
            if known != UNIT_UNKNOWN:
                break
            load(&number, from_, null, row)
            known = guess_unit(&number)
        for row in range(rows):
            load(&number, from_, null, row)
            wrong[row] = not number_ns(&number, known, &to[row])
            if wrong[row]:
                to[row] = 0  # a product that overflowed is there
    return made, bad


cdef tuple whole_ns(values, int64_t scale):
    """The same for times that are whole numbers of a known unit, none of them null."""
    cdef int64_t row, rows = len(values), limit = INT64_MAX // scale
    made, bad = np.empty(rows, np.int64), np.zeros(rows, np.bool_)
    cdef const int64_t* given = <const int64_t*>address(values)
    cdef int64_t* to = <int64_t*>address(made)
    cdef uint8_t* wrong = address(bad)
    with nogil:
        if scale == 1:
            memcpy(to, given, rows * sizeof(int64_t))
        else:
            for row in range(rows):
                wrong[row] = given[row] > limit or given[row] < -limit
                to[row] = 0 if wrong[row] else given[row] * scale
    return made, bad
