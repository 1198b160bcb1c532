"""How signals stand to their limits: their places in the mapping, found by name, read, restored, acknowledged.

The keeper reads them while the decimator writes: of each side of a signal one Standing counts.
"""

from libc.stdint cimport uint64_t

from speeddata.relay.mapping cimport Limited

# What tells a signal in the mapping: a hash of its name, never 0.
cdef uint64_t key_of(str name)

# The place of a signal, NULL where it has none; with key 0 one that is free.
cdef Limited *place_of(Limited *limited, uint64_t key) noexcept nogil

# The place of a signal, taken for it where it has none, of the epoch (0: a new one); NULL where all are taken.
cdef Limited *claim(Limited *limited, uint64_t key, uint64_t epoch) except? NULL

# How the signals stand that were ever beyond their limits, each side by itself, under their keys.
cdef list read_standings(Limited *limited)

# Have signals stand as they were read, under their names.
cdef int restore_standings(Limited *limited, list standings) except -1

# Note that so many rises are acknowledged; False where the signal is not there, or of another life.
cdef bint acknowledge_rises(Limited *limited, str name, str edge, uint64_t epoch, uint64_t rises)
