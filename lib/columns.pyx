# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because every read of the data has its `end` beside it, and rows run to the length that the arrays were made with.
"""Records decoded straight into numpy columns.

Two passes: the first, without the GIL, walks all records, fills the columns of numbers and notes where every other value
stands; the second makes Python objects and arrays of what was noted. The first may be done by several threads, each with
its own part of the data and of the rows.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from speeddata.arrays cimport address
from speeddata.fill cimport AHEAD, LONGEST, Column, Filling, fill
from speeddata.plan cimport (
    KIND_BOOLEAN, KIND_DOUBLE, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_NULL, NO_BRANCH, REASON_LENGTH, REASON_OK,
    REASON_SHORT, REASON_TRAILING, CPlan, Leaf, Plan, Reason, Rest, Walk, refuse, walk_record,
)
from speeddata.unpack cimport build_value
from speeddata.wire cimport load_u32, load_u64, read_block, read_int, read_long

import numpy as np

from speeddata.abscissa import time_ns

__all__ = ["Columns", "decode", "time_ns"]

DTYPES = {"int": np.int32, "long": np.int64, "float": np.float32, "double": np.float64, "boolean": np.bool_}
KINDS = {"int": KIND_INT, "long": KIND_LONG, "float": KIND_FLOAT, "double": KIND_DOUBLE, "boolean": KIND_BOOLEAN}
SIZES = {"float": 4, "double": 8}
IMMUTABLE = ("string", "bytes", "fixed", "enum")


cdef Reason count_records(const CPlan* plan, Rest* rest, int64_t* rows) noexcept nogil:
    cdef Walk found
    cdef Reason reason = REASON_OK
    rows[0] = 0
    while reason == REASON_OK and rest.p < rest.end:
        reason = walk_record(plan, rest.p, rest.end, &found)
        rest.p = found.end
        rows[0] += 1
    return reason


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


# What is filled at a time: data, its records, and where they go.
cdef class _Part:
    cdef Py_buffer buffer
    cdef int64_t row
    cdef int64_t count
    cdef bint held

    def __cinit__(self, data, int64_t row, int64_t count):
        PyObject_GetBuffer(data, &self.buffer, PyBUF_SIMPLE)
        self.held = True
        self.row, self.count = row, count

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.buffer)

    cdef const uint8_t* start(self) noexcept:
        return <const uint8_t*>self.buffer.buf

    cdef const uint8_t* end(self) noexcept:
        return <const uint8_t*>self.buffer.buf + self.buffer.len


cdef class Columns:
    cdef Plan plan
    cdef readonly int64_t rows
    cdef Column* columns
    cdef Filling made       # but for the rows and the data
    cdef uint64_t scratch   # where values go that nobody asked for
    cdef list wanted
    cdef list kept          # (name, type, values, nulls, places) of each wanted leaf; keeps the arrays alive
    cdef list parts         # that have values which are not numbers
    cdef bint noting        # whether there are such values

    def __cinit__(self, Plan plan not None, int64_t rows, names=None):
        cdef uint32_t i
        self.wanted = plan.schema.signal_names if names is None else list(names)
        unknown = set(self.wanted) - set(plan.schema.signal_names)
        if unknown:
            raise KeyError(f"no signal {min(unknown)!r} in {plan.schema.name}")
        if rows < 0:
            raise ValueError(f"rows must not be negative, not {rows}")
        self.plan = plan
        self.rows = rows
        self.kept, self.parts = [], []
        self.columns = <Column*>PyMem_Calloc(plan.c.leaf_count + 1, sizeof(Column))
        if self.columns == NULL:
            raise MemoryError()
        self.made.plan, self.made.columns = &plan.c, self.columns
        chosen = frozenset(self.wanted)
        for i, signal in enumerate(plan.schema.signals):
            if signal.name in chosen:
                self.add(&plan.c.leaves[i], signal.name)
            else:
                self.skip(&plan.c.leaves[i])
        self.made.bound += LONGEST * self.made.width + self.made.after + AHEAD

    def __dealloc__(self):
        PyMem_Free(self.columns)

    cdef Column* add_leaf(self, const Leaf* leaf) noexcept:
        """Add a column, that is skipped until it is told where its values go."""
        cdef Column* column = &self.columns[self.made.width]
        self.made.width += 1
        column.leaf = leaf[0]
        column.leaf.number = KIND_NULL
        column.kind = KIND_NULL
        column.null_branch = NO_BRANCH
        column.mask = -1
        column.before = self.made.after
        self.made.bound += column.before
        self.made.after = 0
        return column

    cdef int skip(self, const Leaf* leaf) except -1:
        """Pass over a leaf that nobody asked for."""
        cdef Column* column
        value, null = self.plan.types[leaf.first].without_null()
        if null is None and value.kind in SIZES:
            self.made.after += <uint32_t>SIZES[value.kind]
        elif value.kind in KINDS:
            column = self.add_leaf(leaf)
            column.kind, column.mask = KINDS[value.kind], 0
            column.values = column.nulls = <uint8_t*>&self.scratch
            if null is not None:
                column.null_branch = null
        else:
            self.add_leaf(leaf)
        return 0

    cdef int add(self, const Leaf* leaf, name) except -1:
        cdef Column* column = self.add_leaf(leaf)
        value, null = self.plan.types[leaf.first].without_null()
        values = nulls = places = None
        if value.kind in KINDS:
            column.kind = KINDS[value.kind]
            values = np.empty(self.rows, DTYPES[value.kind])
            column.values = address(values)
            if null is not None:
                column.null_branch = null
                if values.dtype.kind != "f":  # a null float is NaN
                    nulls = np.empty(self.rows, np.bool_)
                    column.nulls = address(nulls)
        else:
            places = np.empty(self.rows, np.int64)
            column.places = <int64_t*>address(places)
            self.noting = True
        self.kept.append((name, leaf.first, values, nulls, places))
        return 0

    def fill(self, data, int64_t count, int64_t row=0):
        cdef _Part part
        cdef Filling filling = self.made
        cdef Rest rest
        cdef Reason reason = REASON_OK
        if not 0 <= row <= self.rows or not 0 <= count <= self.rows - row:
            raise ValueError(f"rows {row} to {row + count} are not among the {self.rows} of the columns")
        part = _Part(data, row, count)
        filling.start = rest.p = part.start()
        rest.end = part.end()
        filling.row, filling.rows = row, row + count
        with nogil:
            reason = fill(&filling, &rest)
        if reason == REASON_OK and rest.p != rest.end:
            reason = REASON_TRAILING
        if reason != REASON_OK:
            refuse(reason, rest.p - filling.start)
        if self.noting and count:
            self.parts.append(part)

    def numbers(self, name):
        for known, _, values, nulls, _ in self.kept:
            if known == name and values is not None:
                return values, nulls
        raise KeyError(f"no signal {name!r} of numbers or booleans was asked for")

    def take(self):
        made = {}
        self.parts.sort(key=_row_of)
        for name, first, values, nulls, places in self.kept:
            type_ = self.plan.types[first]
            if values is not None:
                made[name] = values if nulls is None else np.ma.MaskedArray(values, mask=nulls)
            elif type_.kind == "array" and type_.inner[0].kind in KINDS and type_.inner[0].kind != "boolean":
                made[name] = self.arrays(type_.inner[0].kind, places)
            else:
                made[name] = self.objects(first, places)
        return {name: made[name] for name in self.wanted}

    cdef object objects(self, uint32_t first, places_array):
        """Make a column of objects; None in rows that nothing was filled into."""
        cdef _Part part
        column = np.empty(self.rows, np.object_)
        for part in self.parts:
            column[part.row:part.row + part.count] = self.build(first, part, <const int64_t*>address(places_array))
        return column

    cdef list build(self, uint32_t first, _Part part, const int64_t* places):
        """Make the objects of one part. One that stands in the same bytes as that before it is the same object."""
        cdef const uint8_t* start = part.start()
        cdef const uint8_t* end = part.end()
        cdef const uint8_t* former = start
        cdef Py_ssize_t length = -1
        cdef int64_t row
        cdef Rest rest
        cdef list made = []
        cdef bint shared = self.plan.types[first].without_null()[0].kind in IMMUTABLE
        value = None
        rest.end = end
        for row in range(part.row, part.row + part.count):
            rest.p = start + places[row]
            rest.empty_items = 0
            # A value's bytes tell where it ends, so bytes that begin alike are the same value.
            if length < 0 or end - rest.p < length or memcmp(rest.p, former, length) != 0:
                former = rest.p
                value = build_value(self.plan, first, start, &rest)
                length = rest.p - former if shared else -1
            made.append(value)
        return made

    cdef object arrays(self, kind_name, places_array):
        """Make a column of arrays of numbers: 2-D when they are equally long, else an array of arrays."""
        cdef _Part part
        counts = np.zeros(self.rows, np.int64)
        flats = []
        for part in self.parts:
            flats.append(read_arrays(KINDS[kind_name], DTYPES[kind_name], part,
                                     <const int64_t*>address(places_array), <int64_t*>address(counts)))
        flat = flats[0] if len(flats) == 1 else np.concatenate([np.empty(0, DTYPES[kind_name]), *flats])
        return split(flat, counts)


def _row_of(_Part part):
    return part.row


cdef object read_arrays(uint8_t kind, dtype, _Part part, const int64_t* places, int64_t* counts):
    """The items of the arrays of one part, end to end; how many each row has goes into `counts`."""
    cdef const uint8_t* start = part.start()
    cdef int64_t total = 0, done = 0, row, count = 0
    cdef uint8_t* out
    cdef Py_ssize_t itemsize
    cdef Rest rest
    cdef Reason reason = REASON_OK
    rest.end = part.end()
    rest.p = start
    with nogil:
        for row in range(part.row, part.row + part.count):
            rest.p = start + places[row]
            reason = read_numbers(kind, &rest, NULL, 0, &count)
            if reason != REASON_OK:
                break
            counts[row] = count
            total += count
    if reason != REASON_OK:
        refuse(reason, rest.p - start)
    flat = np.zeros(total, dtype)
    itemsize = flat.itemsize
    out = address(flat)
    with nogil:
        for row in range(part.row, part.row + part.count):
            rest.p = start + places[row]
            reason = read_numbers(kind, &rest, out + done * itemsize, total - done, &count)
            if reason != REASON_OK:
                break
            counts[row] = count
            done += count
    if reason != REASON_OK:
        refuse(reason, rest.p - start)
    return flat[:done]  # done < total only where the bytes have changed meanwhile


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
    cdef Reason reason = REASON_OK
    PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
    try:
        rest.p = <const uint8_t*>buffer.buf
        rest.end = rest.p + buffer.len
        if count is None:
            with nogil:
                reason = count_records(&plan.c, &rest, &rows)
            if reason != REASON_OK:
                refuse(reason, rest.p - <const uint8_t*>buffer.buf)
        elif not 0 <= count <= buffer.len // plan.c.minimum:
            refuse(REASON_SHORT, buffer.len)  # before memory is taken for so many
        else:
            rows = count
        columns = Columns(plan, rows, names)
        columns.fill(data, rows)
        return columns.take()
    finally:
        PyBuffer_Release(&buffer)
