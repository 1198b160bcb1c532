# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Container blocks in a buffer: their framing, checksums, index entries and times.

What the relay's repair and every reader share, so there is no numpy and no file here. A block is two varints (records,
bytes of data), the data, and the sync marker. Its index entry is 64 bytes, little-endian; speeddata.index tells them.
Each read below is behind a comparison with the end of the buffer it reads from.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from speeddata.plan cimport (
    REASON_OK, REASON_SHORT, UNIT_MS, UNIT_NS, UNIT_S, UNIT_UNKNOWN, UNIT_US,
    CPlan, Plan, Reason, TimeUnit, Walk, walk_record,
)
from speeddata.span cimport Span, add_time, begin_span
from speeddata.wire cimport read_long

cdef extern from "crc32c.h" nogil:
    void crc32c_init()
    uint32_t crc_32c "crc32c"(uint32_t crc, const void* data, size_t size)
    uint32_t crc32c_by_tables(uint32_t crc, const void* data, size_t size)

cdef enum:
    ENTRY = 64        # bytes of an index entry
    CHECKED = 56      # bytes of it that its check covers
    SYNC = 16
    WHOLE = 0         # states of a frame: as it should be,
    CUT = 1           # going on behind the end of the buffer,
    BAD = 2           # not a block

ENTRY_SIZE = ENTRY
UNITS = {"s": UNIT_S, "ms": UNIT_MS, "us": UNIT_US, "ns": UNIT_NS}

crc32c_init()


cdef struct Frame:
    uint64_t count
    uint64_t head     # bytes before the data
    uint64_t data     # bytes of data
    uint64_t size     # bytes of the whole block; when it is CUT, those it is known to need


def crc32c(const uint8_t[::1] data not None, uint32_t crc=0, bint by_tables=False):
    """CRC-32C of `data`, going on from `crc`; by the processor where it can, unless `by_tables`."""
    if not data.shape[0]:
        return crc
    return crc32c_by_tables(crc, &data[0], data.shape[0]) if by_tables else crc_32c(crc, &data[0], data.shape[0])


cdef uint64_t get(const uint8_t* p, int size) noexcept nogil:
    cdef uint64_t value = 0
    cdef int i
    for i in range(size):
        value |= <uint64_t>p[i] << (8 * i)
    return value


cdef void put(uint8_t* p, uint64_t value, int size) noexcept nogil:
    cdef int i
    for i in range(size):
        p[i] = <uint8_t>(value >> (8 * i))


cdef int read_frame(const uint8_t* p, const uint8_t* end, const uint8_t* sync, Frame* out) noexcept nogil:
    """The frame at `p`. No block of ours reaches 2^31 records or bytes."""
    cdef const uint8_t* at = p
    cdef int64_t count = 0, length = 0
    cdef Reason reason = read_long(&at, end, &count)
    if reason == REASON_OK:
        reason = read_long(&at, end, &length)
    out.size = 2 + SYNC
    if reason != REASON_OK:
        return CUT if reason == REASON_SHORT else BAD
    if count < 0 or length < 0 or count >> 31 or length >> 31 or (count > 0) != (length > 0):
        return BAD
    out.count = count
    out.data = length
    out.head = at - p
    out.size = out.head + out.data + SYNC
    if out.size > <uint64_t>(end - p):
        return CUT
    return WHOLE if memcmp(at + out.data, sync, SYNC) == 0 else BAD


cdef bint span_of(const CPlan* plan, const uint8_t* p, const uint8_t* end, uint64_t count, TimeUnit* unit,
                  int64_t arrival, Span* out) noexcept nogil:
    """Walk the `count` records that fill [p, end) exactly, and find their times; False when they do not."""
    cdef Walk walk
    cdef uint64_t i
    begin_span(out)
    walk.time.is_null = True  # and stays so in a plan without time
    for i in range(count):
        if walk_record(plan, p, end, &walk) != REASON_OK:
            return False
        p = walk.end
        add_time(out, &walk.time, unit, arrival)
    return p == end


cdef void put_entry(uint8_t* out, uint64_t offset, const Frame* frame, const Span* span, int64_t arrival,
                    uint32_t crc) noexcept nogil:
    put(out, offset, 8)
    put(out + 8, frame.size, 4)
    put(out + 12, frame.count, 4)
    put(out + 16, <uint64_t>span.first, 8)
    put(out + 24, <uint64_t>span.low, 8)
    put(out + 32, <uint64_t>span.high, 8)
    put(out + 40, <uint64_t>arrival, 8)
    put(out + 48, span.flags, 4)
    put(out + 52, crc, 4)
    put(out + 56, crc_32c(0, out, CHECKED), 4)
    put(out + 60, 0, 4)


