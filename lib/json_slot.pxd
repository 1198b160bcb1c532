"""The fields of a record, as values of JSON are written into them: for `rows_json.pyx` alone."""

from libc.stdint cimport int8_t, uint8_t, uint32_t

from speeddata.plan cimport Plan


cdef class Slot:
    """A field: where its value is looked for, and how it is written."""

    cdef str name            # its key in its object
    cdef str path            # dotted, as signals are named
    cdef uint8_t kind        # of its value, without null; KIND_RECORD: see `below`; KIND_UNION: whatever `put_value` takes
    cdef int8_t null_branch
    cdef bint is_time
    cdef uint32_t first      # its operation in the plan
    cdef bytes missing       # what is written where it is missing; None: nothing may be
    cdef dict symbols        # of an enum: their numbers
    cdef list below          # fields of a record, each a Slot
    cdef object type
    cdef str wanted          # in words

# The slots of a record's fields, those of its signals added to `leaves` in the order of the bytes; `unit` is that of times that
# come as numbers, empty where nothing tells it.
cdef list add_slots(Plan plan, record, str path, str unit, list leaves)
