# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because every read of the data has its `end` beside it, and indices of branches and symbols are checked before use.
"""Values of any type as Python objects; see `unpack.pxd`.

The bytes have been walked before, and are checked again: they may be a buffer that somebody writes to.
"""

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from speeddata.plan cimport (
    KIND_ARRAY, KIND_BOOLEAN, KIND_BYTES, KIND_DOUBLE, KIND_ENUM, KIND_FIXED, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_MAP,
    KIND_NULL, KIND_RECORD, KIND_STRING, KIND_UNION, MAX_ITEMS, REASON_BOOLEAN, REASON_ENUM, REASON_LENGTH, REASON_OK,
    REASON_SHORT, REASON_UNION, REASON_UTF8, Plan, Reason, Rest, TimeUnit, Walk, refuse, time_ns, walk_record,
)
from speeddata.wire cimport load_double, load_float, read_block, read_int, read_length, read_long

from speeddata.plan import TIME_UNITS


cdef class Records:
    """Records that stand back to back, such as the content of a block, one by one: (time in ns or None, dict)."""

    cdef Plan plan
    cdef const uint8_t[::1] data
    cdef Py_ssize_t at
    cdef TimeUnit unit

    def __init__(self, Plan plan not None, const uint8_t[::1] data not None, unit=None):
        self.plan = plan
        self.data = data
        self.at = 0
        self.unit = <TimeUnit><int>TIME_UNITS.get(unit, 0)

    def __iter__(self):
        return self

    def __next__(self):
        cdef Walk walk
        cdef Rest rest
        cdef Reason reason
        cdef int64_t ns = 0
        cdef uint32_t place = 0
        if self.at >= self.data.shape[0]:
            raise StopIteration
        cdef const uint8_t* start = &self.data[0]
        walk.time.is_null = True
        reason = walk_record(&self.plan.c, start + self.at, start + self.data.shape[0], &walk)
        if reason != REASON_OK:
            refuse(reason, walk.end - start)
        rest.p = start + self.at
        rest.end = walk.end
        rest.empty_items = 0
        made = build_fields(self.plan, self.plan.schema.record, &place, start, &rest)
        self.at = walk.end - start
        return ns if time_ns(&walk.time, self.unit, &ns) else None, made


cdef dict build_fields(Plan plan, record, uint32_t* i, const uint8_t* start, Rest* rest):
    """Make a record that has no operation of its own, of operation `i[0]` and those that follow."""
    cdef dict made = {}
    for field in record.fields:
        if field.type.kind == "record":
            made[field.name] = build_fields(plan, field.type, i, start, rest)
        else:
            made[field.name] = build_value(plan, i[0], start, rest)
            i[0] = plan.c.ops[i[0]].next
    return made


cdef object build_value(Plan plan, uint32_t i, const uint8_t* start, Rest* rest):
    cdef uint8_t kind = plan.c.ops[i].kind
    if kind == KIND_NULL:
        return None
    if kind == KIND_INT or kind == KIND_LONG:
        return build_whole(kind, start, rest)
    if kind == KIND_STRING or kind == KIND_BYTES:
        return build_text(kind, start, rest)
    if kind == KIND_UNION or kind == KIND_ENUM:
        return build_chosen(plan, i, start, rest)
    if kind == KIND_ARRAY or kind == KIND_MAP:
        return build_blocks(plan, i, start, rest)
    if kind == KIND_RECORD:
        return build_record(plan, i, start, rest)
    return build_sized(kind, plan.c.ops[i].size, start, rest)


cdef object build_whole(uint8_t kind, const uint8_t* start, Rest* rest):
    cdef int64_t number = 0
    cdef int32_t small = 0
    cdef Reason reason
    if kind == KIND_LONG:
        reason = read_long(&rest.p, rest.end, &number)
    else:
        reason = read_int(&rest.p, rest.end, &small)
        number = small
    if reason != REASON_OK:
        refuse(reason, rest.p - start)
    return number


cdef object build_sized(uint8_t kind, uint32_t size, const uint8_t* start, Rest* rest):
    """Make a boolean, float, double or fixed; `size` is that of the fixed."""
    cdef const uint8_t* p = rest.p
    if kind != KIND_FIXED:
        size = 1 if kind == KIND_BOOLEAN else 4 if kind == KIND_FLOAT else 8
    if rest.end - p < <int64_t>size:
        refuse(REASON_SHORT, p - start)
    rest.p += size
    if kind == KIND_FLOAT:
        return load_float(p)
    if kind == KIND_DOUBLE:
        return load_double(p)
    if kind == KIND_FIXED:
        return (<const char*>p)[:size]
    if p[0] > 1:
        refuse(REASON_BOOLEAN, p - start)
    return p[0] == 1


cdef object build_text(uint8_t kind, const uint8_t* start, Rest* rest):
    cdef int64_t length = 0
    cdef Reason reason = read_length(&rest.p, rest.end, &length)
    cdef const char* p = <const char*>rest.p
    if reason != REASON_OK:
        refuse(reason, rest.p - start)
    rest.p += length  # bytes that are there, as read_length has seen
    if kind == KIND_BYTES:
        return p[:length]
    try:
        return PyUnicode_DecodeUTF8(p, length, NULL)
    except UnicodeDecodeError:
        refuse(REASON_UTF8, <const uint8_t*>p - start)


cdef object build_chosen(Plan plan, uint32_t i, const uint8_t* start, Rest* rest):
    """Make the value of a union's branch, or the name of an enum's symbol."""
    cdef int64_t index = 0
    cdef bint is_enum = plan.c.ops[i].kind == KIND_ENUM
    cdef Reason reason = read_long(&rest.p, rest.end, &index)
    if reason == REASON_OK and not 0 <= index < <int64_t>plan.c.ops[i].size:
        reason = REASON_ENUM if is_enum else REASON_UNION
    if reason != REASON_OK:
        refuse(reason, rest.p - start)
    if is_enum:
        return plan.types[i].symbols[index]
    i += 1
    while index > 0:
        i = plan.c.ops[i].next
        index -= 1
    return build_value(plan, i, start, rest)


cdef object build_record(Plan plan, uint32_t i, const uint8_t* start, Rest* rest):
    made = {}
    fields = plan.types[i].fields
    i += 1
    for field in fields:
        made[field.name] = build_value(plan, i, start, rest)
        i = plan.c.ops[i].next
    return made


cdef object build_blocks(Plan plan, uint32_t i, const uint8_t* start, Rest* rest):
    cdef int64_t count = 0, size = 0
    cdef uint32_t minimum = plan.c.ops[i].minimum
    cdef Reason reason
    cdef list items = []
    cdef dict entries = {}
    cdef bint is_map = plan.c.ops[i].kind == KIND_MAP
    while True:
        reason = read_block(&rest.p, rest.end, &count, &size)
        if reason == REASON_OK and minimum == 0:
            rest.empty_items += min(count, MAX_ITEMS + 1)
            if rest.empty_items > MAX_ITEMS:
                reason = REASON_LENGTH
        elif reason == REASON_OK and count > (rest.end - rest.p) // <int64_t>minimum:
            reason = REASON_SHORT
        if reason != REASON_OK:
            refuse(reason, rest.p - start)
        if count == 0:
            return entries if is_map else items
        while count > 0:
            if is_map:
                key = build_text(KIND_STRING, start, rest)
                entries[key] = build_value(plan, i + 1, start, rest)
            else:
                items.append(build_value(plan, i + 1, start, rest))
            count -= 1
