"""Fields of a line to values, values to a record: what `speeddata.csv_scan` does for each line, without allocating but for room."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint64_t

from speeddata.csv_number cimport *
from speeddata.csv_time cimport *

cdef enum:
    SLACK = 64
    FIELD_ROOM = 12  # bytes that a number takes, with its branch
    MAX_EVENTS = 64
    BILLION = 1000000000
    HIGHEST_SECOND = 9223372035

# As speeddata.csv_layout.Kind has them.
cdef enum:
    FIELD_SKIP
    FIELD_TIME
    FIELD_CLOCK
    FIELD_EPOCH
    FIELD_DOUBLE
    FIELD_FLOAT
    FIELD_LONG
    FIELD_INT
    FIELD_FLAG
    FIELD_TEXT
    FIELD_NEW

cdef enum:
    EVENT_FIRST  # the first line that was read
    EVENT_ENTER  # a line in an hour that comes twice, after one that was not in it
    EVENT_BACK   # time has gone back by an hour

cdef struct Field:
    uint8_t kind
    int8_t null_branch
    bint key, null
    int64_t nulls
    double number
    int64_t whole
    Moment time
    const uint8_t* text
    int64_t length

cdef struct Grammar:
    uint8_t delimiter, quote, mark, blank  # mark: the decimal one; blank: what is skipped round values
    int power                              # times as numbers: 10^power ns

cdef struct Event:
    int64_t offset, local
    int32_t span, kind

# How the time of a line is told from its fields.
cdef struct Clockwork:
    int64_t start_second, per_second, rate_start
    int32_t start_fraction, divisor
    double rate, step
    bint local_time, shift, began, real_time
    int ambiguous          # 0: by the order of lines, 1: the first time, 2: the second, 3: refused
    int8_t time_branch
    int32_t time_count
    int32_t[3] times       # places of the fields that tell it
    int fold
    int64_t next_fold      # offset from which it may be another
    int64_t local          # that of the line before
    int32_t span
    int event_count
    Event[MAX_EVENTS] events

cdef struct Out:
    uint8_t* data
    size_t length, room
    int64_t rows
    const uint8_t* key
    int64_t key_length


cdef inline bint is_end(const Grammar* grammar, uint8_t byte) noexcept nogil:
    return byte == grammar.delimiter or byte == 10 or byte == 13


cdef inline int read_special(const uint8_t** at, double* out) noexcept nogil:
    """Read a word that stands for no number: 1 null, 2 NaN or infinity; 0 it is none of these."""
    cdef const uint8_t* p = at[0]
    cdef int length = 0
    cdef bint negative = p[0] == 45
    cdef bint signed = p[0] == 45 or p[0] == 43
    if signed:
        p += 1
    cdef uint64_t word = read_word(&p, &length)
    if length == 0 or length > 8:
        return 0
    at[0] = p
    if word == 0x6E616E:  # nan
        out[0] = NAN
        return 2
    if word == 0x666E69 or word == <uint64_t>0x7974696E69666E69:  # inf, infinity
        out[0] = -INFINITY if negative else INFINITY
        return 2
    if not signed and (word == 0x616E or word == 0x612F6E or word == 0x6C6C756E or word == 0x656E6F6E or word == 0x6C696E):
        return 1  # na, n/a, null, none, nil
    return 0


cdef inline Fault read_flag(const uint8_t** at, int64_t* out) noexcept nogil:
    cdef int length = 0
    cdef uint64_t word = read_word(at, &length)
    if word == 0x65757274:
        out[0] = 1
    elif word == <uint64_t>0x65736C6166:
        out[0] = 0
    else:
        return FAULT_FLAG
    return FAULT_NONE


cdef inline Fault read_epoch(const Grammar* grammar, const uint8_t** at, Moment* out) noexcept nogil:
    """Read a number as a time, exactly to the nanosecond."""
    cdef Decimal decimal
    cdef uint64_t ten = 1, ns, rest
    cdef int64_t shift, signed
    cdef Fault fault = read_decimal(at, grammar.mark, &decimal)
    if fault != FAULT_NONE:
        return FAULT_TIME
    if decimal.count > 19:
        return FAULT_SHAPE
    shift = decimal.exponent + grammar.power
    out.finer, out.zoned = False, True
    if decimal.digits == 0 or shift < -19:
        out.second, out.fraction, out.finer = 0, 0, decimal.digits != 0
        return FAULT_NONE
    if shift > 18:
        return FAULT_RANGE
    for _ in range(-shift if shift < 0 else shift):
        if ten > <uint64_t>1844674407370955161:
            return FAULT_SHAPE
        ten *= 10
    if shift >= 0:
        if decimal.digits > <uint64_t>9223372035000000000 // ten:
            return FAULT_RANGE
        ns = decimal.digits * ten
    else:
        ns = decimal.digits // ten
        rest = decimal.digits - ns * ten
        out.finer = rest != 0
        if rest > ten // 2 or (rest == ten // 2 and ns & 1 == 1):
            ns += 1
        if ns > <uint64_t>9223372035000000000:
            return FAULT_RANGE
    signed = -<int64_t>ns if decimal.negative else <int64_t>ns
    out.second = signed // BILLION
    out.fraction = <int32_t>(signed - out.second * BILLION)
    if out.fraction < 0:
        out.second -= 1
        out.fraction += BILLION
    return FAULT_NONE


cdef inline Fault read_value(const Grammar* grammar, Field* field, const Program* programs, Recall* recalls,
                             const uint8_t** at, bint comma) noexcept nogil:
    """Read a value that is not text, up to the first byte that is not of it."""
    cdef uint8_t kind = field.kind
    cdef int special
    cdef Fault fault
    if kind == FIELD_TIME:
        return read_moment(&programs[0], &recalls[0], at, comma, &field.time)
    if kind == FIELD_DOUBLE or kind == FIELD_FLOAT:
        fault = read_double(at, grammar.mark, &field.number)
    elif kind == FIELD_LONG or kind == FIELD_INT:
        fault = read_whole(at, grammar.mark, &field.whole)
        if kind == FIELD_INT and fault == FAULT_NONE and not -2147483648 <= field.whole <= 2147483647:
            fault = FAULT_WHOLE
    elif kind == FIELD_EPOCH:
        return read_epoch(grammar, at, &field.time)
    elif kind == FIELD_CLOCK:
        return read_moment(&programs[1], &recalls[1], at, comma, &field.time)
    elif kind == FIELD_FLAG:
        fault = read_flag(at, &field.whole)
    else:
        fault = FAULT_NEW
    if fault == FAULT_NUMBER or fault == FAULT_FLAG or fault == FAULT_NEW:
        special = read_special(at, &field.number)
        if special == 1:
            field.null = True
            return FAULT_NONE
        if special == 2 and (kind == FIELD_DOUBLE or kind == FIELD_FLOAT):
            return FAULT_NONE
        if special == 2 and fault == FAULT_NUMBER:
            return FAULT_WHOLE
    return fault


cdef inline Fault read_field(const Grammar* grammar, Field* field, const Program* programs, Recall* recalls,
                             const uint8_t** at) noexcept nogil:
    """Read a field of a line, with the quotes round it."""
    cdef const uint8_t* p = at[0]
    cdef bint quoted = grammar.quote != 0 and p[0] == grammar.quote
    cdef Fault fault
    p += quoted
    field.null = False
    if field.kind == FIELD_TEXT or field.kind == FIELD_SKIP:
        return read_text(grammar, field, quoted, p, at)
    while p[0] == 32 and grammar.blank:
        p += 1
    if not quoted and grammar.quote != 0 and p[0] == grammar.quote:
        return FAULT_SHAPE
    if p[0] == grammar.quote if quoted else is_end(grammar, p[0]):
        field.null = True
    else:
        fault = read_value(grammar, field, programs, recalls, &p, quoted or grammar.delimiter != 44)
        if fault != FAULT_NONE:
            return fault
    while p[0] == 32 and grammar.blank:
        p += 1
    if quoted:
        if p[0] != grammar.quote:
            return FAULT_SHAPE
        p += 1
    at[0] = p
    return FAULT_NONE


cdef inline Fault read_text(const Grammar* grammar, Field* field, bint quoted, const uint8_t* p,
                            const uint8_t** at) noexcept nogil:
    cdef const uint8_t* last
    field.text = p
    if quoted:
        while p[0] != grammar.quote:
            if p[0] == 10 or p[0] == 0:
                return FAULT_SHAPE
            p += 1
        field.length = p - field.text
        p += 1
        if p[0] == grammar.quote:  # a quote inside is doubled
            return FAULT_SHAPE
    else:
        while p[0] == 32 and grammar.blank:
            p += 1
        if grammar.quote != 0 and p[0] == grammar.quote:
            return FAULT_SHAPE
        field.text = p
        while not is_end(grammar, p[0]):
            if p[0] == 0:
                return FAULT_SHAPE
            p += 1
        last = p
        while last > field.text and last[-1] == 32 and grammar.blank:
            last -= 1
        field.length = last - field.text
        field.null = field.length == 0
    at[0] = p
    return FAULT_NONE


cdef inline Fault take_field(const Grammar* grammar, Field* field, const Program* programs, Recall* recalls,
                             const uint8_t* p, int64_t length) noexcept nogil:
    """Read a field that stands alone; a line end and zeros follow it."""
    cdef const uint8_t* end = p + length
    cdef Fault fault
    field.null = length == 0
    if field.kind == FIELD_TEXT or field.kind == FIELD_SKIP:
        field.text, field.length = p, length
    elif not field.null:
        fault = read_value(grammar, field, programs, recalls, &p, True)
        if fault != FAULT_NONE:
            return fault
        if p != end:
            return FAULT_TIME if field.kind <= FIELD_EPOCH else FAULT_FLAG if field.kind == FIELD_FLAG else FAULT_NUMBER
    return FAULT_NONE
