# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# Safe because the text is given room for the longest that each time can have.
"""Times written as ISO 8601 text of JSON, many at once; the text is that of `speeddata.times.format_time`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t

__all__ = ["iso_json"]

cdef enum:
    LONGEST = 33  # bytes: "2023-11-14T22:13:20.123456789Z", and what is between two
cdef int64_t NS = 1000000000


cdef inline char* put(char* out, int64_t number, int digits) noexcept nogil:
    cdef int place
    for place in range(digits - 1, -1, -1):
        out[place] = <char>(c"0" + number % 10)
        number //= 10
    return out + digits


cdef inline char* put_date(char* out, int64_t days) noexcept nogil:
    """The date of a day since 1970, of a calendar whose years begin in March and whose eras have 400 of them."""
    cdef int64_t shifted = days + 719468
    cdef int64_t era = (shifted if shifted >= 0 else shifted - 146096) // 146097
    cdef int64_t day = shifted - era * 146097
    cdef int64_t year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    cdef int64_t month
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month = month + 3 if month < 10 else month - 9
    out = put(out, year + era * 400 + (month <= 2), 4)
    out[0] = c"-"
    out = put(out + 1, month, 2)
    out[0] = c"-"
    return put(out + 1, day + 1, 2)


cdef char* put_time(char* out, int64_t time) noexcept nogil:
    cdef int64_t second = time // NS, rest = time % NS, day, digits = 9
    if rest < 0:
        rest += NS
        second -= 1
    day = second // 86400
    second -= day * 86400
    if second < 0:
        second += 86400
        day -= 1
    out = put_date(out, day)
    out[0] = c"T"
    out = put(out + 1, second // 3600, 2)
    out[0] = c":"
    out = put(out + 1, second // 60 % 60, 2)
    out[0] = c":"
    out = put(out + 1, second % 60, 2)
    if rest:
        while rest % 1000 == 0:
            rest //= 1000
            digits -= 3
        out[0] = c"."
        out = put(out + 1, rest, <int>digits)
    out[0] = c"Z"
    return out + 1


def iso_json(const int64_t[::1] times):
    cdef Py_ssize_t count = times.shape[0], row
    made = PyBytes_FromStringAndSize(NULL, count * LONGEST + 1)
    cdef char* start = PyBytes_AS_STRING(made)
    cdef char* out = start
    with nogil:
        for row in range(count):
            if row:
                out[0] = c","
                out += 1
            out[0] = c'"'
            out = put_time(out + 1, times[row])
            out[0] = c'"'
            out += 1
    return made[:out - start]
