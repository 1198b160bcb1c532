"""Fills columns of numbers from records: inline functions, for `columns.pyx` alone.

Two loops do the same. `fill_fast` looks once, before each record, that as much is left of the data as its numbers can
take, and stops before a record that is not plainly right; `fill` checks each value, and tells what is wrong.
"""

from libc.stdint cimport INT32_MAX, INT32_MIN, int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from speeddata.plan cimport (
    KIND_BOOLEAN, KIND_DOUBLE, KIND_FLOAT, KIND_INT, KIND_LONG, NO_BRANCH, REASON_BOOLEAN, REASON_OK, REASON_SHORT,
    REASON_UNION, CPlan, Leaf, Reason, Rest, walk_part,
)
from speeddata.wire cimport __builtin_ctzll, load_u32, load_u64, read_int, read_long, seven_bits

cdef enum:
    LONGEST = 11   # bytes of a number: the branch of a nullable one, and a varint
    AHEAD = 8      # bytes read at once, be they of the number or not

# Where the values of one leaf go.
cdef struct Column:
    Leaf leaf
    uint32_t before       # bytes to skip first: of leaves of fixed size that nobody asked for
    uint8_t kind          # Kind of the number or boolean; KIND_NULL: noted or skipped
    int8_t null_branch
    int64_t mask          # -1; 0 where all rows go to the same place, as nobody asked for them
    uint8_t* values       # of `kind`, one a row
    uint8_t* nulls        # nullable int, long, boolean: 1 where null; else NULL
    int64_t* places       # noted: where in the data the value starts; else NULL

# Records being decoded into rows of columns.
cdef struct Filling:
    const CPlan* plan
    const Column* columns  # `width` of them, in the order of the bytes
    uint32_t width
    uint32_t after         # bytes to skip behind the last
    int64_t bound          # bytes that a record whose other values are passed by walk_part takes at most, and AHEAD
    int64_t row            # where the next record goes
    int64_t rows           # where the last one ends: none goes there
    const uint8_t* start   # of the data, from which places count


cdef inline void put_null(const Column* column, int64_t row) noexcept nogil:
    """Null is NaN (numpy.nan, bit for bit) in a float or double, else a mark, and a 0 that does not count."""
    if column.kind == KIND_DOUBLE:
        (<uint64_t*>column.values)[row] = <uint64_t>0x7FF8000000000000
    elif column.kind == KIND_FLOAT:
        (<uint32_t*>column.values)[row] = 0x7FC00000
    else:
        column.nulls[row] = 1
        if column.kind == KIND_LONG:
            (<int64_t*>column.values)[row] = 0
        elif column.kind == KIND_INT:
            (<int32_t*>column.values)[row] = 0
        else:
            column.values[row] = 0


cdef inline const uint8_t* pass_long(const uint8_t* p, int64_t* out) noexcept nogil:
    """Read a varint, where LONGEST bytes can be read; NULL when it has over nine, which needs another look."""
    cdef uint64_t word = load_u64(p)
    cdef uint64_t stop = ~word & <uint64_t>0x8080808080808080
    cdef uint64_t value
    if stop:
        value = seven_bits(word & (stop ^ (stop - 1)))  # up to the first byte that ends it
        p += (__builtin_ctzll(stop) >> 3) + 1
    elif p[8] < 0x80:
        value = seven_bits(word) | <uint64_t>p[8] << 56
        p += 9
    else:
        return NULL
    out[0] = <int64_t>(value >> 1) ^ -<int64_t>(value & 1)
    return p


