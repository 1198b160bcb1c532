"""Extremes of the signals over the records of one bucket, and the packets that show them.

An aggregate keeps the schema: numbers are replaced, the time, the sequence number and whatever is not a number are
those of the last record.
"""

from libc.stdint cimport uint8_t, uint32_t

from speeddata.plan cimport CPlan, Number

cdef struct Extreme:
    bint any          # a number that is not NaN was seen
    bint nan
    Number low
    Number high
    uint32_t offset   # of the leaf in the last record
    uint32_t length

cdef struct CBucket:
    const CPlan *plan
    Extreme *extremes        # one per leaf
    uint8_t *last            # the last record
    uint32_t last_capacity
    uint32_t last_length
    uint32_t count           # records

cdef int bucket_init(CBucket *b, const CPlan *plan, uint32_t capacity) noexcept nogil

cdef void bucket_free(CBucket *b) noexcept nogil

cdef void bucket_clear(CBucket *b) noexcept nogil

# Bring in one record of `length` bytes, at most the capacity; False when it is none.
cdef bint bucket_add(CBucket *b, const uint8_t *record, uint32_t length) noexcept nogil

# Bytes that an aggregate packet may take.
cdef uint32_t bucket_bound(const CBucket *b) noexcept nogil

# Write the packet of the minima (`high` False) or maxima; gives its length.
cdef uint32_t bucket_packet(const CBucket *b, bint high, uint8_t *out) noexcept nogil
