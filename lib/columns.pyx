# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because every read of the data has its `end` beside it, and rows run to the length that the arrays were made with.
"""Records decoded straight into numpy columns.

Two passes: the first, without the GIL, walks all records, fills the columns of numbers and notes where every other value
stands; the second makes Python objects and arrays of what was noted.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from speeddata.arrays cimport address
from speeddata.plan cimport (
    KIND_BOOLEAN, KIND_DOUBLE, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_NULL, NO_BRANCH, REASON_BOOLEAN, REASON_LENGTH,
    REASON_OK, REASON_SHORT, REASON_TRAILING, REASON_UNION, CPlan, Leaf, Plan, Reason, Rest, Walk, refuse, walk_part,
    walk_record,
)
from speeddata.unpack cimport build_value
from speeddata.wire cimport load_u32, load_u64, read_block, read_int, read_long

import numpy as np

from speeddata.abscissa import time_ns

__all__ = ["decode", "time_ns"]

DTYPES = {"int": np.int32, "long": np.int64, "float": np.float32, "double": np.float64, "boolean": np.bool_}
KINDS = {"int": KIND_INT, "long": KIND_LONG, "float": KIND_FLOAT, "double": KIND_DOUBLE, "boolean": KIND_BOOLEAN}
IMMUTABLE = ("string", "bytes", "fixed", "enum")

cdef uint64_t NAN_DOUBLE = 0x7FF8000000000000  # numpy.nan, bit for bit
cdef uint32_t NAN_FLOAT = 0x7FC00000

# Where the first pass puts the values of one leaf, or of a run of leaves that nobody asked for.
cdef struct Column:
    Leaf leaf
    uint8_t kind          # Kind of the number or boolean; KIND_NULL: noted or skipped
    int8_t null_branch
    uint8_t* values       # of `kind`, one a row
    uint8_t* nulls        # nullable int, long, boolean: 1 where null; else NULL
    int64_t* places       # noted: where in the data the value starts; NULL: skipped


# ---- the first pass: nothing here allocates, raises or reads at or past `end`

cdef Reason count_records(const CPlan* plan, Rest* rest, int64_t* rows) noexcept nogil:
    cdef Walk found
    cdef Reason reason = REASON_OK
    rows[0] = 0
    while reason == REASON_OK and rest.p < rest.end:
        reason = walk_record(plan, rest.p, rest.end, &found)
        rest.p = found.end
        rows[0] += 1
    return reason


cdef Reason fill(const CPlan* plan, const Column* columns, uint32_t width, int64_t rows, const uint8_t* start,
                 Rest* rest) noexcept nogil:
    """Walk `rows` records; `columns` cover every leaf in the order of the bytes."""
    cdef Reason reason
    cdef const Column* column
    cdef int64_t row
    cdef uint32_t i
    for row in range(rows):
        rest.empty_items = 0
        for i in range(width):
            column = &columns[i]
            if column.kind != KIND_NULL:
                reason = take_value(column, row, rest)
            else:
                if column.places != NULL:
                    column.places[row] = rest.p - start
                reason = walk_part(plan, &column.leaf, rest, NULL)
            if reason != REASON_OK:
                return reason
    return REASON_OK


cdef inline Reason take_value(const Column* column, int64_t row, Rest* rest) noexcept nogil:
    """Read a number or boolean, nullable or not, into its row."""
    cdef Reason reason
    cdef int64_t branch = 0
    cdef uint8_t byte
    if column.null_branch != NO_BRANCH:
        reason = read_long(&rest.p, rest.end, &branch)
        if reason != REASON_OK:
            return reason
        if branch != 0 and branch != 1:
            return REASON_UNION
        if branch == column.null_branch:
            take_null(column, row)
            return REASON_OK
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
        byte = rest.p[0]
        if byte > 1:
            return REASON_BOOLEAN
        column.values[row] = byte
        rest.p += 1
    return REASON_OK


cdef inline void take_null(const Column* column, int64_t row) noexcept nogil:
    if column.kind == KIND_DOUBLE:
        (<uint64_t*>column.values)[row] = NAN_DOUBLE
    elif column.kind == KIND_FLOAT:
        (<uint32_t*>column.values)[row] = NAN_FLOAT
    else:
        column.nulls[row] = 1  # the value stays 0, as it was made


cdef Reason read_numbers(uint8_t kind, Rest* rest, uint8_t* out, int64_t room, int64_t* total) noexcept nogil:
    """Read an array of numbers into `out`, which has room for `room`; only count them where `out` is NULL."""
    cdef int64_t count = 0, size = 0, number = 0, i
    cdef int32_t small = 0
    cdef Reason reason
    cdef int64_t width = 8 if kind == KIND_DOUBLE else 4 if kind == KIND_FLOAT else 0
    total[0] = 0
    while True:
        reason = read_block(&rest.p, rest.end, &count, &size)
        if reason != REASON_OK or count == 0 and size <= 0:
            return reason
        if count > (rest.end - rest.p) // max(width, 1):
            return REASON_SHORT
        if out != NULL and count > room - total[0]:
            return REASON_LENGTH
        if width and out == NULL:
            rest.p += count * width
        else:
            for i in range(total[0], total[0] + count):
                if kind == KIND_DOUBLE:
                    (<uint64_t*>out)[i] = load_u64(rest.p)
                    rest.p += 8
                elif kind == KIND_FLOAT:
                    (<uint32_t*>out)[i] = load_u32(rest.p)
                    rest.p += 4
                elif kind == KIND_LONG:
                    reason = read_long(&rest.p, rest.end, &number if out == NULL else &(<int64_t*>out)[i])
                else:
                    reason = read_int(&rest.p, rest.end, &small if out == NULL else &(<int32_t*>out)[i])
                if reason != REASON_OK:
                    return reason
        total[0] += count


# ---- the table

cdef class _Table:
    """The columns being made of one decode."""

    cdef Plan plan
    cdef Column* columns
    cdef uint32_t width
    cdef int64_t rows
    cdef list kept   # (name, type, values, nulls, places) of each wanted leaf; keeps the arrays alive

    def __cinit__(self, Plan plan, int64_t rows, wanted):
        cdef uint32_t i
        self.plan = plan
        self.rows = rows
        self.kept = []
        self.columns = <Column*>PyMem_Calloc(plan.c.leaf_count, sizeof(Column))
        if self.columns == NULL:
            raise MemoryError()
        skipping = False
        for i, signal in enumerate(plan.schema.signals):
            if signal.name in wanted:
                self.add(&plan.c.leaves[i], signal.name)
            elif skipping:
                self.columns[self.width - 1].leaf.last = plan.c.leaves[i].last
            else:
                self.add_leaf(&plan.c.leaves[i])
            skipping = signal.name not in wanted

    def __dealloc__(self):
        PyMem_Free(self.columns)

    cdef Column* add_leaf(self, const Leaf* leaf) noexcept:
        """Add a column that is skipped."""
        cdef Column* column = &self.columns[self.width]
        self.width += 1
        column.leaf = leaf[0]
        column.leaf.number = KIND_NULL
        column.kind = KIND_NULL
        column.null_branch = NO_BRANCH
        return column

    cdef int add(self, const Leaf* leaf, name) except -1:
        cdef Column* column = self.add_leaf(leaf)
        type_ = self.plan.types[leaf.first]
        value, null = type_.without_null()
        values = nulls = places = None
        if value.kind in KINDS:
            column.kind = KINDS[value.kind]
            values = np.zeros(self.rows, DTYPES[value.kind])
            column.values = address(values)
            if null is not None:
                column.null_branch = null
                if values.dtype.kind != "f":  # a null float is NaN
                    nulls = np.zeros(self.rows, np.bool_)
                    column.nulls = address(nulls)
        else:
            places = np.empty(self.rows, np.int64)
            column.places = <int64_t*>address(places)
        self.kept.append((name, leaf.first, values, nulls, places))
        return 0

    cdef dict finish(self, const uint8_t* start, const uint8_t* end):
        made = {}
        for name, first, values, nulls, places in self.kept:
            type_ = self.plan.types[first]
            if values is not None:
                made[name] = values if nulls is None else np.ma.MaskedArray(values, mask=nulls)
            elif type_.kind == "array" and type_.inner[0].kind in KINDS and type_.inner[0].kind != "boolean":
                made[name] = self.numbers(type_.inner[0].kind, places, start, end)
            else:
                made[name] = self.objects(first, places, start, end)
        return made

    cdef object objects(self, uint32_t first, places_array, const uint8_t* start, const uint8_t* end):
        """Make a column of objects. One that stands in the same bytes as that before it is the same object."""
        cdef const int64_t* places = <const int64_t*>address(places_array)
        cdef const uint8_t* former = start
        cdef Py_ssize_t length = -1
        cdef int64_t row
        cdef Rest rest
        cdef list made = []
        cdef bint shared = self.plan.types[first].without_null()[0].kind in IMMUTABLE
        value = None
        rest.end = end
        for row in range(self.rows):
            rest.p = start + places[row]
            rest.empty_items = 0
            # A value's bytes tell where it ends, so bytes that begin alike are the same value.
            if length < 0 or end - rest.p < length or memcmp(rest.p, former, length) != 0:
                former = rest.p
                value = build_value(self.plan, first, start, &rest)
                length = rest.p - former if shared else -1
            made.append(value)
        column = np.empty(self.rows, np.object_)
        column[:] = made
        return column

    cdef object numbers(self, kind_name, places_array, const uint8_t* start, const uint8_t* end):
        """Make a column of arrays of numbers: 2-D when they are equally long, else an array of arrays."""
        cdef const int64_t* places = <const int64_t*>address(places_array)
        cdef uint8_t kind = KINDS[kind_name]
        counts_array = np.zeros(self.rows, np.int64)
        cdef int64_t* counts = <int64_t*>address(counts_array)
        cdef int64_t total = 0, done = 0, row
        cdef uint8_t* out
        cdef Py_ssize_t itemsize
        cdef Rest rest
        cdef Reason reason = REASON_OK
        rest.end = end
        rest.p = start
        with nogil:
            for row in range(self.rows):
                rest.p = start + places[row]
                reason = read_numbers(kind, &rest, NULL, 0, &counts[row])
                if reason != REASON_OK:
                    break
                total += counts[row]
        if reason != REASON_OK:
            refuse(reason, rest.p - start)
        flat = np.zeros(total, DTYPES[kind_name])
        itemsize = flat.itemsize
        out = address(flat)
        with nogil:
            for row in range(self.rows):
                rest.p = start + places[row]
                reason = read_numbers(kind, &rest, out + done * itemsize, total - done, &counts[row])
                if reason != REASON_OK:
                    break
                done += counts[row]
        if reason != REASON_OK:
            refuse(reason, rest.p - start)
        return split(flat[:done], counts_array)  # done < total only where the bytes have changed meanwhile


def split(flat, counts):
    if len(counts) == 0 or (counts == counts[0]).all():
        return flat.reshape(len(counts), counts[0] if len(counts) else 0)
    column = np.empty(len(counts), np.object_)
    column[:] = np.split(flat, np.cumsum(counts[:len(counts) - 1]))
    return column


def decode(Plan plan not None, data, count=None, names=None):
    cdef Py_buffer buffer
    cdef Rest rest
    cdef int64_t rows = 0
    cdef Reason reason
    cdef const uint8_t* start
    cdef _Table table
    wanted = plan.schema.signal_names if names is None else list(names)
    unknown = set(wanted) - set(plan.schema.signal_names)
    if unknown:
        raise KeyError(f"no signal {min(unknown)!r} in {plan.schema.name}")
    PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
    try:
        start = <const uint8_t*>buffer.buf
        rest.p = start
        rest.end = start + buffer.len
        if count is None:
            with nogil:
                reason = count_records(&plan.c, &rest, &rows)
            if reason != REASON_OK:
                refuse(reason, rest.p - start)
            rest.p = start
        elif not 0 <= count <= buffer.len // plan.c.minimum:
            refuse(REASON_SHORT, buffer.len)  # before memory is taken for so many
        else:
            rows = count
        table = _Table(plan, rows, frozenset(wanted))
        with nogil:
            reason = fill(&plan.c, table.columns, table.width, rows, start, &rest)
        if reason == REASON_OK and rest.p != rest.end:
            reason = REASON_TRAILING
        if reason != REASON_OK:
            refuse(reason, rest.p - start)
        made = table.finish(start, rest.end)
        return {name: made[name] for name in wanted}
    finally:
        PyBuffer_Release(&buffer)
