# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# Safe because the text is followed by a line end and zeros, at which every reader stops, and room is made for each record.
"""Lines of CSV read at the speed of memory: checked, or made to records in Avro's binary form.

A line that is not as the layout says is given to the caller, who reads it more patiently and adds its fields by `add`.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memset
from posix.unistd cimport pread

cdef extern from "crc32c.h":
    void crc32c_init() nogil
    uint32_t crc32c(uint32_t crc, const void* p, size_t n) nogil

from speeddata.csv_number cimport *
from speeddata.csv_rows cimport *
from speeddata.csv_setup cimport *
from speeddata.csv_time cimport *
from speeddata.csv_values cimport *
from speeddata.plan cimport NO_BRANCH, REASON_OK
from speeddata.wire cimport check_utf8

from speeddata.csv_layout import Layout

__all__ = ["MAX_KEYS", "MAX_LINE", "Scan"]

cdef enum:
    LINE = 65536   # bytes of a line
    KEYS = 10000   # values of the column that names channels
    TABLE = 32768  # places of their hash table

MAX_LINE, MAX_KEYS = LINE, KEYS
crc32c_init()


cdef class Scan:
    """Reads ranges of a file by a layout. With `encode` it makes records, without it looks at them only."""

    cdef readonly object layout
    cdef readonly int64_t rows, lines, blanks, backward, equal
    cdef readonly int64_t first_ns, last_ns, lowest_ns, highest_ns
    cdef readonly int finest          # unit that holds all times: 0 s, 1 ms, 2 us, 3 ns
    cdef readonly bint finer          # times were rounded to ns
    cdef readonly list keys           # values of the column that names channels, as they are met
    cdef public int64_t number        # of the next line that has a time by its number
    cdef Field* fields
    cdef int32_t width, orders
    cdef int32_t* texts               # places of fields that are text
    cdef int32_t text_count, key      # key: place of the field that names channels, or -1
    cdef int32_t* order
    cdef int8_t* branches
    cdef Grammar grammar
    cdef Program[2] programs
    cdef Recall[2] recalls
    cdef Zone zone
    cdef Clockwork work
    cdef Out* outs
    cdef int32_t* table
    cdef bint encode, broken
    cdef int32_t place                # of the field that could not be taken
    cdef uint8_t* room
    cdef size_t size
    cdef const uint8_t* data
    cdef const uint8_t* at
    cdef const uint8_t* stop
    cdef const uint8_t* end
    cdef int64_t base                 # offset in the file of `data`
    cdef list events, folds, kept

    def __cinit__(self, layout, encode=False, keys=(), folds=()):
        assert isinstance(layout, Layout)
        self.layout, self.encode = layout, encode
        self.width, self.orders = len(layout.columns), len(layout.order)
        self.fields = <Field*>calloc(self.width + 1, sizeof(Field))
        self.texts = <int32_t*>calloc(self.width + 1, sizeof(int32_t))
        self.order = <int32_t*>calloc(self.orders + 1, sizeof(int32_t))
        self.branches = <int8_t*>calloc(self.orders + 1, sizeof(int8_t))
        self.outs = <Out*>calloc(KEYS, sizeof(Out))
        self.table = <int32_t*>calloc(TABLE, sizeof(int32_t))
        if not (self.fields and self.texts and self.order and self.branches and self.outs and self.table):
            raise MemoryError()
        self.keys, self.events, self.folds, self.kept = [], [], list(folds), []
        self.first_ns = self.highest_ns = INT64_MIN
        self.lowest_ns = INT64_MAX
        set_grammar(&self.grammar, layout)
        set_clockwork(&self.work, layout)
        for i, column in enumerate(layout.columns):
            self.fields[i].kind = int(column.kind)
            self.fields[i].null_branch = column.null_branch
            self.fields[i].key = column.is_key
        self.list_fields()
        for i, place in enumerate(layout.order):
            self.order[i] = place
            self.branches[i] = layout.null_branches[i] if layout.null_branches else NO_BRANCH
        for i, program in enumerate(layout.programs):
            set_program(&self.programs[i], program, layout)
        self.kept.append(set_zone(&self.zone, layout.spans))
        for key in keys:
            self.add_key(key)

    def __dealloc__(self):
        cdef int i
        if self.outs != NULL:
            for i in range(KEYS):
                free(self.outs[i].data)
        for pointer in (<size_t>self.outs, <size_t>self.fields, <size_t>self.texts, <size_t>self.order, <size_t>self.branches,
                        <size_t>self.table, <size_t>self.room):
            free(<void*><size_t>pointer)

    def load(self, int fd, int64_t start, int64_t stop, int64_t size):
        cdef int64_t want = min(size, stop + LINE) - start, got = 0, more = 1
        cdef uint8_t* data
        if self.size < <size_t>(want + 2 * SLACK):
            data = <uint8_t*>realloc(self.room, want + 2 * SLACK)
            if data == NULL:
                raise MemoryError()
            self.room, self.size = data, want + 2 * SLACK
        data = self.room + SLACK
        memset(self.room, 10, SLACK)
        with nogil:
            while got < want and more > 0:
                more = pread(fd, data + got, want - got, start + got)
                got += max(more, 0)
        if more < 0:
            raise OSError("the file cannot be read any more")
        data[got] = 10
        memset(data + got + 1, 0, SLACK - 1)
        self.base, self.data, self.at, self.end = start, data, data, data + got
        self.stop = data + min(stop - start, got)

    @property
    def position(self):
        return self.base + (self.at - self.data)

    def run(self):
        cdef Fault fault
        self.find_fold()
        with nogil:
            fault = self.go()
        self.kept_events()
        if self.broken:
            raise MemoryError()
        return None if fault == FAULT_NONE else (<int>fault, self.place)

    cdef Fault go(self) noexcept nogil:
        cdef const uint8_t* p
        cdef Fault fault
        while self.at < self.stop:
            p = self.at
            if p[0] == 10 or (p[0] == 13 and p[1] == 10):
                self.at = p + (1 if p[0] == 10 else 2)
                self.lines += 1
                self.blanks += 1
                continue
            fault = self.read_line(&p)
            if p - self.at > LINE:  # it may go on where the bytes that are loaded end
                fault = FAULT_SHAPE
            if fault == FAULT_NONE:
                fault = self.keep()
            if fault != FAULT_NONE or self.broken:
                return fault
            self.at = p
            self.lines += 1
            if self.work.event_count == MAX_EVENTS or self.work.next_fold <= self.base + (p - self.data):
                with gil:
                    self.kept_events()
                    self.find_fold()
        return FAULT_NONE

    cdef Fault read_line(self, const uint8_t** at) noexcept nogil:
        cdef const uint8_t* p = at[0]
        cdef int32_t i
        cdef Fault fault
        for i in range(self.width):
            self.place = i
            if i > 0:
                if p[0] != self.grammar.delimiter:
                    return FAULT_SHAPE
                p += 1
            fault = read_field(&self.grammar, &self.fields[i], self.programs, self.recalls, &p)
            if fault != FAULT_NONE:
                return fault
        if p[0] == 13:
            p += 1
        if p[0] != 10:
            return FAULT_SHAPE
        at[0] = p + 1
        return FAULT_NONE

    cdef Fault keep(self) noexcept nogil:
        """Take the fields that were read as a row."""
        cdef Moment time
        cdef int32_t i, j, out = 0
        cdef int64_t ns, texts = 0
        cdef Fault fault
        for j in range(self.text_count):
            i = self.texts[j]
            if not self.fields[i].null:
                texts += self.fields[i].length
                if check_utf8(self.fields[i].text, self.fields[i].text + self.fields[i].length) != REASON_OK:
                    self.place = i
                    return FAULT_TEXT
        if self.key >= 0:
            self.place = self.key
            out = self.find_key(&self.fields[self.key])
            if out < 0:
                return FAULT_KEY
        fault = tell_time(&self.work, &self.zone, self.fields, self.number, self.base + (self.at - self.data), &time, &self.place)
        if fault != FAULT_NONE:
            return fault
        if self.encode:
            if not put_row(&self.outs[out], &self.work, self.fields, self.order, self.branches, self.orders, &time, texts, &self.place):
                self.broken = True
                return FAULT_NONE
            if self.place < 0:
                self.place = -1 - self.place
                return FAULT_NULL
        else:
            for i in range(self.width):
                self.fields[i].nulls += self.fields[i].null
            ns = time.second * 1000000000 + time.fraction
            self.finest = max(self.finest, unit_of(time.fraction))
            self.finer = self.finer or time.finer
            if self.first_ns == INT64_MIN:
                self.first_ns = ns
            else:
                self.backward += ns < self.last_ns
                self.equal += ns == self.last_ns
            self.last_ns = ns
            self.lowest_ns, self.highest_ns = min(self.lowest_ns, ns), max(self.highest_ns, ns)
        self.outs[out].rows += 1
        self.rows += 1
        self.number += 1
        return FAULT_NONE

    cdef int32_t find_key(self, const Field* field) noexcept nogil:
        """The number of a key; -1: a new one."""
        cdef uint64_t place = hash_of(field.text, field.length) % TABLE
        cdef int32_t i
        while self.table[place]:
            i = self.table[place] - 1
            if self.outs[i].key_length == field.length and memcmp(self.outs[i].key, field.text, field.length) == 0:
                return i
            place = (place + 1) % TABLE
        return -1

    def add_key(self, bytes key not None):
        cdef uint64_t place = hash_of(key, len(key)) % TABLE
        if len(self.keys) == KEYS:
            raise OverflowError(f"over {KEYS} channels")
        while self.table[place]:
            place = (place + 1) % TABLE
        self.outs[len(self.keys)].key = key
        self.outs[len(self.keys)].key_length = len(key)
        self.keys.append(key)
        self.table[place] = len(self.keys)

    def line(self):
        cdef const uint8_t* p = line_end(&self.grammar, self.at, self.end, LINE)
        return None if p == NULL else (<const char*>self.at)[:min(p, self.end) - self.at]

    def crc(self, uint32_t crc):
        cdef size_t length = self.at - self.data
        with nogil:
            crc = crc32c(crc, self.data, length)
        return crc

    def skip(self, int64_t length, int64_t lines):
        self.at += min(length, self.end - self.at)
        self.lines += lines

    def jump(self, int64_t offset, int64_t lines):
        self.at = self.data + min(offset - self.base, self.end - self.data)
        self.base = offset - (self.at - self.data)
        self.stop = min(self.stop, self.at)
        self.lines += lines

    def add(self, list fields not None):
        cdef Fault fault = FAULT_SHAPE
        cdef int32_t i
        cdef const uint8_t* p
        padded = [b"\n" * SLACK + field + b"\n" + bytes(SLACK) for field in fields]
        self.place = 0
        if len(fields) != self.width:
            return <int>FAULT_SHAPE, 0
        self.find_fold()
        for i in range(self.width):
            self.place = i
            p = <const uint8_t*><const char*>padded[i] + SLACK
            fault = take_field(&self.grammar, &self.fields[i], self.programs, self.recalls, p, len(fields[i]))
            if fault != FAULT_NONE:
                return <int>fault, i
        fault = self.keep()
        self.kept_events()
        if self.broken:
            raise MemoryError()
        return None if fault == FAULT_NONE else (<int>fault, self.place)

    def set_kind(self, int place, int kind):
        self.fields[place].kind = kind
        self.list_fields()

    cdef int list_fields(self) except -1:
        """Note where the fields are that need more than being read."""
        cdef int32_t i
        self.text_count = self.work.time_count = 0
        self.key = -1
        for i in range(self.width):
            if self.fields[i].kind == FIELD_TEXT:
                self.texts[self.text_count] = i
                self.text_count += 1
            if self.fields[i].key:
                self.key = i
            if FIELD_TIME <= self.fields[i].kind <= FIELD_EPOCH and self.work.time_count < 3:
                self.work.times[self.work.time_count] = i
                self.work.time_count += 1
        return 0

    def kinds(self):
        return [self.fields[i].kind for i in range(self.width)]

    def nulls(self):
        return [self.fields[i].nulls for i in range(self.width)]

    def largest(self):
        return self.recalls[0].day, self.recalls[0].month

    def counts(self):
        return [self.outs[i].rows for i in range(max(1, len(self.keys)))]

    @property
    def made(self):
        cdef size_t size = 0
        for i in range(max(1, len(self.keys))):
            size += self.outs[i].length
        return size

    def take(self):
        cdef Out* out
        made = []
        for i in range(max(1, len(self.keys))):
            out = &self.outs[i]
            if out.rows:
                made.append((i, out.rows, (<const char*>out.data)[:out.length] if self.encode else b""))
            out.rows = out.length = 0
        return made

    def take_events(self):
        events, self.events = self.events, []
        return events, (self.work.local, self.work.span) if self.work.began else None

    cdef int kept_events(self) except -1:
        cdef int i
        for i in range(self.work.event_count):
            event = &self.work.events[i]
            self.events.append((event.offset, event.local, event.span, event.kind))
        self.work.event_count = 0
        return 0

    cdef int find_fold(self) except -1:
        """Whether an hour that comes twice is its first or second time, from this line on."""
        cdef int64_t here = self.base + (self.at - self.data)
        self.work.next_fold = INT64_MAX
        for offset, fold in self.folds:
            if offset > here:
                self.work.next_fold = offset
                break
            self.work.fold = fold
        return 0
