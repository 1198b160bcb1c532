"""Where a numpy array keeps its items. numpy's own headers are not needed for that, nor at build time."""

from libc.stdint cimport uint8_t


cdef inline uint8_t* address(array) except? NULL:
    """The first item of an array, which must be contiguous and outlive the pointer."""
    return <uint8_t*><size_t>array.ctypes.data