cdef inline const uint8_t* pass_record(const Filling* f, const uint8_t* p, const uint8_t* end, int64_t line) noexcept nogil:
    """Decode a record into row `line`, where `bound` bytes can be read; NULL unless it is plainly right."""
    cdef const Column* column
    cdef int64_t row, number = 0
    cdef Rest rest
    cdef uint32_t i
    rest.end = end
    rest.empty_items = 0
    for i in range(f.width):
        column = &f.columns[i]
        row = line & column.mask
        p += column.before
        if column.null_branch != NO_BRANCH:
            if p[0] > 2 or p[0] & 1:
                return NULL
            p += 1
            if p[-1] >> 1 == column.null_branch:
                put_null(column, row)
                continue
            if column.nulls != NULL:
                column.nulls[row] = 0
        if column.kind == KIND_DOUBLE:
            (<uint64_t*>column.values)[row] = load_u64(p)
            p += 8
        elif column.kind == KIND_LONG:
            p = pass_long(p, &(<int64_t*>column.values)[row])
            if p == NULL:
                return NULL
        elif column.kind == KIND_INT:
            p = pass_long(p, &number)
            if p == NULL or number < INT32_MIN or number > INT32_MAX:
                return NULL
            (<int32_t*>column.values)[row] = <int32_t>number
        elif column.kind == KIND_FLOAT:
            (<uint32_t*>column.values)[row] = load_u32(p)
            p += 4
        elif column.kind == KIND_BOOLEAN:
            if p[0] > 1:
                return NULL
            column.values[row] = p[0]
            p += 1
        else:
            if column.places != NULL:
                column.places[row] = p - f.start
            rest.p = p
            if walk_part(f.plan, &column.leaf, &rest, NULL) != REASON_OK or end - rest.p < f.bound:
                return NULL
            p = rest.p
    return p + f.after


cdef inline void fill_fast(Filling* f, Rest* rest) noexcept nogil:
    """Decode records while each is plainly right and not near the end of the data; `rest` is left before the next."""
    cdef const uint8_t* p = rest.p
    cdef int64_t row = f.row
    while row < f.rows and rest.end - p >= f.bound:
        p = pass_record(f, p, rest.end, row)
        if p == NULL:
            break
        rest.p = p
        row += 1
    f.row = row


cdef inline Reason take_value(const Column* column, int64_t row, Rest* rest) noexcept nogil:
    """Read a number or boolean, nullable or not, into its row."""
    cdef Reason reason
    cdef int64_t branch = 0
    if column.null_branch != NO_BRANCH:
        reason = read_long(&rest.p, rest.end, &branch)
        if reason != REASON_OK:
            return reason
        if branch != 0 and branch != 1:
            return REASON_UNION
        if branch == column.null_branch:
            put_null(column, row)
            return REASON_OK
        if column.nulls != NULL:
            column.nulls[row] = 0
    if column.kind == KIND_DOUBLE:
        if rest.end - rest.p < 8:
            return REASON_SHORT
        (<uint64_t*>column.values)[row] = load_u64(rest.p)
        rest.p += 8
    elif column.kind == KIND_LONG:
        return read_long(&rest.p, rest.end, &(<int64_t*>column.values)[row])
    elif column.kind == KIND_INT:
        return read_int(&rest.p, rest.end, &(<int32_t*>column.values)[row])
    elif column.kind == KIND_FLOAT:
        if rest.end - rest.p < 4:
            return REASON_SHORT
        (<uint32_t*>column.values)[row] = load_u32(rest.p)
        rest.p += 4
    else:
        if rest.p >= rest.end:
            return REASON_SHORT
        if rest.p[0] > 1:
            return REASON_BOOLEAN
        column.values[row] = rest.p[0]
        rest.p += 1
    return REASON_OK


cdef inline Reason fill_record(const Filling* f, Rest* rest) noexcept nogil:
    """Decode a record into row `f.row`, reading nothing at or past `rest.end`."""
    cdef Reason reason
    cdef const Column* column
    cdef uint32_t i
    rest.empty_items = 0
    for i in range(f.width):
        column = &f.columns[i]
        if rest.end - rest.p < <int64_t>column.before:
            return REASON_SHORT
        rest.p += column.before
        if column.values != NULL:
            reason = take_value(column, f.row & column.mask, rest)
        else:
            if column.places != NULL:
                column.places[f.row] = rest.p - f.start
            reason = walk_part(f.plan, &column.leaf, rest, NULL)
        if reason != REASON_OK:
            return reason
    if rest.end - rest.p < <int64_t>f.after:
        return REASON_SHORT
    rest.p += f.after
    return REASON_OK


cdef inline Reason fill(Filling* f, Rest* rest) noexcept nogil:
    """Decode the records of rows [f.row, f.rows); where that fails, `rest` is left where, and `f.row` says in which."""
    cdef Reason reason
    while f.row < f.rows:
        fill_fast(f, rest)
        if f.row == f.rows:
            break
        reason = fill_record(f, rest)
        if reason != REASON_OK:
            return reason
        f.row += 1
    return REASON_OK