def cover(const uint8_t[::1] entries not None, uint64_t first, uint64_t size):
    """Of an index, the entries that hold within a segment whose blocks lie in [first, size), and the holes they leave.

    An entry whose check fails, that reaches beyond `size` or that overlaps the one before does not exist.
    """
    cdef const uint8_t* entry
    cdef uint64_t offset, length, at = first
    cdef Py_ssize_t i
    kept = bytearray()
    holes = []
    for i in range(entries.shape[0] // ENTRY):
        entry = &entries[i * ENTRY]
        offset = get(entry, 8)
        length = get(entry + 8, 4)
        if get(entry + 56, 4) != crc_32c(0, entry, CHECKED) or offset < at or offset > size:
            continue
        if length > size - offset or length < 2 + SYNC:
            continue
        if offset > at:
            holes.append((at, offset))
        kept += entry[:ENTRY]
        at = offset + length
    if at < size:
        holes.append((at, size))
    return bytes(kept), holes


def gather(const uint8_t[::1] data not None, uint64_t base, const uint8_t[::1] entries not None, bytes sync not None):
    """The contents, back to back, of the blocks that `entries` place in `data` (which begins at `base` in the segment).

    Gives them with the places in `entries` of blocks that are damaged, and so left out.
    """
    cdef Frame frame
    cdef const uint8_t* entry
    cdef const uint8_t* block
    cdef uint64_t offset, length, total = 0
    cdef Py_ssize_t i, n = entries.shape[0] // ENTRY
    if len(sync) != SYNC:
        raise ValueError("a sync marker has 16 bytes")
    cdef const uint8_t* marker = <const uint8_t*>PyBytes_AS_STRING(sync)
    out = PyBytes_FromStringAndSize(NULL, data.shape[0])
    cdef uint8_t* to = <uint8_t*>PyBytes_AS_STRING(out)
    marks = bytearray(n)  # 1 for each that is damaged
    cdef uint8_t* mark = <uint8_t*>PyByteArray_AS_STRING(marks)
    with nogil:
        for i in range(n):
            entry = &entries[i * ENTRY]
            offset = get(entry, 8)
            length = get(entry + 8, 4)
            if offset < base or offset - base > <uint64_t>data.shape[0] or length > data.shape[0] - (offset - base):
                mark[i] = 1
                continue
            block = &data[0] + (offset - base)
            if (crc_32c(0, block, length) != get(entry + 52, 4)
                    or read_frame(block, block + length, marker, &frame) != WHOLE
                    or frame.size != length or frame.count != get(entry + 12, 4)
                    or total + frame.data > <uint64_t>data.shape[0]):
                mark[i] = 1
                continue
            memcpy(to + total, block + frame.head, frame.data)
            total += frame.data
    return memoryview(out)[:total], [i for i in range(n) if marks[i]]


cdef class Scanner:
    """Finds whole blocks and makes their index entries: for an index that is lost, or a tail not yet in it.

    `unit` is the time's unit, or None until the first plausible record has told it. `arrival` is the receive time
    to assume. Without a plan (a compressed segment) blocks are framed only, their times are left at `arrival`.
    """

    cdef Plan plan
    cdef bytes sync
    cdef TimeUnit time_unit
    cdef public int64_t arrival

    def __init__(self, bytes sync not None, Plan plan, unit, int64_t arrival):
        if len(sync) != SYNC:
            raise ValueError("a sync marker has 16 bytes")
        self.sync = sync
        self.plan = plan
        self.time_unit = UNITS[unit] if unit is not None else UNIT_UNKNOWN
        self.arrival = arrival

    @property
    def unit(self):
        """The name of the time's unit; None while it is not known."""
        return {value: name for name, value in UNITS.items()}.get(self.time_unit)

    def scan(self, const uint8_t[::1] data not None, uint64_t offset):
        """Entries of the blocks that follow each other from the start of `data`, which begins at `offset`.

        Gives (entries, bytes they take, bytes wanted): wanted is 0 at the end of the data, the size of the next block
        (as far as known) when it is cut off, -1 when what comes next is not a block.
        """
        if not data.shape[0]:
            return b"", 0, 0
        cdef const uint8_t* start = &data[0]
        cdef const uint8_t* end = start + data.shape[0]
        cdef const uint8_t* p = start
        cdef const uint8_t* marker = <const uint8_t*>PyBytes_AS_STRING(self.sync)
        cdef Frame frame
        cdef Span span
        cdef uint8_t entry[ENTRY]
        cdef int state = WHOLE
        out = bytearray()
        while p < end:
            state = read_frame(p, end, marker, &frame)
            if state != WHOLE:
                break
            if frame.count:
                memset(&span, 0, sizeof(span))
                if self.plan is None:
                    span.first = span.low = span.high = self.arrival
                elif not span_of(&self.plan.c, p + frame.head, p + frame.head + frame.data, frame.count,
                                 &self.time_unit, self.arrival, &span):
                    state = BAD
                    break
                put_entry(entry, offset + (p - start), &frame, &span, self.arrival, crc_32c(0, p, frame.size))
                out += entry[:ENTRY]
            p += frame.size
        return bytes(out), p - start, -1 if state == BAD else <int64_t>frame.size if state == CUT else 0

    def times(self, const uint8_t[::1] entry not None, const uint8_t[::1] data not None, Plan plan not None):
        """The `entry` of a compressed block with the times of `data`, its content; None when that is not its records."""
        cdef Span span
        cdef Frame frame
        cdef uint8_t out[ENTRY]
        if entry.shape[0] != ENTRY or data.shape[0] == 0:
            return None
        frame.size = get(&entry[8], 4)
        frame.count = get(&entry[12], 4)
        if frame.count > <uint64_t>data.shape[0] or not span_of(&plan.c, &data[0], &data[0] + data.shape[0], frame.count,
                                                               &self.time_unit, self.arrival, &span):
            return None
        put_entry(out, get(&entry[0], 8), &frame, &span, self.arrival, <uint32_t>get(&entry[52], 4))
        return out[:ENTRY]
