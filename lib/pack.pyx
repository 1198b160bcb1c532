# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because bytes are only written where `reserve` has made room, and branches are counted before they are skipped.
"""Python objects to Avro's bytes; see `pack.pxd`."""

from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int64_t, uint8_t, uint32_t
from libc.string cimport memcpy

from speeddata.plan cimport (
    KIND_ARRAY, KIND_BOOLEAN, KIND_DOUBLE, KIND_ENUM, KIND_FIXED, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_MAP, KIND_NULL,
    KIND_RECORD, KIND_STRING, KIND_UNION, MAX_ITEMS, Plan,
)
from speeddata.wire cimport MAX_LENGTH, MAX_VARINT, put_double, put_float, put_long

from collections.abc import Mapping, Sequence
from math import isfinite
from numbers import Integral, Real
from reprlib import repr as short

import numpy as np

from speeddata.errors import RecordError

BOOLEANS = (bool, np.bool_)
NOT_NUMBERS = (bool, np.bool_, np.timedelta64)  # though Python and numpy hold them for whole numbers


cdef class Buffer:
    def __dealloc__(self):
        PyMem_Free(self.data)

    cdef uint8_t* reserve(self, size_t size) except NULL:
        cdef size_t room = max(2 * self.room, self.length + size + 64)
        cdef void* data
        if self.data == NULL or self.length + size > self.room:
            data = PyMem_Realloc(self.data, room)
            if data == NULL:
                raise MemoryError()
            self.data = <uint8_t*>data
            self.room = room
        return self.data + self.length

    cdef int add_long(self, int64_t value) except -1:
        cdef uint8_t* p = self.reserve(MAX_VARINT)
        self.length += put_long(p, value) - p
        return 0

    cdef int add_bytes(self, bytes data) except -1:
        cdef size_t length = len(data)
        memcpy(self.reserve(length), <const char*>data, length)
        self.length += length
        return 0


def unexpected(path, expected, value):
    """Make the error for a value that its field cannot hold."""
    if isinstance(value, np.generic):
        value = value.item()
    try:
        shown = short(value)
    except Exception:  # of a foreign __repr__, or a whole number of too many digits
        shown = f"a {type(value).__name__}"
    return RecordError(f"field {path!r}: expected {expected}, not {shown}")


cdef int put_value(Plan plan, uint32_t i, value, Buffer out, path) except -1:
    cdef uint8_t kind = plan.c.ops[i].kind
    if kind == KIND_NULL:
        if value is not None:
            raise unexpected(path, "null", value)
    elif kind == KIND_BOOLEAN:
        if not isinstance(value, BOOLEANS):
            raise unexpected(path, "a boolean", value)
        out.reserve(1)[0] = 1 if value else 0
        out.length += 1
    elif kind == KIND_INT or kind == KIND_LONG:
        put_whole(kind, value, out, path)
    elif kind == KIND_FLOAT or kind == KIND_DOUBLE:
        put_real(kind, value, out, path)
    elif kind == KIND_ARRAY:
        put_array(plan, i, value, out, path)
    elif kind == KIND_MAP:
        put_map(plan, i, value, out, path)
    elif kind == KIND_UNION:
        put_union(plan, i, value, out, path)
    elif kind == KIND_RECORD:
        put_record(plan, i + 1, plan.types[i], value, True, out, path)
    elif kind == KIND_ENUM:
        symbols = plan.types[i].symbols
        if not isinstance(value, str) or value not in symbols:
            raise unexpected(path, f"one of {short(list(symbols))}", value)
        out.add_long(symbols.index(value))
    else:
        put_text(kind, plan.c.ops[i].size, value, out, path)
    return 0


cdef int put_whole(uint8_t kind, value, Buffer out, path) except -1:
    if not isinstance(value, Integral) or isinstance(value, NOT_NUMBERS):
        raise unexpected(path, "a whole number", value)
    cdef int64_t low = INT32_MIN if kind == KIND_INT else INT64_MIN
    cdef int64_t high = INT32_MAX if kind == KIND_INT else INT64_MAX
    if not <object>low <= value <= <object>high:
        raise unexpected(path, f"a whole number from {low} to {high}", value)
    out.add_long(value)
    return 0


cdef int put_real(uint8_t kind, value, Buffer out, path) except -1:
    cdef double real
    if not isinstance(value, Real) or isinstance(value, NOT_NUMBERS):
        raise unexpected(path, "a number", value)
    try:
        real = value
    except OverflowError:
        raise unexpected(path, "a number that fits a double", value) from None
    if kind == KIND_DOUBLE:
        put_double(out.reserve(8), real)
        out.length += 8
        return 0
    if isfinite(real) and not isfinite(<float>real):
        raise unexpected(path, "a number that fits a float", value)
    put_float(out.reserve(4), <float>real)
    out.length += 4
    return 0


