# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# Safe because every function first sees that its arrays have one length and that bounds ascend within it.
"""Aggregates over runs of rows: count, minimum, maximum, first and last value, sum, squared deviation, first and last time.

Rows stand in the order of time, those of equal time in the order they arrived. A run is what lies between two bounds,
such as the records of a time bucket. `reduce_values` makes one row of aggregates of each run of values, `merge_rows` one
of each run of such rows. Null and NaN do not count. Sums are compensated from chunk to chunk, deviations are from the
mean of a chunk and merged as Chan, Golub and LeVeque do, so that neither depends on how rows were split.
"""

from libc.math cimport fabs, isfinite, isnan
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import numpy as np

__all__ = ["find_runs", "merge_rows", "reduce_values", "weigh"]

cdef enum:
    CHUNK = 512  # values

ctypedef fused value_t:
    double
    float
    int64_t
    int32_t
    uint8_t

ctypedef fused state_t:
    double
    int64_t

# What a run amounts to but for the values that are of its own type.
cdef struct Sums:
    int64_t count
    double total
    double lost    # what `total` lacks of the exact sum
    double m2


cdef inline void take(Sums* sums, int64_t count, double total, double m2) noexcept nogil:
    """Merge the sum and the squared deviation of more values."""
    cdef double whole = sums.total + total
    cdef double apart
    if sums.count:
        apart = total / count - (sums.total + sums.lost) / sums.count
        sums.m2 += m2 + apart * apart * (<double>sums.count * <double>count / <double>(sums.count + count))
    else:
        sums.m2 = m2
    if isfinite(whole):
        if fabs(sums.total) >= fabs(total):
            sums.lost += (sums.total - whole) + total
        else:
            sums.lost += (total - whole) + sums.total
    else:
        sums.lost = 0
    sums.total = whole
    sums.count += count


cdef inline void take_chunk(Sums* sums, const double* values, int64_t count) noexcept nogil:
    cdef double a = 0, b = 0, c = 0, d = 0, mean, total
    cdef int64_t i = 0, even = count & ~<int64_t>3
    while i < even:
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
        i += 4
    for i in range(even, count):
        a += values[i]
    total = (a + b) + (c + d)
    mean = total / count
    a = b = c = d = 0
    i = 0
    while i < even:
        a += (values[i] - mean) * (values[i] - mean)
        b += (values[i + 1] - mean) * (values[i + 1] - mean)
        c += (values[i + 2] - mean) * (values[i + 2] - mean)
        d += (values[i + 3] - mean) * (values[i + 3] - mean)
        i += 4
    for i in range(even, count):
        a += (values[i] - mean) * (values[i] - mean)
    take(sums, count, total, (a + b) + (c + d))


cdef int check_bounds(const int64_t[::1] bounds, int64_t rows) except -1:
    cdef int64_t place, before = 0
    if bounds.shape[0] < 1:
        raise ValueError("bounds must have at least one entry")
    for place in range(bounds.shape[0]):
        if bounds[place] < before or bounds[place] > rows:
            raise ValueError(f"bounds must ascend within {rows} rows")
        before = bounds[place]
    return 0


def find_runs(const int64_t[::1] times, int64_t width):
    cdef int64_t rows = times.shape[0], row, runs = 0, start = 0, rest
    starts = np.empty(rows, np.int64)
    bounds = np.empty(rows + 1, np.int64)
    cdef int64_t[::1] to = starts
    cdef int64_t[::1] at = bounds
    if width <= 0:
        raise ValueError(f"width must be over 0, not {width}")
    with nogil:
        for row in range(rows):
            if runs and <uint64_t>times[row] - <uint64_t>start < <uint64_t>width:
                continue
            rest = times[row] % width
            start = times[row] - (rest + width if rest < 0 else rest)
            to[runs] = start
            at[runs] = row
            runs += 1
        at[runs] = rows
    return starts[:runs].copy(), bounds[:runs + 1].copy()


cdef class _Rows:
    """Rows of aggregates that are being made."""

    cdef readonly tuple arrays
    cdef int64_t[::1] count, first_ns, last_ns
    cdef double[::1] total, m2

    def __cinit__(self, int64_t runs, type_):
        kinds = (np.int64, type_, type_, type_, type_, np.float64, np.float64, np.int64, np.int64)
        self.arrays = tuple([np.zeros(runs, kind) for kind in kinds])
        self.count, self.total, self.m2, self.first_ns, self.last_ns = self.arrays[:1] + self.arrays[5:]

    cdef void put(self, int64_t run, const Sums* sums, int64_t first_ns, int64_t last_ns) noexcept nogil:
        self.count[run] = sums.count
        self.total[run] = sums.total + sums.lost
        self.m2[run] = sums.m2
        self.first_ns[run] = first_ns
        self.last_ns[run] = last_ns


cdef inline bint is_value(value_t value) noexcept nogil:
    if value_t is double or value_t is float:
        return not isnan(value)
    else:
        return True


cdef inline int64_t reduce_run(const value_t* values, const uint8_t* nulls, int64_t low, int64_t high, Sums* sums,
                               state_t* least, state_t* most, int64_t* first) noexcept nogil:
    """The aggregates of one run that has a valid value; gives the row of the last one, -1 where there is none."""
    cdef double chunk[CHUNK]
    cdef int64_t row = low, stop, kept, last = -1
    cdef value_t lowest = 0, highest = 0, value
    sums.count = 0
    sums.total = sums.lost = sums.m2 = 0
    while row < high:
        stop = min(row + CHUNK, high)
        kept = 0
        while row < stop:
            value = values[row]
            if is_value(value) and (nulls == NULL or not nulls[row]):
                if last < 0:
                    lowest = highest = value
                    first[0] = row
                lowest = value if value < lowest else lowest
                highest = value if value > highest else highest
                chunk[kept] = <double>value
                kept += 1
                last = row
            row += 1
        if kept:
            take_chunk(sums, chunk, kept)
    least[0] = <state_t>lowest
    most[0] = <state_t>highest
    return last


