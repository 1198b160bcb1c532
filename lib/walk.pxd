"""The walk over a plan's operations: inline functions, for `plan.pyx` alone.

They allocate nothing, raise nothing and read nothing at or past `rest.end`. They recurse as deep as the schema nests,
which is at most 32.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from speeddata.plan cimport (
    KIND_ARRAY, KIND_BOOLEAN, KIND_BYTES, KIND_DOUBLE, KIND_ENUM, KIND_FIXED, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_MAP,
    KIND_RECORD, KIND_STRING, KIND_UNION, MAX_ITEMS, NO_BRANCH, REASON_BOOLEAN, REASON_ENUM, REASON_LENGTH, REASON_OK,
    REASON_SHORT, REASON_UNION, REASON_UTF8, STEP_END, STEP_INT, STEP_LONG, STEP_NUMBER, STEP_STRING, CPlan, Leaf, Number,
    Op, Reason, Rest, Step, Walk,
)
from speeddata.wire cimport check_utf8, load_double, load_float, read_block, read_int, read_length, read_long


cdef inline Reason walk_ops(const Op* ops, uint32_t i, uint32_t last, Rest* rest) noexcept nogil:
    """Walk the values of the operations [i, last)."""
    cdef const Op* op
    cdef Reason reason
    cdef int64_t number = 0
    cdef int32_t index = 0
    while i < last:
        op = &ops[i]
        reason = REASON_OK
        if op.kind == KIND_DOUBLE:
            if rest.end - rest.p < 8:
                return REASON_SHORT
            rest.p += 8
        elif op.kind == KIND_LONG:
            reason = read_long(&rest.p, rest.end, &number)
        elif op.kind == KIND_INT:
            reason = read_int(&rest.p, rest.end, &index)
        elif op.kind == KIND_FLOAT:
            if rest.end - rest.p < 4:
                return REASON_SHORT
            rest.p += 4
        elif op.kind == KIND_STRING:
            reason = walk_string(rest)
        elif op.kind == KIND_BYTES:
            reason = read_length(&rest.p, rest.end, &number)
            if reason == REASON_OK:
                rest.p += number
        elif op.kind == KIND_BOOLEAN:
            if rest.p >= rest.end:
                return REASON_SHORT
            if rest.p[0] > 1:
                return REASON_BOOLEAN
            rest.p += 1
        elif op.kind == KIND_FIXED:
            if rest.end - rest.p < <int64_t>op.size:
                return REASON_SHORT
            rest.p += op.size
        elif op.kind == KIND_ENUM:
            reason = walk_enum(op, rest)
        elif op.kind == KIND_UNION:
            reason = walk_union(ops, i, rest)
        elif op.kind == KIND_ARRAY or op.kind == KIND_MAP:
            reason = walk_blocks(ops, i, rest)
        if reason != REASON_OK:
            return reason
        # A null has no bytes, and a record's fields are the operations that follow it.
        i = i + 1 if op.kind == KIND_RECORD else op.next
    return REASON_OK


cdef inline bint walk_steps(const CPlan* plan, const uint8_t* p, const uint8_t* end, bint texts, Walk* out) noexcept nogil:
    """Whether a record is right, as `walk_ops` would find it; then `out` is filled. Without `texts` any bytes are UTF-8."""
    cdef const Step* step = plan.steps
    cdef Rest rest
    cdef int64_t number = 0
    cdef int32_t index = 0
    cdef Reason reason = REASON_OK
    rest.p = p
    rest.end = end
    rest.empty_items = 0
    while True:
        if rest.end - rest.p < <int64_t>step.fixed:
            return False
        rest.p += step.fixed
        if step.kind == STEP_END:
            out.end = rest.p
            return True
        if step.kind == STEP_LONG:
            reason = read_long(&rest.p, rest.end, &number)
        elif step.kind == STEP_INT:
            reason = read_int(&rest.p, rest.end, &index)
        elif step.kind == STEP_STRING and texts:
            reason = walk_string(&rest)
        elif step.kind == STEP_STRING:
            reason = read_length(&rest.p, rest.end, &number)
            if reason == REASON_OK:
                rest.p += number  # not negative, and no more than is left
        elif step.kind == STEP_NUMBER:
            reason = walk_number(&plan.leaves[step.place], &rest,
                                 &out.time if <int32_t>step.place == plan.time else &out.sequence)
        else:
            reason = walk_ops(plan.ops, step.place, plan.ops[step.place].next, &rest)
        if reason != REASON_OK:
            return False
        step += 1


cdef inline Reason walk_string(Rest* rest) noexcept nogil:
    cdef const uint8_t* p = rest.p
    cdef int64_t length = 0
    cdef Reason reason = read_length(&p, rest.end, &length)
    if reason != REASON_OK:
        return reason
    if check_utf8(p, p + length) != REASON_OK:
        return REASON_UTF8
    rest.p = p + length
    return REASON_OK


cdef inline Reason walk_enum(const Op* op, Rest* rest) noexcept nogil:
    cdef const uint8_t* p = rest.p
    cdef int64_t index = 0
    cdef Reason reason = read_long(&p, rest.end, &index)
    if reason != REASON_OK:
        return reason
    if index < 0 or index >= <int64_t>op.size:
        return REASON_ENUM
    rest.p = p
    return REASON_OK


cdef inline Reason walk_union(const Op* ops, uint32_t i, Rest* rest) noexcept nogil:
    cdef const uint8_t* p = rest.p
    cdef int64_t index = 0
    cdef Reason reason = read_long(&p, rest.end, &index)
    if reason != REASON_OK:
        return reason
    if index < 0 or index >= <int64_t>ops[i].size:
        return REASON_UNION
    rest.p = p
    i += 1
    while index > 0:  # a union has `size` branches, one after the other
        i = ops[i].next
        index -= 1
    return walk_ops(ops, i, ops[i].next, rest)


cdef inline Reason walk_blocks(const Op* ops, uint32_t i, Rest* rest) noexcept nogil:
    """Walk an array or a map: blocks of items, until an empty one."""
    cdef const Op* op = &ops[i]
    cdef const uint8_t* start
    cdef int64_t count = 0, size = 0
    cdef Reason reason
    while True:
        reason = read_block(&rest.p, rest.end, &count, &size)
        if reason != REASON_OK or count == 0 and size <= 0:
            return reason
        start = rest.p
        if op.minimum == 0:  # nothing to walk, but every reader would make that many items of it
            if count > MAX_ITEMS - rest.empty_items:
                return REASON_LENGTH
            rest.empty_items += count
        elif count > (rest.end - rest.p) // <int64_t>op.minimum:
            return REASON_SHORT
        else:
            reason = walk_items(ops, i, count, rest)
            if reason != REASON_OK:
                return reason
        if size >= 0 and rest.p - start != size:
            return REASON_LENGTH


cdef inline Reason walk_items(const Op* ops, uint32_t i, int64_t count, Rest* rest) noexcept nogil:
    """Walk `count` items, for whose smallest size there are bytes enough."""
    cdef const Op* op = &ops[i]
    cdef uint8_t item = ops[i + 1].kind
    cdef Reason reason = REASON_OK
    if op.kind == KIND_ARRAY and (item == KIND_DOUBLE or item == KIND_FLOAT or item == KIND_FIXED):
        rest.p += count * op.minimum  # all are of the smallest size
        return REASON_OK
    while count > 0:
        if op.kind == KIND_MAP:
            reason = walk_string(rest)
            if reason != REASON_OK:
                return reason
        reason = walk_ops(ops, i + 1, op.next, rest)
        if reason != REASON_OK:
            return reason
        count -= 1
    return REASON_OK


cdef inline Reason walk_number(const Leaf* leaf, Rest* rest, Number* out) noexcept nogil:
    """Read a leaf that is a number, nullable or not."""
    cdef Reason reason
    cdef int64_t branch = 0
    cdef int32_t small = 0
    out.is_null = False
    out.is_real = leaf.number == KIND_DOUBLE or leaf.number == KIND_FLOAT
    if leaf.null_branch != NO_BRANCH:
        reason = read_branch(leaf, rest, &branch)
        if reason != REASON_OK:
            return reason
        if branch == leaf.null_branch:
            out.is_null = True
            return REASON_OK
    if leaf.number == KIND_DOUBLE:
        if rest.end - rest.p < 8:
            return REASON_SHORT
        out.real = load_double(rest.p)
        rest.p += 8
        return REASON_OK
    if leaf.number == KIND_FLOAT:
        if rest.end - rest.p < 4:
            return REASON_SHORT
        out.real = load_float(rest.p)
        rest.p += 4
        return REASON_OK
    if leaf.number == KIND_LONG:
        return read_long(&rest.p, rest.end, &out.whole)
    reason = read_int(&rest.p, rest.end, &small)
    if reason == REASON_OK:
        out.whole = small
    return reason


cdef inline Reason read_branch(const Leaf* leaf, Rest* rest, int64_t* branch) noexcept nogil:
    cdef const uint8_t* p = rest.p
    cdef Reason reason = read_long(&p, rest.end, branch)
    if reason != REASON_OK:
        return reason
    if branch[0] != 0 and branch[0] != 1:
        return REASON_UNION
    rest.p = p
    return REASON_OK