cdef int put_text(uint8_t kind, uint32_t size, value, Buffer out, path) except -1:
    """Write a string, bytes or a fixed of `size` bytes."""
    if kind == KIND_STRING:
        if not isinstance(value, str):
            raise unexpected(path, "text", value)
        try:
            value = value.encode()
        except UnicodeEncodeError:
            raise unexpected(path, "text that has a UTF-8 form", value) from None
    elif isinstance(value, (bytes, bytearray, memoryview)):
        value = bytes(value)
    else:
        raise unexpected(path, "bytes", value)
    cdef Py_ssize_t length = len(value)
    if kind == KIND_FIXED and length != <Py_ssize_t>size:
        raise unexpected(path, f"{size} bytes", value)
    if length > MAX_LENGTH:
        raise unexpected(path, f"at most {MAX_LENGTH} bytes", value)
    if kind != KIND_FIXED:
        out.add_long(length)
    return out.add_bytes(value)


cdef int put_array(Plan plan, uint32_t i, value, Buffer out, path) except -1:
    if isinstance(value, np.ndarray) and value.ndim > 0:
        items = list(value)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        items = list(value)
    else:
        raise unexpected(path, "a list", value)
    if items:
        if plan.c.ops[i].minimum == 0 and len(items) > MAX_ITEMS:
            raise unexpected(path, f"at most {MAX_ITEMS} items of no size", value)
        out.add_long(len(items))
        below = f"{path}[]"
        for item in items:
            put_value(plan, i + 1, item, out, below)
    return out.add_long(0)


cdef int put_map(Plan plan, uint32_t i, value, Buffer out, path) except -1:
    if not isinstance(value, Mapping):
        raise unexpected(path, "a mapping", value)
    items = list(value.items())
    if items:
        out.add_long(len(items))
        for key, item in items:
            put_text(KIND_STRING, 0, key, out, f"{path}{{}}")
            put_value(plan, i + 1, item, out, f"{path}{{{key!r}}}")
    return out.add_long(0)


cdef int64_t put_record(Plan plan, uint32_t i, type_, value, bint below_op, Buffer out, path) except -1:
    """Write a record's fields, the first of which is operation `i`; give the operation after the last.

    Records directly inside the channel's have no operation of their own, those below an array, map or union have one.
    """
    if not isinstance(value, Mapping):
        raise unexpected(path, "a mapping of fields", value)
    for field in type_.fields:
        below = f"{path}.{field.name}" if path else field.name
        item = field_value(field, value, below)
        if field.type.kind == "record" and not below_op:
            i = put_record(plan, i, field.type, item, False, out, below)
        else:
            put_value(plan, i, item, out, below)
            i = plan.c.ops[i].next
    return i


def field_value(field, record, path):
    """Give a record's value of a field, or what stands for it where it is missing."""
    if field.name in record:
        return record[field.name]
    if "default" in field.attributes:
        return from_json(field.type, field.attributes["default"])
    if field.type.kind == "null" or "null" in [branch.kind for branch in field.type.inner]:
        return None
    raise RecordError(f"field {path!r}: missing, and the schema has no default for it")


def from_json(type_, default):
    """Give the value that a default stands for: in JSON, bytes are text of code points 0 to 255."""
    if type_.kind == "union":
        type_ = type_.without_null()[0]
    if type_.kind in ("bytes", "fixed") and isinstance(default, str):
        return default.encode("latin-1", "replace")
    if type_.kind == "array":
        return [from_json(type_.inner[0], item) for item in default]
    if type_.kind == "map" and isinstance(default, dict):
        return {key: from_json(type_.inner[0], item) for key, item in default.items()}
    if type_.kind == "record" and isinstance(default, dict):
        return {field.name: from_json(field.type, default[field.name]) for field in type_.fields if field.name in default}
    return default


cdef int put_union(Plan plan, uint32_t i, value, Buffer out, path) except -1:
    """Write a union. (name, value) says the branch; else it is the one that fastavro would choose."""
    type_ = plan.types[i]
    names = [branch.name or branch.kind for branch in type_.inner]
    if isinstance(value, tuple) and len(value) == 2 and value[0] in names:
        return put_branch(plan, i, names.index(value[0]), value[1], out, path)
    _, null = type_.without_null()
    if null is not None:
        return put_branch(plan, i, null if value is None else 1 - null, value, out, path)
    best, most = -1, -1
    for index, branch in enumerate(type_.inner):
        if not branch_takes(plan, i, index, value, out, path):
            continue
        if branch.kind != "record":
            best = index
            if branch.kind == "float" and "double" in names[index:]:  # which loses nothing
                best = names.index("double")
            break
        shared = len([field for field in branch.fields if field.name in value])
        if shared > most:
            best, most = index, shared
    if best < 0:
        raise unexpected(path, "one of " + ", ".join(names), value)
    return put_branch(plan, i, best, value, out, path)


cdef bint branch_takes(Plan plan, uint32_t i, uint32_t index, value, Buffer out, path) except -1:
    cdef size_t length = out.length
    try:
        put_branch(plan, i, index, value, out, path)
    except RecordError:
        return False
    finally:
        out.length = length
    return True


cdef int put_branch(Plan plan, uint32_t i, uint32_t index, value, Buffer out, path) except -1:
    out.add_long(index)
    i += 1
    while index > 0:
        i = plan.c.ops[i].next
        index -= 1
    return put_value(plan, i, value, out, path)
