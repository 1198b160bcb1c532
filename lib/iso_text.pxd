"""ISO 8601 times in the forms that programs write, read without the GIL: inline functions alone.

What is written otherwise is left to `speeddata.times.parse_time`, which has the same meaning where both can read.
"""

from libc.stdint cimport int64_t, uint8_t

cdef extern from *:
    bint __builtin_mul_overflow(int64_t a, int64_t b, int64_t* out) nogil
    bint __builtin_add_overflow(int64_t a, int64_t b, int64_t* out) nogil


cdef inline bint digits(const uint8_t* p, int count, int64_t* out) noexcept nogil:
    cdef int i
    out[0] = 0
    for i in range(count):
        if not c"0" <= p[i] <= c"9":
            return False
        out[0] = 10 * out[0] + p[i] - c"0"
    return True


cdef inline int64_t days_of(int64_t year, int64_t month, int64_t day) noexcept nogil:
    """Days since 1970, by the civil calendar (Howard Hinnant's algorithm)."""
    year -= month <= 2
    cdef int64_t era = (year if year >= 0 else year - 399) // 400
    cdef int64_t of_era = year - era * 400
    cdef int64_t of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


cdef inline int64_t month_days(int64_t year, int64_t month) noexcept nogil:
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


cdef inline bint zone_seconds(const uint8_t* p, int64_t left, int64_t* out) noexcept nogil:
    """Seconds east of UTC of what stands after the seconds: nothing, Z, or +hh:mm."""
    cdef int64_t hours = 0, minutes = 0
    out[0] = 0
    if left == 0 or (left == 1 and (p[0] == c"Z" or p[0] == c"z")):
        return True
    if left != 6 or (p[0] != c"+" and p[0] != c"-") or p[3] != c":":
        return False
    if not digits(p + 1, 2, &hours) or not digits(p + 4, 2, &minutes) or hours > 23 or minutes > 59:
        return False
    out[0] = (hours * 3600 + minutes * 60) * (-1 if p[0] == c"-" else 1)
    return True


cdef inline bint iso_ns(const uint8_t* p, int64_t length, int64_t* out) noexcept nogil:
    """Read yyyy-mm-ddThh:mm:ss[.fraction][zone] as ns since 1970 UTC; False for what is written otherwise, or impossible."""
    cdef int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone = 0, fraction = 0, at = 19, scale
    if length < 19 or p[4] != c"-" or p[7] != c"-" or p[13] != c":" or p[16] != c":":
        return False
    if p[10] != c"T" and p[10] != c" ":
        return False
    if not (digits(p, 4, &year) and digits(p + 5, 2, &month) and digits(p + 8, 2, &day) and digits(p + 11, 2, &hour)
            and digits(p + 14, 2, &minute) and digits(p + 17, 2, &second)):
        return False
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= month_days(year, month):
        return False
    if hour > 23 or minute > 59 or second > 59:
        return False
    if length > 19 and p[19] == c".":
        at = 20
        scale = 100000000
        while at < length and c"0" <= p[at] <= c"9":
            fraction += (p[at] - c"0") * scale  # digits after the ninth count for nothing
            scale //= 10
            at += 1
        if at == 20:
            return False
    if not zone_seconds(p + at, length - at, &zone):
        return False
    second += days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 - zone
    return not __builtin_mul_overflow(second, 1000000000, out) and not __builtin_add_overflow(out[0], fraction, out)
