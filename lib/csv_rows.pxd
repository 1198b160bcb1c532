"""Values of a line to its time and to an Avro record: what `speeddata.csv_scan` does with each line that it has read."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memchr, memcpy

from speeddata.csv_number cimport *
from speeddata.csv_time cimport *
from speeddata.csv_values cimport *
from speeddata.plan cimport NO_BRANCH
from speeddata.wire cimport put_float, put_long, put_u64

cdef enum:
    HALF_HOUR = 1800
    ORDER_TIME = -1  # what an order says in place of a column
    ORDER_NULL = -2


cdef inline int unit_of(int32_t fraction) noexcept nogil:
    """The unit that holds a fraction of a second: 0 s, 1 ms, 2 us, 3 ns."""
    if fraction == 0:
        return 0
    return 3 if fraction % 1000 else 2 if fraction % 1000000 else 1


cdef inline uint64_t hash_of(const uint8_t* text, int64_t length) noexcept nogil:
    cdef uint64_t value = <uint64_t>14695981039346656037
    cdef int64_t i
    for i in range(length):
        value = (value ^ text[i]) * <uint64_t>1099511628211
    return value ^ value >> 32


cdef inline const uint8_t* line_end(const Grammar* grammar, const uint8_t* at, const uint8_t* end,
                                    int64_t most) noexcept nogil:
    """Where the line after that at `at` begins, which may have line ends in quotes; NULL when it is too long."""
    cdef const uint8_t* p = at
    cdef const uint8_t* limit = at + most if end - at > most else end
    cdef bint fresh = True
    while p < limit:
        if fresh and grammar.quote != 0 and p[0] == grammar.quote:
            p += 1
            while p < limit and (p[0] != grammar.quote or p[1] == grammar.quote):
                p += 2 if p[0] == grammar.quote else 1
            if p >= limit:  # a quote that nothing closes is a character like any other
                p = <const uint8_t*>memchr(at, 10, limit - at)
                return p + 1 if p != NULL else (end if limit == end else NULL)
        elif p[0] == 10:
            return p + 1
        fresh = p[0] == grammar.delimiter or (fresh and p[0] == 32)
        p += 1
    return end if limit == end else NULL


cdef inline Fault to_utc(Clockwork* work, Zone* zone, int64_t offset, Moment* time) noexcept nogil:
    """Make local time universal. Of an hour that comes twice, the first is taken until the events are known."""
    cdef int32_t span = find_span(zone, time.second)
    cdef uint8_t kind = zone.kinds[span]
    cdef int64_t moved = time.second - work.local
    cdef bint back
    cdef int second = 0
    if kind == SPAN_MISSING and not work.shift:
        return FAULT_MISSING
    if kind == SPAN_TWICE:
        if work.ambiguous == 3:
            return FAULT_TWICE
        back = moved > work.step + HALF_HOUR if work.step < 0 else moved < work.step - HALF_HOUR
        if not work.began or span != work.span or back:
            work.events[work.event_count].offset = offset
            work.events[work.event_count].local = time.second
            work.events[work.event_count].span = span
            work.events[work.event_count].kind = (
                EVENT_FIRST if not work.began else EVENT_ENTER if span != work.span else EVENT_BACK
            )
            work.event_count += 1
        second = work.fold if work.ambiguous == 0 else work.ambiguous - 1
    work.began = True
    work.local, work.span = time.second, span
    time.second -= zone.second[span] if second else zone.first[span]
    return FAULT_NONE


cdef inline Fault tell_time(Clockwork* work, Zone* zone, const Field* fields, int64_t number, int64_t offset, Moment* time,
                            int32_t* place) noexcept nogil:
    """The time of a line."""
    cdef int32_t i
    cdef const Field* field
    cdef double steps
    cdef Fault fault
    time.second, time.fraction = work.start_second, work.start_fraction
    time.zoned = time.finer = False
    if work.rate > 0:
        steps = <double>number / work.rate
        time.second += <int64_t>steps
        time.fraction += <int32_t>((steps - <double><int64_t>steps) * 1e9 + 0.5)
    for i in range(work.time_count):
        place[0] = work.times[i]
        field = &fields[work.times[i]]
        if field.null:
            return FAULT_TIME
        time.second += field.time.second
        time.fraction += field.time.fraction
        time.zoned |= field.time.zoned
        time.finer |= field.time.finer
    while time.fraction >= BILLION:
        time.fraction -= BILLION
        time.second += 1
    if zone.count > 0 and not time.zoned:
        fault = to_utc(work, zone, offset, time)
        if fault != FAULT_NONE:
            return fault
    if time.second < -<int64_t>HIGHEST_SECOND or time.second > <int64_t>HIGHEST_SECOND:
        return FAULT_RANGE
    return FAULT_NONE


cdef inline bint make_room(Out* out, size_t size) noexcept nogil:
    cdef uint8_t* data
    if out.room - out.length >= size:
        return True
    data = <uint8_t*>realloc(out.data, out.room + out.room // 2 + size + 65536)
    if data == NULL:
        return False
    out.data, out.room = data, out.room + out.room // 2 + size + 65536
    return True


cdef inline uint8_t* put_real(uint8_t* p, double value) noexcept nogil:
    cdef uint64_t bits
    memcpy(&bits, &value, 8)
    return put_u64(p, bits)


cdef inline uint8_t* put_field(uint8_t* p, const Field* field) noexcept nogil:
    cdef float value
    if field.null_branch != NO_BRANCH:
        p[0] = <uint8_t>(2 * field.null_branch if field.null else 2 * (1 - field.null_branch))
        p += 1
        if field.null:
            return p
    if field.kind == FIELD_DOUBLE:
        return put_real(p, field.number)
    if field.kind == FIELD_LONG or field.kind == FIELD_INT:
        return put_long(p, field.whole)
    if field.kind == FIELD_FLOAT:
        return put_float(p, <float>field.number)
    if field.kind == FIELD_FLAG:
        p[0] = <uint8_t>field.whole
        return p + 1
    p = put_long(p, field.length)
    memcpy(p, field.text, field.length)
    return p + field.length


cdef inline uint8_t* put_time(uint8_t* p, const Clockwork* work, const Moment* time) noexcept nogil:
    """Write a time, which is whole in the unit of the field: what is finer was refused before."""
    cdef int64_t whole
    if work.time_branch != NO_BRANCH:
        p[0] = <uint8_t>(2 * (1 - work.time_branch))
        p += 1
    whole = time.second * work.per_second + (time.fraction // work.divisor if time.fraction else 0)
    return put_real(p, <double>whole) if work.real_time else put_long(p, whole)


cdef inline bint put_row(Out* out, const Clockwork* work, const Field* fields, const int32_t* order, const int8_t* branches,
                         int32_t orders, const Moment* time, int64_t texts, int32_t* place) noexcept nogil:
    """Write the record of a line. `place` is left below 0 when a field is null that cannot be: -1 less its place."""
    cdef uint8_t* p
    cdef int32_t i
    if not make_room(out, <size_t>(FIELD_ROOM * (orders + 1) + texts)):
        return False
    p = out.data + out.length
    for i in range(orders):
        if order[i] == ORDER_TIME:
            p = put_time(p, work, time)
        elif order[i] == ORDER_NULL:
            p[0] = <uint8_t>(2 * branches[i])
            p += 1
        elif fields[order[i]].null and fields[order[i]].null_branch == NO_BRANCH:
            place[0] = -1 - order[i]
            return True
        else:
            p = put_field(p, &fields[order[i]])
    place[0] = 0
    out.length = p - out.data
    return True
