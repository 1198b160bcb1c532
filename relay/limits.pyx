# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Limits held against every record (see limits.pxd)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from speeddata.plan cimport (
    KIND_ARRAY, KIND_BOOLEAN, KIND_DOUBLE, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_NULL, KIND_UNION, REASON_OK, REASON_SHORT,
    REASON_UNION, STEP_END, STEP_INT, STEP_LONG, STEP_NUMBER, STEP_STRING, CPlan, Leaf, Number, Op, Reason, Rest, Step, walk_part,
)
from speeddata.relay.atomics cimport load64, store64
from speeddata.relay.doorbell cimport ring
from speeddata.relay.mapping cimport (
    EDGE_HIGH, EDGE_LOW, LEVEL_WITHIN, LEVELS, Beyond, Side, Standing, begin_standing, current_standing,
)
from speeddata.wire cimport load_double, load_float, read_block, read_int, read_length, read_long


# ---- reading

cdef inline void add_real(Reading *r, double value) noexcept nogil:
    if value != value:  # NaN is neither within nor beyond
        return
    if not r.some or value < r.real[EDGE_LOW]:
        r.real[EDGE_LOW] = value
    if not r.some or value > r.real[EDGE_HIGH]:
        r.real[EDGE_HIGH] = value
    r.some = True


cdef inline void add_whole(Reading *r, int64_t value) noexcept nogil:
    if not r.some or value < r.whole[EDGE_LOW]:
        r.whole[EDGE_LOW] = value
    if not r.some or value > r.whole[EDGE_HIGH]:
        r.whole[EDGE_HIGH] = value
    r.some = True


cdef Reason read_values(const Op *ops, uint32_t i, Rest *rest, Reading *r) noexcept nogil:
    """Read the value of operation `i` that has limits: a number, a boolean, an array of them, any of them nullable."""
    cdef Reason reason = REASON_OK
    cdef int64_t number = 0
    cdef int32_t small = 0
    cdef uint8_t kind = ops[i].kind
    if kind == KIND_DOUBLE or kind == KIND_FLOAT:
        number = 8 if kind == KIND_DOUBLE else 4
        if rest.end - rest.p < number:
            return REASON_SHORT
        add_real(r, load_double(rest.p) if kind == KIND_DOUBLE else load_float(rest.p))
        rest.p += number
    elif kind == KIND_LONG:
        reason = read_long(&rest.p, rest.end, &number)
        if reason == REASON_OK:
            add_whole(r, number)
    elif kind == KIND_INT:
        reason = read_int(&rest.p, rest.end, &small)
        if reason == REASON_OK:
            add_whole(r, small)
    elif kind == KIND_BOOLEAN:
        if rest.p >= rest.end:
            return REASON_SHORT
        add_whole(r, rest.p[0])
        rest.p += 1
    elif kind == KIND_UNION:
        reason = read_branch(ops, i, rest, r)
    elif kind == KIND_ARRAY:
        reason = read_items(ops, i, rest, r)
    return reason  # a null has no bytes


cdef Reason read_branch(const Op *ops, uint32_t i, Rest *rest, Reading *r) noexcept nogil:
    cdef int64_t branch = 0
    cdef Reason reason = read_long(&rest.p, rest.end, &branch)
    if reason != REASON_OK:
        return reason
    if branch != 0 and branch != 1:  # it has two
        return REASON_UNION
    return read_values(ops, i + 1 if branch == 0 else ops[i + 1].next, rest, r)


cdef Reason read_items(const Op *ops, uint32_t i, Rest *rest, Reading *r) noexcept nogil:
    cdef int64_t count = 0, size = 0
    cdef Reason reason
    while True:
        reason = read_block(&rest.p, rest.end, &count, &size)
        if reason != REASON_OK or (count == 0 and size <= 0):
            return reason
        if ops[i + 1].kind == KIND_DOUBLE:
            if count > (rest.end - rest.p) // 8:
                return REASON_SHORT
            while count > 0:
                add_real(r, load_double(rest.p))
                rest.p += 8
                count -= 1
        while count > 0:  # each has a byte at least, so this ends where the record does
            reason = read_values(ops, i + 1, rest, r)
            if reason != REASON_OK:
                return reason
            count -= 1


cdef inline bint is_real(const Check *check) noexcept nogil:
    return check.kind == KIND_DOUBLE or check.kind == KIND_FLOAT


cdef inline bint is_beyond(const Check *check, const Reading *r) noexcept nogil:
    """Whether what was read is beyond any limit."""
    if not r.some:
        return False
    if is_real(check):
        return r.real[EDGE_LOW] < check.real[EDGE_LOW][0] or r.real[EDGE_HIGH] > check.real[EDGE_HIGH][0]
    return r.whole[EDGE_LOW] < check.whole[EDGE_LOW][0] or r.whole[EDGE_HIGH] > check.whole[EDGE_HIGH][0]


cdef inline uint32_t level_of(const Check *check, const Reading *r, int edge) noexcept nogil:
    """How far what was read is beyond."""
    cdef int level
    for level in range(LEVELS, 0, -1):
        if is_real(check):
            if (r.real[edge] < check.real[edge][level - 1] if edge == EDGE_LOW else r.real[edge] > check.real[edge][level - 1]):
                return level
        elif (r.whole[edge] < check.whole[edge][level - 1] if edge == EDGE_LOW else r.whole[edge] > check.whole[edge][level - 1]):
            return level
    return LEVEL_WITHIN


