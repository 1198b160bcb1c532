"""What the signals did over the records of one bucket, and the packets that show it.

An aggregate keeps the schema: numbers are replaced, the time, the sequence number and whatever is not a number are
those of the last record.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from speeddata.plan cimport CPlan, Number

cdef extern from *:
    ctypedef long long int128 "__int128"
    ctypedef double wide "long double"  # the range of sums of squares, and digits for sums of many

# What a packet of a bucket shows of each number.
cdef enum Aggregate:
    AGGREGATE_NONE    # no bucket: records as they are (downsample)
    AGGREGATE_MINMAX  # two packets: minima, maxima
    AGGREGATE_AVERAGE
    AGGREGATE_RMS     # square root of the average of the squares

# One signal in the bucket.
cdef struct Digest:
    uint64_t count    # of numbers that are neither null nor NaN
    bint nan
    Number low
    Number high
    wide total        # of float and double; of squares for AGGREGATE_RMS
    int128 whole      # total of int and long
    uint32_t offset   # of the leaf in the last record
    uint32_t length

cdef struct CBucket:
    const CPlan *plan
    Aggregate aggregate      # how its packets show numbers
    Digest *digests          # one per leaf
    uint8_t *last            # the last record
    uint32_t last_capacity
    uint32_t last_length
    uint32_t count           # records

cdef int bucket_init(CBucket *b, const CPlan *plan, Aggregate aggregate, uint32_t capacity) noexcept nogil

cdef void bucket_free(CBucket *b) noexcept nogil

cdef void bucket_clear(CBucket *b) noexcept nogil

# Bring in one record of `length` bytes, at most the capacity; False when it is none.
cdef bint bucket_add(CBucket *b, const uint8_t *record, uint32_t length) noexcept nogil

# Bytes that an aggregate packet may take.
cdef uint32_t bucket_bound(const CBucket *b) noexcept nogil

# Packets that show the bucket.
cdef unsigned int bucket_packets(const CBucket *b) noexcept nogil

# Write one of them, `number` from 0 on; gives its length.
cdef uint32_t bucket_packet(const CBucket *b, unsigned int number, uint8_t *out) noexcept nogil
