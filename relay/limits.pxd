"""Limits, held against every record: what is beyond them, and how each signal stands since somebody last acknowledged it.

A record is looked at where it lies, and nothing is written as long as all is within and was before. Only what is beyond,
or has been, is noted, after who calls has made sure that the record was one.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from speeddata.plan cimport CPlan, Step
from speeddata.relay.doorbell cimport Bell
from speeddata.relay.mapping cimport EDGES, LEVELS, MAX_VERSIONS, Limited

# A signal that has limits, in one version of the schema. Bounds are by edge and level; what is beyond the first is beyond
# some limit. They are as near to what the schema states as the signal's type has it.
cdef struct Check:
    uint32_t leaf
    uint8_t kind             # Kind of its values; of its items, where it is an array
    bint plain               # it is a double, as most are, and neither nullable nor an array
    double real[EDGES][LEVELS]      # of float and double; infinite where there is no limit
    int64_t whole[EDGES][LEVELS]    # of the others; the end of the range where there is none
    double stated[EDGES][LEVELS]
    Limited *place

# What a version of the schema has of them, in the order of the bytes.
cdef struct Checks:
    Check *checks
    uint32_t count
    Step *steps              # up to and with the last of them

# The numbers that a record has of one signal: none where it is null, NaN or an empty array.
cdef struct Reading:
    bint some
    double real[EDGES]       # least, greatest
    int64_t whole[EDGES]

cdef struct Checking:
    const CPlan *plans[MAX_VERSIONS]
    Checks versions[MAX_VERSIONS]
    Reading *readings        # of the last record, one per check of its version
    uint32_t beyond          # sides whose newest value is beyond
    uint64_t *turns          # rises and returns, for who keeps them
    Bell *keeper             # of who keeps them, or NULL

# Read what is limited in a record of a version; whether all of it is within, and was before, so that nothing is to be noted.
cdef bint is_calm(Checking *c, uint32_t version, const uint8_t *p, const uint8_t *end) noexcept nogil

# Note what was read last, of a record of this version and time.
cdef void note_readings(Checking *c, uint32_t version, int64_t time_ns) noexcept nogil
