"""Python objects to Avro's bytes, whatever the type: for what does not fit a numpy column of numbers."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from speeddata.plan cimport Plan


cdef class Buffer:
    """Bytes being written; it grows."""

    cdef uint8_t* data
    cdef size_t length
    cdef size_t room

    cdef uint8_t* reserve(self, size_t size) except NULL  # room for so many bytes; where to write them
    cdef int add_long(self, int64_t value) except -1
    cdef int add_bytes(self, bytes data) except -1


# Write a Python object as operation `i`. RecordError names the field (`path` is that of the value) and what is expected.
cdef int put_value(Plan plan, uint32_t i, value, Buffer out, path) except -1

# Write the fields of a record, the first of which is operation `i`. `below_op`: the record has an operation of its own.
cdef int64_t put_record(Plan plan, uint32_t i, type_, value, bint below_op, Buffer out, path) except -1
