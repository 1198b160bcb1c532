# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because no Python sequence is indexed in a loop, and every read through a pointer has its `end` beside it.
"""A schema compiled to a flat plan, and the walk that validates records by it without the GIL.

`plan.pxd` is the C interface, for the relay and the column decoder. The Python methods of `Plan` are the same walk, for
tools and tests.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport NAN, fma, rint, trunc
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
from libc.string cimport memcmp, memcpy

from speeddata.walk cimport walk_number, walk_ops, walk_steps
from speeddata.wire cimport put_double, put_float, put_long

from speeddata.errors import RecordError
from speeddata.steps import steps

cdef extern from *:
    bint __builtin_mul_overflow(int64_t a, int64_t b, int64_t* out) nogil
    bint __builtin_add_overflow(int64_t a, int64_t b, int64_t* out) nogil

__all__ = ["REASONS", "TIME_UNITS", "Kind", "Plan", "Reason", "StepKind", "TimeUnit"]

# Names of the reasons, by number.
REASONS = ("", "empty", "truncated", "short", "trailing", "varint", "length", "union", "enum", "boolean", "utf8",
           "depth", "source", "schema", "auth", "replay")
TIME_UNITS = {"s": UNIT_S, "ms": UNIT_MS, "us": UNIT_US, "ns": UNIT_NS}
MEANINGS = {
    "empty": "there are no bytes",
    "truncated": "the datagram was larger than what receives it",
    "short": "the bytes end inside the record",
    "trailing": "bytes follow that are not a record",
    "varint": "a number of more than 10 bytes, or one that its type cannot hold",
    "length": "an impossible length or count",
    "union": "a union has no such branch",
    "enum": "an enum has no such symbol",
    "boolean": "a boolean is neither 0 nor 1",
    "utf8": "a string is not UTF-8",
    "depth": "nested deeper than a plan may be",
    "source": "the sender is not on the channel's list",
    "schema": "not a single object of this schema",
    "auth": "not signed by a key of the channel",
    "replay": "signed, and taken before or too old to tell",
}
KINDS = {
    "null": KIND_NULL, "boolean": KIND_BOOLEAN, "int": KIND_INT, "long": KIND_LONG, "float": KIND_FLOAT,
    "double": KIND_DOUBLE, "bytes": KIND_BYTES, "string": KIND_STRING, "fixed": KIND_FIXED, "enum": KIND_ENUM,
    "array": KIND_ARRAY, "map": KIND_MAP, "union": KIND_UNION, "record": KIND_RECORD,
}

cdef Reason walk_leaf(const CPlan* plan, const Leaf* leaf, const uint8_t** p, const uint8_t* end,
                      Number* out) noexcept nogil:
    cdef Rest rest
    cdef Reason reason
    rest.p = p[0]
    rest.end = end
    rest.empty_items = 0
    reason = walk_part(plan, leaf, &rest, out)
    p[0] = rest.p
    return reason


cdef Reason walk_part(const CPlan* plan, const Leaf* leaf, Rest* rest, Number* out) noexcept nogil:
    if leaf.number != KIND_NULL:
        return walk_number(leaf, rest, out)
    return walk_ops(plan.ops, leaf.first, leaf.last, rest)


cdef bint pass_record(const CPlan* plan, const uint8_t* p, const uint8_t* end, Walk* out) noexcept nogil:
    return walk_steps(plan, p, end, False, out)


cdef Reason walk_record(const CPlan* plan, const uint8_t* p, const uint8_t* end, Walk* out) noexcept nogil:
    cdef Rest rest
    cdef Reason reason
    cdef const Leaf* leaf
    cdef uint32_t i = 0
    cdef int32_t first = plan.time, second = plan.sequence, turn, which
    if walk_steps(plan, p, end, True, out):
        return REASON_OK
    # It is not right: by its operations, one by one, to say why and where.
    if second != NO_LEAF and second < first:
        first, second = second, first
    rest.p = p
    rest.end = end
    rest.empty_items = 0
    for turn in range(2):  # up to and with the first number wanted, then the second
        which = second if turn else first
        if which == NO_LEAF:
            break
        leaf = &plan.leaves[which]
        reason = walk_ops(plan.ops, i, leaf.first, &rest)
        if reason == REASON_OK:
            reason = walk_number(leaf, &rest, &out.time if which == plan.time else &out.sequence)
        if reason != REASON_OK:
            out.end = rest.p
            return reason
        i = leaf.last
    reason = walk_ops(plan.ops, i, plan.op_count, &rest)
    out.end = rest.p
    return reason


# ---- numbers and time

cdef int64_t round_whole(double real) noexcept nogil:
    """The nearest whole number, half to even, as far as int64 goes; 0 for NaN."""
    if real >= 9223372036854775808.0:
        return INT64_MAX
    if real <= -9223372036854775808.0:
        return INT64_MIN
    return <int64_t>rint(real) if real == real else 0


cdef int put_number(const Leaf* leaf, const Number* value, uint8_t* out) noexcept nogil:
    cdef uint8_t* p = out
    cdef int64_t whole
    cdef double real
    if leaf.null_branch != NO_BRANCH:
        p = put_long(p, leaf.null_branch if value.is_null else 1 - leaf.null_branch)
        if value.is_null:
            return <int>(p - out)
    if leaf.number == KIND_DOUBLE or leaf.number == KIND_FLOAT:
        real = NAN if value.is_null else value.real if value.is_real else <double>value.whole
        p = put_double(p, real) if leaf.number == KIND_DOUBLE else put_float(p, <float>real)
        return <int>(p - out)
    whole = 0 if value.is_null else round_whole(value.real) if value.is_real else value.whole
    if leaf.number == KIND_INT:
        whole = min(max(whole, <int64_t>INT32_MIN), <int64_t>INT32_MAX)
    return <int>(put_long(p, whole) - out)


cdef bint time_ns(const Number* time, TimeUnit unit, int64_t* out) noexcept nogil:
    cdef int64_t scale = 1, whole, rounded
    cdef double rest, product, missing
    if unit == UNIT_S:
        scale = 1000000000
    elif unit == UNIT_MS:
        scale = 1000000
    elif unit == UNIT_US:
        scale = 1000
    elif unit != UNIT_NS:
        return False
    if time.is_null:
        return False
    if not time.is_real:
        return not __builtin_mul_overflow(time.whole, scale, out)
    # Not NaN, and small enough for the conversion to be defined.
    if not -9223372036854775808.0 <= time.real < 9223372036854775808.0:
        return False
    whole = <int64_t>trunc(time.real)
    rest = time.real - trunc(time.real)
    product = rest * scale
    rounded = <int64_t>rint(product)
    # Where the product, itself rounded, looks like a tie, what its rounding lost decides.
    missing = fma(rest, <double>scale, -product)
    if product - rounded == 0.5 and missing > 0:
        rounded += 1
    elif product - rounded == -0.5 and missing < 0:
        rounded -= 1
    return not __builtin_mul_overflow(whole, scale, &whole) and not __builtin_add_overflow(whole, rounded, out)


cdef TimeUnit guess_unit(const Number* time) noexcept nogil:
    cdef double size = time.real if time.is_real else <double>time.whole
    # Written so that NaN fails. Over int64 a time is possible in no unit, and must not decide one.
    if time.is_null or not (size > 0 and (not time.is_real or size < 9223372036854775808.0)):
        return UNIT_UNKNOWN
    if size < 1e11:
        return UNIT_S
    if size < 1e14:
        return UNIT_MS
    if size < 1e17:
        return UNIT_US
    return UNIT_NS


# ---- the plan

cdef int refuse(Reason reason, Py_ssize_t at) except -1:
    name = REASONS[<int>reason]
    raise RecordError(f"refused at byte {at}, {name}: {MEANINGS[name]}", name)


cdef class Plan:
    def __cinit__(self, schema):
        rows, leaves = [], []
        _add_fields(schema.record, rows, leaves)
        self.schema = schema
        self.types = tuple([type_ for type_, _ in rows])
        self.c.op_count = <uint32_t>len(rows)
        self.c.leaf_count = <uint32_t>len(leaves)
        self.c.ops = <Op*>PyMem_Calloc(max(len(rows), 1), sizeof(Op))
        self.c.leaves = <Leaf*>PyMem_Calloc(max(len(leaves), 1), sizeof(Leaf))
        names = schema.signal_names
        self.c.time = names.index(schema.time) if schema.time else NO_LEAF
        self.c.sequence = NO_LEAF if schema.sequence is None else names.index(schema.sequence)
        found = steps(rows, leaves, {self.c.time, self.c.sequence} - {NO_LEAF})
        self.c.step_count = <uint32_t>len(found)
        self.c.steps = <Step*>PyMem_Calloc(len(found), sizeof(Step))
        if self.c.ops == NULL or self.c.leaves == NULL or self.c.steps == NULL:
            raise MemoryError()
        for i, (fixed, kind, place) in enumerate(found):
            self.c.steps[<uint32_t>i] = Step(fixed=fixed, kind=kind, place=place)
        for i, (type_, next_) in enumerate(rows):
            set_op(&self.c.ops[<uint32_t>i], type_, next_)
        for i, (type_, first, last) in enumerate(leaves):
            set_leaf(&self.c.leaves[<uint32_t>i], type_, first, last)
        self.c.minimum = schema.record.minimum
        self.c.unit = TIME_UNITS.get(schema.time_unit, UNIT_UNKNOWN)
        memcpy(self.c.fingerprint, <const uint8_t*>(<bytes>schema.fingerprint), 8)

    def __dealloc__(self):
        PyMem_Free(self.c.ops)
        PyMem_Free(self.c.leaves)
        PyMem_Free(self.c.steps)

    def __reduce__(self):
        return Plan, (self.schema,)

    def walk(self, data, Py_ssize_t offset=0):
        """Validate the record that starts at `offset`; give its length, its time in ns and its sequence."""
        cdef Py_buffer buffer
        cdef Walk found
        cdef Reason reason
        cdef Py_ssize_t length
        found.time.is_null = True
        PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
        try:
            if not 0 <= offset <= buffer.len:
                raise IndexError(f"offset {offset} is outside the {buffer.len} bytes")
            reason = walk_record(&self.c, <const uint8_t*>buffer.buf + offset,
                                 <const uint8_t*>buffer.buf + buffer.len, &found)
            length = found.end - <const uint8_t*>buffer.buf - offset
        finally:
            PyBuffer_Release(&buffer)
        if reason != REASON_OK:
            refuse(reason, offset + length)
        sequence = None if self.c.sequence == NO_LEAF else found.sequence.whole
        return length, time_of(&self.c, &found.time), sequence

    def steps(self):
        """Give the steps of the validating walk: bytes of fixed size, then what (StepKind), and its place."""
        cdef uint32_t i
        return [(self.c.steps[i].fixed, self.c.steps[i].kind, self.c.steps[i].place) for i in range(self.c.step_count)]

    def numbers(self, data, Py_ssize_t offset=0):
        """Give the numbers in the record that starts at `offset`, by signal."""
        cdef Py_buffer buffer
        cdef Number number = Number(is_null=True, is_real=False, real=0, whole=0)
        cdef Reason reason = REASON_OK
        cdef const uint8_t* at
        cdef uint32_t i
        found = {}
        PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
        try:
            if not 0 <= offset <= buffer.len:
                raise IndexError(f"offset {offset} is outside the {buffer.len} bytes")
            at = <const uint8_t*>buffer.buf + offset
            for i, name in enumerate(self.schema.signal_names):
                reason = walk_leaf(&self.c, &self.c.leaves[i], &at, <const uint8_t*>buffer.buf + buffer.len, &number)
                if reason != REASON_OK:
                    refuse(reason, at - <const uint8_t*>buffer.buf)
                if self.c.leaves[i].number != KIND_NULL:
                    found[name] = None if number.is_null else number.real if number.is_real else number.whole
        finally:
            PyBuffer_Release(&buffer)
        return found

    def put(self, name, value):
        """Give the bytes of a number as the signal `name` has it: as near as it comes."""
        cdef const Leaf* leaf = &self.c.leaves[<uint32_t>self.schema.signal_names.index(name)]
        cdef Number number
        cdef uint8_t[11] out
        if leaf.number == KIND_NULL:
            raise ValueError(f"signal {name!r} is not a number")
        number.is_null = value is None
        number.is_real = isinstance(value, float)
        number.real = value if number.is_real else 0.0
        number.whole = 0 if number.is_real or number.is_null else value
        return (<const char*>out)[:put_number(leaf, &number, out)]

    def packet(self, data, str framing="plain"):
        """Validate a whole packet; give the number of its records."""
        cdef Py_buffer buffer
        cdef const uint8_t* at
        cdef Py_ssize_t count = 0
        cdef Reason reason
        if framing not in ("plain", "single_object"):
            raise ValueError(f"framing must be plain or single_object, not {framing!r}")
        cdef bint framed = framing == "single_object"
        PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
        try:
            at = <const uint8_t*>buffer.buf
            reason = walk_packet(&self.c, &at, at + buffer.len, framed, &count)
            if reason != REASON_OK:
                refuse(reason, at - <const uint8_t*>buffer.buf)
        finally:
            PyBuffer_Release(&buffer)
        return count


cdef object time_of(const CPlan* plan, const Number* time):
    cdef int64_t ns = 0
    cdef TimeUnit unit = <TimeUnit>plan.unit
    if unit == UNIT_UNKNOWN:
        unit = guess_unit(time)
    return ns if time_ns(time, unit, &ns) else None


cdef Reason walk_packet(const CPlan* plan, const uint8_t** at, const uint8_t* end, bint framed,
                        Py_ssize_t* count) noexcept nogil:
    """Validate the records of a packet, one after the other; `at` ends where the packet does, or where it fails."""
    cdef Walk found
    cdef Reason reason
    if at[0] == end:
        return REASON_EMPTY
    while at[0] < end:
        reason = skip_frame(plan, at, end) if framed else REASON_OK
        if reason == REASON_OK:
            reason = walk_record(plan, at[0], end, &found)
            at[0] = found.end
        if reason != REASON_OK:
            return REASON_TRAILING if count[0] > 0 else reason
        count[0] += 1
    return REASON_OK


cdef Reason skip_frame(const CPlan* plan, const uint8_t** at, const uint8_t* end) noexcept nogil:
    """Skip the head of Avro's single-object encoding: C3 01 and the schema's fingerprint."""
    cdef uint8_t head[10]
    cdef size_t left = <size_t>min(end - at[0], 10)
    head[0] = 0xC3
    head[1] = 0x01
    memcpy(head + 2, plan.fingerprint, 8)
    if memcmp(head, at[0], left) != 0:
        return REASON_SCHEMA
    if left < 10:
        return REASON_SHORT
    at[0] += 10
    return REASON_OK


def _add_fields(record, rows, leaves):
    """Add the operations and leaves of a record's fields; records directly inside it have none of their own."""
    for field in record.fields:
        if field.type.kind == "record":
            _add_fields(field.type, rows, leaves)
            continue
        first = len(rows)
        _add_type(field.type, rows)
        leaves.append((field.type, first, len(rows)))


def _add_type(type_, rows):
    """Add the operation of a type, and after it those of what is below."""
    place = len(rows)
    rows.append(None)
    for field in type_.fields:
        _add_type(field.type, rows)
    for inner in type_.inner:
        _add_type(inner, rows)
    rows[place] = (type_, len(rows))


cdef int set_op(Op* op, type_, uint32_t next_) except -1:
    op.kind = KINDS[type_.kind]
    op.next = next_
    if op.kind == KIND_ARRAY:
        op.minimum = type_.inner[0].minimum
    elif op.kind == KIND_MAP:
        op.minimum = type_.inner[0].minimum + 1
    else:
        op.size = type_.size or len(type_.symbols) or len(type_.inner)
    return 0


cdef int set_leaf(Leaf* leaf, type_, uint32_t first, uint32_t last) except -1:
    value, null = type_.without_null()
    leaf.first = first
    leaf.last = last
    leaf.number = KINDS[value.kind] if value.kind in ("int", "long", "float", "double") else KIND_NULL
    leaf.null_branch = NO_BRANCH if leaf.number == KIND_NULL or null is None else null
    return 0
