# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Records validated, their times found, and cut into blocks at the borders of records (see ingest_records.pxd)."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from speeddata.plan cimport REASON_OK, UNIT_UNKNOWN, CPlan, Plan, Reason, TimeUnit, Walk, walk_record
from speeddata.span cimport Span, add_time, begin_span

from speeddata.errors import RecordError
from speeddata.plan import MEANINGS, REASONS

# How far the walk of a piece came.
cdef struct Progress:
    uint64_t row             # records that are right
    uint64_t bad_time
    uint64_t at              # bytes
    uint32_t cuts


cdef void close_cut(Cut *cut, const Span *span, uint64_t end) noexcept nogil:
    cut.length, cut.count, cut.flags = <uint32_t>(end - cut.at), span.count, span.flags
    cut.first_ns, cut.min_ns, cut.max_ns = span.first, span.low, span.high


cdef Reason walk(const CPlan *plan, const uint8_t *data, uint64_t length, uint64_t block_bytes, TimeUnit *unit,
                 int64_t arrival, Cut *cuts, Progress *out) noexcept nogil:
    """Walk the records that fill the piece; `cuts` has room for two per `block_bytes`, and two more."""
    cdef const uint8_t *p = data
    cdef const uint8_t *end = data + length
    cdef Reason reason
    cdef Span span
    cdef Walk found
    out.row = out.bad_time = out.at = out.cuts = 0
    begin_span(&span)
    cuts[0].at = 0
    found.time.is_null = True
    while p < end:
        reason = walk_record(plan, p, end, &found)
        if reason != REASON_OK:
            out.at = <uint64_t>(found.end - data)
            return reason
        if span.count and <uint64_t>(found.end - data) - cuts[out.cuts].at > block_bytes:
            # Two blocks that follow each other hold more than `block_bytes`: so there is room for the next.
            close_cut(&cuts[out.cuts], &span, <uint64_t>(p - data))
            out.cuts += 1
            cuts[out.cuts].at = <uint64_t>(p - data)
            begin_span(&span)
        out.bad_time += not add_time(&span, &found.time, unit, arrival)
        out.row += 1
        p = found.end
    if span.count:
        close_cut(&cuts[out.cuts], &span, length)
        out.cuts += 1
    return REASON_OK


cdef class Records:
    def __cinit__(self, Plan plan not None, data, uint64_t start, uint64_t length, uint64_t block_bytes, int unit,
                  int64_t arrival_ns):
        cdef Progress found
        cdef Reason reason
        cdef TimeUnit known = <TimeUnit>unit
        PyObject_GetBuffer(data, &self.buffer, PyBUF_SIMPLE)
        if start + length > <uint64_t>self.buffer.len or block_bytes == 0:
            raise IndexError("the piece is outside the buffer")
        self.plan, self.arrival_ns, self.length = plan, arrival_ns, length
        self.data = <const uint8_t *>self.buffer.buf + start
        self.cuts = <Cut *>malloc((2 * (length // block_bytes) + 2) * sizeof(Cut))
        if self.cuts == NULL:
            raise MemoryError
        with nogil:
            reason = walk(&plan.c, self.data, length, block_bytes, &known, arrival_ns, self.cuts, &found)
            if unit == UNIT_UNKNOWN and known != UNIT_UNKNOWN and found.bad_time and reason == REASON_OK:
                # What came before the record that told the unit has times in it, too.
                reason = walk(&plan.c, self.data, length, block_bytes, &known, arrival_ns, self.cuts, &found)
        if reason != REASON_OK:
            refuse(reason, found)
        self.cut_count, self.count, self.bad_time, self.time_unit = found.cuts, found.row, found.bad_time, known

    def __dealloc__(self):
        free(self.cuts)
        PyBuffer_Release(&self.buffer)

    @property
    def unit(self):
        return <int>self.time_unit

    @property
    def size(self):
        return self.length

    def blocks(self):
        cdef uint32_t i
        return [(self.cuts[i].at, self.cuts[i].length, self.cuts[i].count) for i in range(self.cut_count)]


cdef int refuse(Reason reason, Progress found) except -1:
    name = REASONS[<int>reason]
    error = RecordError(f"row {found.row} is refused at byte {found.at}, {name}: {MEANINGS[name]}", name)
    error.row = found.row
    raise error
