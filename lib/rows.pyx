# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because all columns are checked to have the same length, and room is made for the longest form of every value.
"""Columns and records encoded as Avro's bytes."""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from speeddata.arrays cimport address
from speeddata.pack cimport Buffer, put_record, put_value
from speeddata.plan cimport KIND_BOOLEAN, KIND_DOUBLE, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_NULL, NO_BRANCH, Leaf, Plan
from speeddata.wire cimport MAX_VARINT, put_long, put_u32, put_u64

from functools import lru_cache

import numpy as np

from speeddata.errors import RecordError
from speeddata.numeric import array_column, column_items, number_column

__all__ = ["encode", "encode_record"]

KINDS = {"int": KIND_INT, "long": KIND_LONG, "float": KIND_FLOAT, "double": KIND_DOUBLE, "boolean": KIND_BOOLEAN}

# One column: numbers or booleans to be written row by row, or values that are bytes already.
cdef struct Input:
    uint8_t kind             # Kind of the number or boolean; KIND_NULL: bytes
    int8_t null_branch
    const uint8_t* values    # numbers: of `kind`, one a row
    const uint8_t* nulls     # 1 where null; NULL: nowhere
    const uint8_t* bytes     # bytes: all rows end to end
    const int64_t* ends      # bytes: where each row's end


# ---- nothing here allocates or raises; the caller has made room for MAX_VARINT bytes a number and one for its branch

cdef inline uint8_t* put_item(uint8_t* p, uint8_t kind, const uint8_t* values, int64_t i) noexcept nogil:
    if kind == KIND_DOUBLE:
        return put_u64(p, (<const uint64_t*>values)[i])
    if kind == KIND_FLOAT:
        return put_u32(p, (<const uint32_t*>values)[i])
    if kind == KIND_LONG:
        return put_long(p, (<const int64_t*>values)[i])
    if kind == KIND_INT:
        return put_long(p, (<const int32_t*>values)[i])
    p[0] = values[i]
    return p + 1


cdef uint8_t* put_rows(uint8_t* p, const Input* inputs, uint32_t width, int64_t rows) noexcept nogil:
    cdef const Input* column
    cdef int64_t row, begin
    cdef uint32_t i
    cdef bint null
    for row in range(rows):
        for i in range(width):
            column = &inputs[i]
            if column.kind == KIND_NULL:
                begin = column.ends[row - 1] if row > 0 else 0
                if column.ends[row] > begin:  # where nothing was packed there are no bytes
                    memcpy(p, column.bytes + begin, column.ends[row] - begin)
                    p += column.ends[row] - begin
                continue
            if column.null_branch != NO_BRANCH:
                null = column.nulls != NULL and column.nulls[row]
                p = put_long(p, column.null_branch if null else 1 - column.null_branch)
                if null:
                    continue
            p = put_item(p, column.kind, column.values, row)
    return p


cdef uint8_t* put_arrays(uint8_t* p, uint8_t kind, const uint8_t* values, const int64_t* counts, int64_t rows,
                         int64_t* ends) noexcept nogil:
    """Write an array of `counts[row]` numbers for each row; note where each ends."""
    cdef const uint8_t* start = p
    cdef int64_t row, i, done = 0
    for row in range(rows):
        if counts[row] > 0:
            p = put_long(p, counts[row])
            for i in range(done, done + counts[row]):
                p = put_item(p, kind, values, i)
            done += counts[row]
        p = put_long(p, 0)
        ends[row] = p - start
    return p


# ---- columns

