# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Minima and maxima over a bucket of records (see bucket.pxd)."""

from libc.math cimport NAN, isnan
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from speeddata.plan cimport KIND_NULL, REASON_OK, CPlan, Leaf, Number, Plan, put_number, walk_leaf

from speeddata.errors import RecordError

cdef enum:
    NUMBER_BYTES = 11  # a union branch and a varint


cdef int bucket_init(CBucket *b, const CPlan *plan, uint32_t capacity) noexcept nogil:
    b.plan, b.last_capacity, b.last_length, b.count = plan, capacity, 0, 0
    b.extremes = <Extreme *>calloc(plan.leaf_count, sizeof(Extreme))
    b.last = <uint8_t *>malloc(capacity)
    return -1 if b.extremes == NULL or b.last == NULL else 0


cdef void bucket_free(CBucket *b) noexcept nogil:
    free(b.extremes)
    free(b.last)
    b.extremes, b.last = NULL, NULL


cdef void bucket_clear(CBucket *b) noexcept nogil:
    memset(b.extremes, 0, b.plan.leaf_count * sizeof(Extreme))
    b.count = 0


cdef bint less(const Number *a, const Number *b) noexcept nogil:
    return a.real < b.real if a.is_real else a.whole < b.whole


cdef void widen(Extreme *extreme, const Number *value) noexcept nogil:
    if value.is_null:
        return
    if value.is_real and isnan(value.real):
        extreme.nan = True
        return
    if not extreme.any or less(value, &extreme.low):
        extreme.low = value[0]
    if not extreme.any or less(&extreme.high, value):
        extreme.high = value[0]
    extreme.any = True


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
        b.extremes[k].offset, b.extremes[k].length = <uint32_t>(start - b.last), <uint32_t>(p - start)
        if b.plan.leaves[k].number != KIND_NULL:
            widen(&b.extremes[k], &value)
    b.count += 1
    return p == b.last + length


cdef uint32_t bucket_bound(const CBucket *b) noexcept nogil:
    return b.last_length + NUMBER_BYTES * b.plan.leaf_count


cdef uint32_t bucket_packet(const CBucket *b, bint high, uint8_t *out) noexcept nogil:
    cdef const Extreme *extreme
    cdef uint32_t length = 0
    cdef uint32_t k
    for k in range(b.plan.leaf_count):
        extreme = &b.extremes[k]
        # Where all were null or NaN the last one is as good as any, but NaN wins over null.
        if extreme.any and <int>k != b.plan.time and <int>k != b.plan.sequence:
            length += put_number(&b.plan.leaves[k], &extreme.high if high else &extreme.low, out + length)
        elif extreme.nan and <int>k != b.plan.time:
            length += put_nan(&b.plan.leaves[k], out + length)
        else:
            memcpy(out + length, b.last + extreme.offset, extreme.length)
            length += extreme.length
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

    def __cinit__(self, Plan plan, int capacity=65536):
        self.plan = plan
        if bucket_init(&self.b, &plan.c, capacity) < 0:
            raise MemoryError(f"no memory for a bucket of {capacity} bytes")

    def __dealloc__(self):
        bucket_free(&self.b)

    def add(self, bytes record) -> None:
        if not bucket_add(&self.b, record, len(record)):
            raise RecordError(f"{record[:32]!r}... is not one record of the schema")

    def packets(self) -> list[bytes]:
        """Minima, then maxima; a single record as it came. Empties the bucket."""
        if self.b.count == 0:
            return []
        if self.b.count == 1:
            found = [bytes(self.b.last[: self.b.last_length])]
        else:
            found = []
            for high in (False, True):
                out = bytearray(bucket_bound(&self.b))
                length = bucket_packet(&self.b, high, out)
                found.append(bytes(out[:length]))
        bucket_clear(&self.b)
        return found