cdef tuple reduce_typed(const value_t[::1] values, const uint8_t[::1] nulls, const int64_t[::1] times,
                        const int64_t[::1] bounds, state_t kind):
    cdef int64_t runs = bounds.shape[0] - 1, run, last, first = 0
    cdef _Rows made = _Rows(runs, np.float64 if state_t is double else np.int64)
    cdef state_t[::1] low = made.arrays[1], high = made.arrays[2], first_value = made.arrays[3]
    cdef state_t[::1] last_value = made.arrays[4]
    cdef const uint8_t* null = &nulls[0] if nulls is not None and nulls.shape[0] else NULL
    cdef Sums sums
    if values.shape[0] == 0 or runs == 0:
        return made.arrays
    with nogil:
        for run in range(runs):
            last = reduce_run(&values[0], null, bounds[run], bounds[run + 1], &sums, &low[run], &high[run], &first)
            if last >= 0:
                first_value[run] = <state_t>values[first]
                last_value[run] = <state_t>values[last]
                made.put(run, &sums, times[first], times[last])
    return made.arrays


def reduce_values(values, nulls, const int64_t[::1] times, const int64_t[::1] bounds):
    cdef const uint8_t[::1] null = None
    if len(values) != times.shape[0] or (nulls is not None and len(nulls) != times.shape[0]):
        raise ValueError("values, nulls and times must be equally many")
    check_bounds(bounds, times.shape[0])
    if nulls is not None:
        null = np.ascontiguousarray(nulls, np.bool_).view(np.uint8)
    values = np.ascontiguousarray(values)
    kind = values.dtype
    if kind == np.float64:
        return reduce_typed[double, double](values, null, times, bounds, 0)
    if kind == np.float32:
        return reduce_typed[float, double](values, null, times, bounds, 0)
    if kind == np.int64:
        return reduce_typed[int64_t, int64_t](values, null, times, bounds, 0)
    if kind == np.int32:
        return reduce_typed[int32_t, int64_t](values, null, times, bounds, 0)
    if kind == np.bool_:
        return reduce_typed[uint8_t, int64_t](values.view(np.uint8), null, times, bounds, 0)
    raise TypeError(f"values must be float64, float32, int64, int32 or bool, not {kind}")


cdef tuple merge_typed(tuple rows, const state_t[::1] low, const int64_t[::1] bounds):
    cdef const int64_t[::1] count = rows[0], first_ns = rows[7], last_ns = rows[8]
    cdef const state_t[::1] high = rows[2], first = rows[3], last = rows[4]
    cdef const double[::1] total = rows[5], m2 = rows[6]
    cdef int64_t runs = bounds.shape[0] - 1, run, row, head, tail
    cdef _Rows made = _Rows(runs, np.float64 if state_t is double else np.int64)
    cdef state_t[::1] to_low = made.arrays[1], to_high = made.arrays[2]
    cdef state_t[::1] to_first = made.arrays[3], to_last = made.arrays[4]
    cdef Sums sums
    with nogil:
        for run in range(runs):
            sums.count = 0
            sums.total = sums.lost = sums.m2 = 0
            head = tail = -1
            for row in range(bounds[run], bounds[run + 1]):
                if not count[row]:
                    continue
                if head < 0:
                    head = tail = row
                    to_low[run] = low[row]
                    to_high[run] = high[row]
                else:
                    head = row if first_ns[row] < first_ns[head] else head
                    tail = row if last_ns[row] >= last_ns[tail] else tail
                    to_low[run] = low[row] if low[row] < to_low[run] else to_low[run]
                    to_high[run] = high[row] if high[row] > to_high[run] else to_high[run]
                take(&sums, count[row], total[row], m2[row])
            if head >= 0:
                to_first[run] = first[head]
                to_last[run] = last[tail]
                made.put(run, &sums, first_ns[head], last_ns[tail])
    return made.arrays


def merge_rows(tuple rows not None, const int64_t[::1] bounds):
    if len({len(column) for column in rows}) != 1 or len(rows) != 9:
        raise ValueError("rows must be nine columns of one length")
    check_bounds(bounds, len(rows[0]))
    if rows[1].dtype == np.float64:
        return merge_typed[double](rows, rows[1], bounds)
    return merge_typed[int64_t](rows, rows[1], bounds)


def weigh(const double[::1] values, const int64_t[::1] times, const int64_t[::1] edges, double[::1] area,
          double[::1] weight, double held, int64_t since, int64_t until):
    cdef int64_t buckets = edges.shape[0] - 1, row, rows = times.shape[0], stop, part, bucket = 0
    if values.shape[0] != rows or area.shape[0] != buckets or weight.shape[0] != buckets:
        raise ValueError("values and times must be equally many, area and weight one for each bucket")
    if buckets < 1:
        return held, since
    with nogil:
        for row in range(rows + 1):
            if row < rows and values[row] != values[row]:
                continue
            stop = times[row] if row < rows else until
            if held == held:
                since = max(since, edges[0])
                while since < min(stop, edges[buckets]):
                    while since >= edges[bucket + 1]:
                        bucket += 1
                    part = min(stop, edges[bucket + 1])
                    area[bucket] += held * <double>(part - since)
                    weight[bucket] += <double>(part - since)
                    since = part
            since = stop
            if row < rows:
                held = values[row]
    return held, since