cdef class _Inputs:
    """The columns of one encode, checked and in the form that `put_rows` takes."""

    cdef Plan plan
    cdef Input* inputs
    cdef uint32_t width
    cdef int64_t rows     # -1 until the first column tells
    cdef size_t size      # bytes that the rows take at most
    cdef list kept        # keeps arrays and buffers alive

    def __cinit__(self, Plan plan, columns):
        self.plan = plan
        self.rows = -1
        self.kept = []
        self.inputs = <Input*>PyMem_Calloc(plan.c.leaf_count, sizeof(Input))
        if self.inputs == NULL:
            raise MemoryError()
        for signal in plan.schema.signals:
            self.add(&plan.c.leaves[self.width], signal.name, columns[signal.name])
            self.width += 1

    def __dealloc__(self):
        PyMem_Free(self.inputs)

    cdef int add(self, const Leaf* leaf, name, given) except -1:
        type_ = self.plan.types[leaf.first]
        value, null = type_.without_null()
        cdef Input* column = &self.inputs[self.width]
        column.kind = KIND_NULL
        column.null_branch = NO_BRANCH
        if value.kind in KINDS:
            values, nulls = number_column(name, value.kind, null is not None, given)
            self.check(name, len(values))
            column.kind = KINDS[value.kind]
            column.values = address(values)
            self.kept.append((values, nulls))
            if null is not None:
                column.null_branch = null
                column.nulls = NULL if nulls is None else address(nulls)
            self.size += self.rows * (MAX_VARINT + 1)
        elif type_.kind == "array" and type_.inner[0].kind in KINDS and type_.inner[0].kind != "boolean":
            self.add_arrays(column, name, type_.inner[0].kind, given)
        else:
            self.add_objects(column, leaf, name, given)
        return 0

    cdef int check(self, name, int64_t rows) except -1:
        """See that a column is as long as those before it."""
        if self.rows < 0:
            self.rows = rows
        if rows != self.rows:
            raise RecordError(f"field {name!r}: {rows} rows, where other columns have {self.rows}")
        return 0

    cdef int add_arrays(self, Input* column, name, kind, given) except -1:
        values, counts = array_column(name, kind, given)
        self.check(name, len(counts))
        cdef Buffer out = Buffer()
        cdef uint8_t number = KINDS[kind]
        cdef const uint8_t* from_ = address(values)
        cdef const int64_t* count = <const int64_t*>address(counts)
        cdef int64_t* ends = self.hold(column, out)
        cdef uint8_t* p = out.reserve((len(values) + len(counts) + len(counts)) * MAX_VARINT)
        with nogil:
            out.length = put_arrays(p, number, from_, count, self.rows, ends) - p
        column.bytes = out.data
        self.size += out.length
        return 0

    cdef int add_objects(self, Input* column, const Leaf* leaf, name, given) except -1:
        items = column_items(name, given)
        self.check(name, len(items))
        cdef Buffer out = Buffer()
        cdef int64_t* ends = self.hold(column, out)
        cdef int64_t row = 0
        for item in items:
            try:
                put_value(self.plan, leaf.first, item, out, name)
            except RecordError as error:
                raise RecordError(f"row {row}: {error}") from None
            ends[row] = out.length
            row += 1
        column.bytes = out.data
        self.size += out.length
        return 0

    cdef int64_t* hold(self, Input* column, Buffer out) except? NULL:
        """Keep a column's bytes, and give where the ends of its rows are to be noted."""
        ends = np.empty(self.rows, np.int64)
        self.kept.append((out, ends))
        column.ends = <const int64_t*>address(ends)
        return <int64_t*>address(ends)


cdef Plan plan_of(source):
    return source if isinstance(source, Plan) else compiled(source)


compiled = lru_cache(maxsize=64)(Plan)  # for senders, which encode record after record with a schema at hand


def encode(plan, columns):
    cdef Plan known = plan_of(plan)
    names = known.schema.signal_names
    for name in columns:
        if name not in names:
            raise RecordError(f"field {name!r}: {known.schema.name} has no such signal")
    for name in names:
        if name not in columns:
            raise RecordError(f"field {name!r}: the column is missing")
    cdef _Inputs inputs = _Inputs(known, columns)
    cdef Buffer out = Buffer()
    cdef uint8_t* p = out.reserve(inputs.size)
    with nogil:
        out.length = put_rows(p, inputs.inputs, inputs.width, inputs.rows) - p
    return (<const char*>out.data)[:out.length]


def encode_record(plan, record):
    cdef Plan known = plan_of(plan)
    cdef Buffer out = Buffer()
    put_record(known, 0, known.schema.record, record, False, out, "")
    return (<const char*>out.data)[:out.length]
