"""Avro's bytes as Python objects, whatever the type: for what does not fit a numpy column of numbers."""

from libc.stdint cimport uint8_t, uint32_t

from speeddata.plan cimport Plan, Rest

# Make the Python object, as fastavro would without logical types, of operation `i`; `rest` moves past it.
# RecordError names the byte, counted from `start`.
cdef object build_value(Plan plan, uint32_t i, const uint8_t* start, Rest* rest)
