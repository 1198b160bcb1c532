# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because lists are indexed below their length alone, which is looked at before, and bytes go where `reserve` made room.
"""Rows and columns as JSON has them, encoded as records of a channel; every wrong value is told, not the first alone."""

from cpython.bool cimport PyBool_Check
from cpython.dict cimport PyDict_GetItemWithError
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_GET_ITEM
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact
from libc.math cimport fabs, isfinite, trunc
from libc.stdint cimport INT32_MAX, INT32_MIN, int64_t, uint8_t
from libc.string cimport memcpy

from speeddata.iso_text cimport iso_ns
from speeddata.json_slot cimport Slot, add_slots
from speeddata.pack cimport Buffer, put_value
from speeddata.plan cimport (
    KIND_BOOLEAN, KIND_DOUBLE, KIND_ENUM, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_RECORD, KIND_STRING, KIND_UNION, NO_BRANCH,
    UNIT_MS, UNIT_NS, UNIT_S, UNIT_UNKNOWN, UNIT_US, Number, Plan, TimeUnit, guess_unit,
)
from speeddata.plan cimport time_ns as number_ns
from speeddata.wire cimport MAX_VARINT, put_double, put_float, put_long

from speeddata.errors import RecordError, TimeError
from speeddata.plan import TIME_UNITS
from speeddata.times import parse_time
from speeddata.values_json import plain

__all__ = ["MAX_ERRORS", "Encoded", "RowEncoder"]

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

MAX_ERRORS = 100  # that are told one by one
NOT_A_ROW = "an object with a value for each signal"

cdef double EXACT_REAL = <double>(1 << 53)  # up to where a double holds every whole number


cdef class Encoded:
    """Records, what is wrong with the rows they were to be made of, and how new they are."""

    cdef readonly bytes data       # empty where anything is wrong
    cdef readonly int64_t count    # records
    cdef readonly object newest_ns # the newest time; None without one
    cdef readonly list errors      # (row or None, field, value, expected), the first MAX_ERRORS
    cdef readonly int64_t wrong    # rows in which something is wrong


cdef class RowEncoder:
    """Encodes rows of one channel; it keeps nothing of them, so that threads may share it."""

    cdef Plan plan
    cdef list tops               # fields of the record
    cdef list leaves             # signals, in the order of the bytes
    cdef set known               # what keys a row may have
    cdef TimeUnit stored         # unit of the time field
    cdef TimeUnit given          # unit of the times that come as numbers
    cdef bint ignore_unknown

    def __init__(self, Plan plan not None, stored=None, given=None, ignore_unknown=False):
        self.plan = plan
        self.stored = TIME_UNITS[stored] if stored else UNIT_UNKNOWN
        self.given = TIME_UNITS[given] if given else self.stored
        self.ignore_unknown = ignore_unknown
        unit = next((name for name, number in TIME_UNITS.items() if number == self.given), "")
        self.leaves = []
        self.tops = add_slots(plan, plan.schema.record, "", unit, self.leaves)
        self.known = {(<Slot>slot).name for slot in self.tops} | {(<Slot>slot).path for slot in self.leaves}

    def rows(self, list rows not None, beside=None):
        """Encode objects that have a value for each signal; the key `beside` is none of them."""
        cdef _Run run = _Run(self)
        cdef int64_t at
        cdef size_t start
        for at in range(len(rows)):
            start = run.out.length
            run.begin(at)
            run.put_row(rows[at], beside)
            if run.bad:
                run.out.length = start
        return run.end(len(rows))

    def columns(self, dict columns not None, int64_t count):
        """Encode columns, lists of `count` values each, by the names of the signals."""
        cdef _Run run = _Run(self)
        cdef Slot slot
        cdef int64_t at
        cdef size_t start
        cdef list lists = [columns.get((<Slot>slot).path) for slot in self.leaves]
        for name, column in columns.items():
            if column is not None and len(column) != count:
                raise ValueError(f"column {name!r} has {len(column)} values, not {count}")
        run.check_columns(columns, lists)
        if run.errors:
            run.wrong = max(count, 1)
            return run.end(count)
        for at in range(count):
            start = run.out.length
            run.begin(at)
            run.put_columns(lists, at)
            if run.bad:
                run.out.length = start
        return run.end(count)


