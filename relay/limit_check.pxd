"""The limits of a channel, compiled from all versions of its schema."""

from libc.stdint cimport uint64_t

from speeddata.plan cimport Plan
from speeddata.relay.doorbell cimport Bell
from speeddata.relay.limits cimport Checking, Checks
from speeddata.relay.mapping cimport Limited

cdef class LimitCheck:
    cdef Checking c
    cdef readonly list plans
    cdef readonly dict names  # of the signals that have limits, by key
    cdef Limited *own        # where it is attached to no others
    cdef uint64_t turns      # the same

    cdef int compile(self, Checks *out, Plan plan) except -1

    # Note in these places from now on, and tell who keeps what is noted.
    cdef int attach(self, Limited *limited, uint64_t *turns, Bell *keeper) except -1