cdef bint is_calm(Checking *c, uint32_t version, const uint8_t *p, const uint8_t *end) noexcept nogil:
    cdef const CPlan *plan = c.plans[version]  # version < MAX_VERSIONS, as the receiver numbers them
    cdef const Checks *known = &c.versions[version]
    cdef const Step *step = known.steps
    cdef const Check *check = known.checks
    cdef Reading *r = c.readings  # one per check, of which there are MAX_LIMITED at most
    cdef Rest rest
    cdef Leaf other
    cdef Number ignored
    cdef Reason reason = REASON_OK
    cdef int64_t number = 0
    cdef bint calm = c.beyond == 0
    rest.p, rest.end, rest.empty_items = p, end, 0
    while step.kind != STEP_END:
        # A record is right, or, where it is being written over, nothing of it is believed: then this only ends.
        if rest.end - rest.p < <int64_t>step.fixed:
            return True
        rest.p += step.fixed
        if step.kind == STEP_NUMBER:
            if check.plain:
                if rest.end - rest.p < 8:
                    return True
                r.real[EDGE_LOW] = r.real[EDGE_HIGH] = load_double(rest.p)
                r.some = r.real[EDGE_LOW] == r.real[EDGE_LOW]
                rest.p += 8
            else:
                r.some = False
                reason = read_values(plan.ops, plan.leaves[check.leaf].first, &rest, r)
            if is_beyond(check, r):
                calm = False
            check += 1
            r += 1
        elif step.kind == STEP_LONG or step.kind == STEP_INT:
            reason = read_long(&rest.p, rest.end, &number)
        elif step.kind == STEP_STRING:
            reason = read_length(&rest.p, rest.end, &number)
            if reason == REASON_OK:
                rest.p += number  # not negative, and no more than is left
        else:
            other.number, other.first, other.last = KIND_NULL, step.place, plan.ops[step.place].next
            reason = walk_part(plan, &other, &rest, &ignored)
        if reason != REASON_OK:
            return True
        step += 1
    return calm


# ---- noting

cdef inline bint further(const Beyond *a, const Beyond *b, int edge) noexcept nogil:
    """Whether `a` is further out than `b`; values of two versions of a signal may be of two types."""
    cdef bint reals = a.kind == KIND_DOUBLE or a.kind == KIND_FLOAT
    cdef bint others = b.kind == KIND_DOUBLE or b.kind == KIND_FLOAT
    cdef double left, right
    if not reals and not others:
        return a.whole < b.whole if edge == EDGE_LOW else a.whole > b.whole
    left = a.real if reals else <double>a.whole
    right = b.real if others else <double>b.whole
    return left < right if edge == EDGE_LOW else left > right


cdef void begin_anew(Standing *s) noexcept nogil:
    """All rises so far are acknowledged: what is noted from here on is of the next."""
    cdef uint64_t rises = s.rises
    cdef uint32_t level = s.level
    memset(s, 0, sizeof(Standing))
    s.rises, s.level = rises, level


cdef void note_beyond(Standing *s, int edge, uint32_t level, const Beyond *value) noexcept nogil:
    cdef uint32_t k
    for k in range(level):  # level <= LEVELS
        if s.records[k] == 0:
            s.since_ns[k] = value.time_ns
        s.records[k] += 1
    if s.records[0] == 1 or further(value, &s.worst, edge):
        s.worst = value[0]
    s.last = value[0]
    s.highest = max(s.highest, level)


cdef void note_side(Checking *c, const Check *check, int edge, const Reading *r, int64_t time_ns) noexcept nogil:
    """Note how a signal stands on one side after a record that has a number of it."""
    cdef Side *side = &check.place.sides[edge]
    cdef uint32_t before = current_standing(side).level
    cdef uint32_t level = level_of(check, r, edge)
    cdef Standing *s
    cdef Beyond value
    if level == LEVEL_WITHIN and before == LEVEL_WITHIN:
        return
    s = begin_standing(side)
    if level > before:
        if load64(&side.seen) >= s.rises:
            begin_anew(s)
        s.rises += 1
    s.level = level
    if level:
        value.time_ns, value.real, value.whole, value.kind = time_ns, r.real[edge], r.whole[edge], check.kind
        value.limit, value.pad = check.stated[edge][level - 1], 0
        note_beyond(s, edge, level, &value)
    store64(&side.turn, side.turn + 1)
    if level > before or level == LEVEL_WITHIN:
        c.beyond += (level != LEVEL_WITHIN) - (before != LEVEL_WITHIN)
        store64(c.turns, c.turns[0] + 1)
        if c.keeper != NULL:
            ring(c.keeper)


cdef void note_readings(Checking *c, uint32_t version, int64_t time_ns) noexcept nogil:
    cdef const Checks *known = &c.versions[version]
    cdef uint32_t k
    for k in range(known.count):  # count <= MAX_LIMITED, the room of the readings
        if c.readings[k].some and known.checks[k].place != NULL:
            note_side(c, &known.checks[k], EDGE_LOW, &c.readings[k], time_ns)
            note_side(c, &known.checks[k], EDGE_HIGH, &c.readings[k], time_ns)