cdef class _Run:
    """One batch being encoded."""

    cdef RowEncoder made_by
    cdef Plan plan
    cdef Buffer out
    cdef list errors
    cdef int64_t wrong    # rows
    cdef int64_t row
    cdef bint bad         # something is wrong with this row
    cdef int64_t newest
    cdef bint timed       # `newest` tells

    def __cinit__(self, RowEncoder made_by):
        self.made_by = made_by
        self.plan = made_by.plan
        self.out = Buffer()
        self.errors = []

    cdef int begin(self, int64_t row) except -1:
        self.row = row
        self.bad = False
        return 0

    cdef Encoded end(self, int64_t count):
        cdef Encoded made = Encoded()
        made.count = count
        made.errors = self.errors
        made.wrong = self.wrong
        made.data = b""
        if not self.wrong and self.out.length:
            made.data = (<const char*>self.out.data)[:self.out.length]
        made.newest_ns = self.newest if self.timed else None
        return made

    cdef int fail(self, row, str path, value, str wanted) except -1:
        if not self.bad:
            self.wrong += 1
        self.bad = True
        if len(self.errors) < MAX_ERRORS:
            self.errors.append((row, path, value, wanted))
        return 0

    cdef int put_row(self, row, beside) except -1:
        cdef int64_t found
        if type(row) is not dict:
            return self.fail(self.row, "", row, NOT_A_ROW)
        found = self.put_fields(self.made_by.tops, <dict>row, <dict>row)
        if beside is not None and beside in <dict>row:
            found += 1
        if found != len(<dict>row) and not self.made_by.ignore_unknown:
            self.find_unknown(<dict>row, beside)
        return 0

    cdef int64_t put_fields(self, list slots, dict record, dict row) except -1:
        """Write the fields of a record; give how many keys of the whole row were found."""
        cdef int64_t found = 0, inner
        cdef PyObject* item
        cdef Slot slot
        for slot in slots:
            item = PyDict_GetItemWithError(record, slot.name) if record is not None else NULL
            if slot.kind == KIND_RECORD:
                found += self.put_record(slot, item, record is row, row)
                continue
            if item != NULL:
                found += record is row
                self.put_cell(slot, <object>item)
                continue
            if record is not row:
                item = PyDict_GetItemWithError(row, slot.path)
                if item != NULL:
                    found += 1
                    self.put_cell(slot, <object>item)
                    continue
            self.put_missing(slot)
        return found

    cdef int64_t put_record(self, Slot slot, PyObject* item, bint top, dict row) except -1:
        """Write a nested record: an object, or dotted keys of the row."""
        cdef dict inner = None
        if item != NULL and type(<object>item) is not dict:
            self.fail(self.row, slot.path, <object>item, slot.wanted)
            return top
        if item != NULL:
            inner = <dict><object>item
            if not self.made_by.ignore_unknown:
                self.find_unknown_below(slot, inner)
        return self.put_fields(slot.below, inner, row) + (top and item != NULL)

    cdef int find_unknown_below(self, Slot slot, dict inner) except -1:
        names = [(<Slot>below).name for below in slot.below]
        for key in inner:
            if key not in names:
                self.fail(self.row, f"{slot.path}.{key}", inner[key], f"one of its fields: {', '.join(names)}")
        return 0

    cdef int find_unknown(self, dict row, beside) except -1:
        for key in row:
            if key not in self.made_by.known and key != beside:
                self.fail(self.row, key if isinstance(key, str) else repr(key), row[key], self.signals())
        return 0

    cdef str signals(self):
        names = [(<Slot>slot).path for slot in self.made_by.leaves]
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        return f"one of the channel's signals: {shown}"

    cdef int check_columns(self, dict columns, list lists) except -1:
        cdef Slot slot
        if not self.made_by.ignore_unknown:
            paths = {(<Slot>leaf).path for leaf in self.made_by.leaves}
            for name in columns:
                if name not in paths:
                    self.fail(None, name, None, self.signals())
        for slot, column in zip(self.made_by.leaves, lists):
            if column is None and slot.missing is None:
                self.fail(None, slot.path, None, f"a column, {slot.wanted} in each row")
        return 0

    cdef int put_columns(self, list lists, int64_t at) except -1:
        cdef Py_ssize_t i = 0
        cdef Slot slot
        for slot in self.made_by.leaves:
            column = <object>PyList_GET_ITEM(lists, i)
            i += 1
            if column is None:
                self.put_missing(slot)
            else:
                self.put_cell(slot, <object>PyList_GET_ITEM(column, at))
        return 0

    cdef int put_missing(self, Slot slot) except -1:
        if slot.missing is None:
            return self.fail(self.row, slot.path, None, slot.wanted)
        return self.out.add_bytes(slot.missing)

    cdef int put_cell(self, Slot slot, value) except -1:
        if slot.kind == KIND_UNION:
            return self.put_other(slot, value)
        if value is None:
            if slot.null_branch == NO_BRANCH:
                return self.fail(self.row, slot.path, None, slot.wanted)
            return self.out.add_long(slot.null_branch)
        if slot.null_branch != NO_BRANCH:
            self.out.add_long(1 - slot.null_branch)
        if not (self.put_time(slot, value) if slot.is_time else self.put_plain(slot, value)):
            return self.fail(self.row, slot.path, value, slot.wanted)
        return 0

    cdef bint put_plain(self, Slot slot, value) except -1:
        """Write a value that is not null; False when the field cannot hold it."""
        cdef Number number
        if slot.kind == KIND_STRING:
            return self.put_text(value)
        if slot.kind == KIND_BOOLEAN:
            if not PyBool_Check(value):
                return False
            self.out.reserve(1)[0] = value is True
            self.out.length += 1
            return True
        if slot.kind == KIND_ENUM:
            symbol = slot.symbols.get(value) if PyUnicode_CheckExact(value) else None
            if symbol is not None:
                self.out.add_long(symbol)
            return symbol is not None
        return as_number(value, &number) and self.put_number(slot, &number)

    cdef bint put_number(self, Slot slot, const Number* number) except -1:
        cdef uint8_t* p = self.out.reserve(MAX_VARINT)
        cdef double real = number.real if number.is_real else <double>number.whole
        cdef int64_t whole = number.whole
        if slot.kind == KIND_DOUBLE:
            self.out.length += put_double(p, real) - p
            return True
        if slot.kind == KIND_FLOAT:
            if isfinite(real) and not isfinite(<float>real):
                return False
            self.out.length += put_float(p, <float>real) - p
            return True
        if number.is_real:
            # JSON knows one kind of number: 1.0 is as whole as 1.
            if not fabs(real) <= EXACT_REAL or real != trunc(real):
                return False
            whole = <int64_t>real
        if slot.kind == KIND_INT and not INT32_MIN <= whole <= INT32_MAX:
            return False
        self.out.length += put_long(p, whole) - p
        return True

    cdef bint put_text(self, value) except -1:
        cdef Py_ssize_t size = 0
        cdef const char* text
        if not PyUnicode_CheckExact(value):
            return False
        try:
            text = PyUnicode_AsUTF8AndSize(value, &size)
        except UnicodeEncodeError:  # a lone surrogate
            return False
        cdef uint8_t* p = self.out.reserve(MAX_VARINT + size)
        cdef uint8_t* end = put_long(p, size)
        memcpy(end, text, size)
        self.out.length += end + size - p
        return True

    cdef int put_other(self, Slot slot, value) except -1:
        cdef size_t start = self.out.length
        try:
            put_value(self.plan, slot.first, plain(slot.type, value), self.out, slot.path)
        except RecordError:
            self.out.length = start
            return self.fail(self.row, slot.path, value, slot.wanted)
        return 0

    cdef bint put_time(self, Slot slot, value) except -1:
        """Write a time, a number or ISO 8601; False when it is none, or cannot be right."""
        cdef Number number
        cdef int64_t ns = 0
        cdef TimeUnit unit = self.made_by.given
        if PyUnicode_CheckExact(value):
            return read_time(value, &ns) and self.put_ns(slot, ns)
        if not as_number(value, &number):
            return False
        if unit == UNIT_UNKNOWN:
            unit = guess_unit(&number)
        if not number_ns(&number, unit, &ns):
            return False
        if self.made_by.given != self.made_by.stored:
            return self.put_ns(slot, ns)
        self.note(ns)
        return self.put_number(slot, &number)

    cdef int note(self, int64_t ns) except -1:
        if not self.timed or ns > self.newest:
            self.newest = ns
        self.timed = True
        return 0

    cdef bint put_ns(self, Slot slot, int64_t ns) except -1:
        """Write a time in the unit of the field. Where that is not known yet, in one whose magnitude tells it."""
        cdef Number number
        cdef TimeUnit unit = self.made_by.stored
        cdef int64_t scale, whole
        if unit == UNIT_UNKNOWN:
            unit = UNIT_NS if slot.kind == KIND_LONG else UNIT_S
        scale = 1000000000 if unit == UNIT_S else 1000000 if unit == UNIT_MS else 1000 if unit == UNIT_US else 1
        whole = ns // scale  # rounded down, as Python does
        self.note(ns)
        number.is_null = False
        number.is_real = slot.kind == KIND_FLOAT or slot.kind == KIND_DOUBLE
        number.whole = whole
        number.real = <double>whole + <double>(ns - whole * scale) / <double>scale
        return self.put_number(slot, &number)


cdef bint as_number(value, Number* out) except -1:
    """Take a number of JSON; False for anything else, and for whole numbers that int64 cannot hold."""
    cdef int overflow = 0
    out.is_null = False
    if PyFloat_CheckExact(value):
        out.is_real = True
        out.real = PyFloat_AS_DOUBLE(value)
        return True
    if not PyLong_CheckExact(value):
        return False
    out.is_real = False
    out.whole = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow > 0:
        try:
            out.real = <double>value
        except OverflowError:
            return False
        out.is_real = True
    return overflow >= 0


cdef bint read_time(value, int64_t* ns) except -1:
    cdef Py_ssize_t size = 0
    cdef const char* text
    try:
        text = PyUnicode_AsUTF8AndSize(value, &size)
        if iso_ns(<const uint8_t*>text, size, ns):
            return True
        ns[0] = parse_time(value)
    except (UnicodeEncodeError, TimeError):
        return False
    return True
