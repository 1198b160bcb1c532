# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Aggregates over a bucket of records (see bucket.pxd)."""

from libc.math cimport NAN, isnan
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from speeddata.plan cimport (
    KIND_DOUBLE, KIND_FLOAT, KIND_NULL, REASON_OK, CPlan, Leaf, Number, Plan, put_number, walk_leaf,
)

from speeddata.errors import RecordError

cdef enum:
    NUMBER_BYTES = 11  # a union branch and a varint


AGGREGATES = {"minmax": AGGREGATE_MINMAX, "average": AGGREGATE_AVERAGE, "rms": AGGREGATE_RMS}

cdef extern from "<math.h>" nogil:
    wide sqrtl(wide x)


cdef int bucket_init(CBucket *b, const CPlan *plan, Aggregate aggregate, uint32_t capacity) noexcept nogil:
    b.plan, b.aggregate, b.last_capacity, b.last_length, b.count = plan, aggregate, capacity, 0, 0
    b.digests = <Digest *>calloc(plan.leaf_count, sizeof(Digest))
    b.last = <uint8_t *>malloc(capacity)
    return -1 if b.digests == NULL or b.last == NULL else 0


cdef void bucket_free(CBucket *b) noexcept nogil:
    free(b.digests)
    free(b.last)
    b.digests, b.last = NULL, NULL


cdef void bucket_clear(CBucket *b) noexcept nogil:
    memset(b.digests, 0, b.plan.leaf_count * sizeof(Digest))
    b.count = 0


cdef bint less(const Number *a, const Number *b) noexcept nogil:
    return a.real < b.real if a.is_real else a.whole < b.whole


cdef void digest(CBucket *b, Digest *d, const Number *value) noexcept nogil:
    """Bring in one number; null counts for nothing, and NaN is skipped where there are others."""
    cdef wide real
    if value.is_null:
        return
    if value.is_real and isnan(value.real):
        d.nan = True
        return
    if b.aggregate == AGGREGATE_MINMAX:
        if d.count == 0 or less(value, &d.low):
            d.low = value[0]
        if d.count == 0 or less(&d.high, value):
            d.high = value[0]
    elif b.aggregate == AGGREGATE_RMS:
        real = value.real if value.is_real else <wide>value.whole
        d.total += real * real
    elif value.is_real:
        d.total += value.real
    else:
        d.whole += value.whole
    d.count += 1


cdef int64_t round_quotient(int128 total, int64_t count) noexcept nogil:
    """total / count, half to even."""
    cdef int128 quotient = total // count
    cdef int128 twice
    if quotient * count > total:  # C divides towards zero; from here on the rest is not negative
        quotient -= 1
    twice = 2 * (total - quotient * count)
    if twice > count or (twice == count and quotient & 1):
        quotient += 1
    return <int64_t>quotient


cdef void summarize(const CBucket *b, const Digest *d, bint is_real, unsigned int number, Number *out) noexcept nogil:
    """What packet `number` of the bucket shows of a signal that had numbers."""
    out.is_null, out.is_real = False, True
    if b.aggregate == AGGREGATE_MINMAX:
        out[0] = d.high if number else d.low
    elif b.aggregate == AGGREGATE_RMS:
        out.real = <double>sqrtl(d.total / d.count)
    elif is_real:
        out.real = <double>(d.total / d.count)
    else:
        out.is_real = False
        out.whole = round_quotient(d.whole, <int64_t>d.count)


cdef bint bucket_add(CBucket *b, const uint8_t *record, uint32_t length) noexcept nogil:
    cdef const uint8_t *p = b.last
    cdef const uint8_t *start
    cdef uint32_t k
    cdef Number value
    if length > b.last_capacity:
        return False
    memcpy(b.last, record, length)
    b.last_length = length
    for k in range(b.plan.leaf_count):
        start = p
        if walk_leaf(b.plan, &b.plan.leaves[k], &p, b.last + length, &value) != REASON_OK:
            return False
        b.digests[k].offset, b.digests[k].length = <uint32_t>(start - b.last), <uint32_t>(p - start)
        if b.plan.leaves[k].number != KIND_NULL:
            digest(b, &b.digests[k], &value)
    b.count += 1
    return p == b.last + length


cdef uint32_t bucket_bound(const CBucket *b) noexcept nogil:
    return b.last_length + NUMBER_BYTES * b.plan.leaf_count


cdef unsigned int bucket_packets(const CBucket *b) noexcept nogil:
    return 2 if b.aggregate == AGGREGATE_MINMAX else 1


cdef uint32_t bucket_packet(const CBucket *b, unsigned int number, uint8_t *out) noexcept nogil:
    cdef const Digest *d
    cdef const Leaf *leaf
    cdef uint32_t length = 0
    cdef uint32_t k
    cdef Number value
    for k in range(b.plan.leaf_count):
        d, leaf = &b.digests[k], &b.plan.leaves[k]
        # Where all were null or NaN the last one is as good as any, but NaN wins over null.
        if d.count and <int>k != b.plan.time and <int>k != b.plan.sequence:
            summarize(b, d, leaf.number == KIND_DOUBLE or leaf.number == KIND_FLOAT, number, &value)
            length += put_number(leaf, &value, out + length)
        elif d.nan and <int>k != b.plan.time:
            length += put_nan(leaf, out + length)
        else:
            memcpy(out + length, b.last + d.offset, d.length)
            length += d.length
    return length


cdef int put_nan(const Leaf *leaf, uint8_t *out) noexcept nogil:
    cdef Number nan
    memset(&nan, 0, sizeof(nan))
    nan.is_real, nan.real = True, NAN
    return put_number(leaf, &nan, out)


cdef class Bucket:
    """The bucket by itself, for tests and tools: `add` records, then take the `packets`."""
    cdef CBucket b
    cdef object plan

    def __cinit__(self, Plan plan, str algorithm="minmax", int capacity=65536):
        self.plan = plan
        if bucket_init(&self.b, &plan.c, AGGREGATES[algorithm], capacity) < 0:
            raise MemoryError(f"no memory for a bucket of {capacity} bytes")

    def __dealloc__(self):
        bucket_free(&self.b)

    def add(self, bytes record) -> None:
        if not bucket_add(&self.b, record, len(record)):
            raise RecordError(f"{record[:32]!r}... is not one record of the schema")

    def packets(self) -> list[bytes]:
        """Minima, then maxima, or the one aggregate; a single record as it came. Empties the bucket."""
        if self.b.count == 0:
            return []
        found = []
        if self.b.count == 1:
            found = [bytes(self.b.last[: self.b.last_length])]
        else:
            for number in range(bucket_packets(&self.b)):
                out = bytearray(bucket_bound(&self.b))
                length = bucket_packet(&self.b, number, out)
                found.append(bytes(out[:length]))
        bucket_clear(&self.b)
        return found
