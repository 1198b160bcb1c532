"""The times of the records of one block, as its index entry tells them."""

from libc.stdint cimport int64_t, uint32_t

from speeddata.plan cimport UNIT_UNKNOWN, Number, TimeUnit, guess_unit, time_ns

cdef enum:
    SPAN_UNSORTED = 1        # times do not ascend
    SPAN_BAD_TIME = 2        # impossible times, for which the time of arrival stands

cdef struct Span:
    int64_t first
    int64_t last
    int64_t low
    int64_t high
    uint32_t count
    uint32_t flags

cdef inline void begin_span(Span *span) noexcept nogil:
    span.first = span.last = span.low = span.high = 0
    span.count = span.flags = 0

cdef inline bint add_time(Span *span, const Number *time, TimeUnit *unit, int64_t arrival) noexcept nogil:
    """Bring in the time of the next record; a unit not known yet is told by it. False when the time cannot be right."""
    cdef int64_t ns = 0
    cdef bint right
    if unit[0] == UNIT_UNKNOWN:
        unit[0] = guess_unit(time)
    right = unit[0] != UNIT_UNKNOWN and time_ns(time, unit[0], &ns)
    if not right:
        ns = arrival
        span.flags |= SPAN_BAD_TIME
    if span.count == 0:
        span.first = span.low = span.high = ns
    elif ns < span.last:
        span.flags |= SPAN_UNSORTED
    span.last = ns
    span.low = min(span.low, ns)
    span.high = max(span.high, ns)
    span.count += 1
    return right
