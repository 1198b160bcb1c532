"""Records that came in one piece, validated one by one, and where they are cut into blocks."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from cpython.buffer cimport Py_buffer

from speeddata.plan cimport Plan, TimeUnit

# A block to be: records [at, at + length) of the piece.
cdef struct Cut:
    uint64_t at
    uint32_t length
    uint32_t count
    uint32_t flags
    int64_t first_ns
    int64_t min_ns
    int64_t max_ns

cdef class Records:
    cdef Py_buffer buffer
    cdef const uint8_t *data     # of the piece
    cdef uint64_t length
    cdef Cut *cuts
    cdef uint32_t cut_count
    cdef TimeUnit time_unit
    cdef readonly Plan plan
    cdef readonly uint64_t count
    cdef readonly uint64_t bad_time     # records
    cdef readonly int64_t arrival_ns
