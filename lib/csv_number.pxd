"""Numbers written as text, read exactly: inline functions that neither allocate nor raise.

A reader stops at the first byte that is not its own. There must be one: whoever calls has put a line end and zeros behind
the text. What takes more than a multiplication or division of two exact doubles is left to the C library, in the "C" locale.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint64_t

# Why a field or line could not be taken; csv_scan.FAULTS has it in words.
cdef enum Fault:
    FAULT_NONE
    FAULT_SHAPE      # not the delimiters, quotes and line end that were to come
    FAULT_NUMBER
    FAULT_WHOLE      # a number, but not a whole one of 64 bits
    FAULT_FLAG       # neither true nor false
    FAULT_TIME
    FAULT_RANGE      # a time outside of int64 nanoseconds
    FAULT_WEEKDAY    # not that of the date
    FAULT_TEXT       # not UTF-8
    FAULT_NULL       # empty, where the channel has no null
    FAULT_KEY        # a value of the column that names channels, seen for the first time
    FAULT_MISSING    # a local time that there never was
    FAULT_TWICE      # a local time that there was twice
    FAULT_NEW        # the first value of a column without a type

cdef extern from *:
    """
    #define _SPEEDDATA_DIGITS 400
    #include <float.h>
    #include <locale.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    /* Declared here too, since Python's headers do not ask for all that the C library has. */
    static locale_t speeddata_c_locale = (locale_t)0;
    __attribute__((constructor)) static void speeddata_make_locale(void) {
        speeddata_c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    }
    static int speeddata_strtod(const char *text, size_t length, char decimal, double *out) {
        char copy[_SPEEDDATA_DIGITS + 1], *end;
        if (length > _SPEEDDATA_DIGITS || !speeddata_c_locale)
            return 0;
        memcpy(copy, text, length);
        copy[length] = 0;
        if (decimal != '.') {
            char *mark = memchr(copy, decimal, length);
            if (mark)
                *mark = '.';
        }
        *out = strtod_l(copy, &end, speeddata_c_locale);
        return end == copy + length;
    }
    /* Correctly rounded to 64 bits, then to 53: that is right unless the first rounding gave a half of the second. */
    static int speeddata_wide(uint64_t digits, int exponent, double *out) {
    #if LDBL_MANT_DIG == 64
        static const long double tens[] = {1e0L, 1e1L, 1e2L, 1e3L, 1e4L, 1e5L, 1e6L, 1e7L, 1e8L, 1e9L, 1e10L, 1e11L, 1e12L,
            1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
        long double value = digits;
        uint64_t mantissa;
        if (exponent < -27 || exponent > 27)
            return 0;
        value = exponent < 0 ? value / tens[-exponent] : value * tens[exponent];
        memcpy(&mantissa, &value, 8);
        if ((mantissa & 0x7FF) == 0x400)
            return 0;
        *out = (double)value;
        return 1;
    #else
        return 0;
    #endif
    }
    static const double speeddata_tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
        1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    """
    int speeddata_strtod(const char* text, size_t length, char decimal, double* out) nogil
    int speeddata_wide(uint64_t digits, int exponent, double* out) nogil
    const double* speeddata_tens

cdef extern from "math.h":
    double NAN
    double INFINITY

# A decimal number: (-1)^negative * digits * 10^exponent; `count` digits from the first that is not 0.
cdef struct Decimal:
    bint negative
    uint64_t digits
    int64_t exponent
    int count


cdef inline bint is_digit(uint8_t byte) noexcept nogil:
    return <uint8_t>(byte - 48) < 10


cdef inline const uint8_t* read_digits(const uint8_t* p, uint64_t* digits) noexcept nogil:
    """Append digits to those there are; where the first byte is that is none."""
    while is_digit(p[0]):
        digits[0] = digits[0] * 10 + (p[0] - 48)
        p += 1
    return p


cdef inline Fault read_decimal(const uint8_t** at, uint8_t mark, Decimal* out) noexcept nogil:
    """Read [+-]digits[.digits][e[+-]digits]; digits beyond 19 do not fit, and `count` tells of them."""
    cdef const uint8_t* p = at[0]
    cdef const uint8_t* first
    cdef uint64_t digits = 0
    cdef int64_t power = 0, places = 0
    cdef bint less
    out.negative = p[0] == 45  # -
    if p[0] == 45 or p[0] == 43:
        p += 1
    first = p
    p = read_digits(p, &digits)
    out.count = <int>(p - first) if p - first < 100000 else 100000
    if p[0] == mark:
        p += 1
        first = p
        p = read_digits(p, &digits)
        places = p - first
        out.count += <int>places if places < 100000 else 100000
    if out.count == 0:
        return FAULT_NUMBER
    if out.count > 19:
        out.count = significant(at[0], p, mark)
    if p[0] | 32 == 101:  # e
        p += 1
        less = p[0] == 45
        if p[0] == 45 or p[0] == 43:
            p += 1
        if not is_digit(p[0]):
            return FAULT_NUMBER
        while is_digit(p[0]):
            power = power * 10 + (p[0] - 48) if power < 100000 else power
            p += 1
        if less:
            power = -power
    out.digits = digits
    out.exponent = power - places
    at[0] = p
    return FAULT_NONE


cdef inline int significant(const uint8_t* p, const uint8_t* end, uint8_t mark) noexcept nogil:
    """How many digits there are from the first one that is not 0."""
    cdef int count = 0
    while p < end:
        if is_digit(p[0]) and (count > 0 or p[0] != 48) and count < 100000:
            count += 1
        p += 1
    return count


cdef inline Fault read_double(const uint8_t** at, uint8_t mark, double* out) noexcept nogil:
    """Read a number as the double nearest to it."""
    cdef const uint8_t* p = at[0]
    cdef const uint8_t* first
    cdef uint64_t digits = 0
    cdef int64_t places = 0
    cdef double value = 0
    cdef bint negative = p[0] == 45
    p += negative
    first = p
    while is_digit(p[0]):
        digits = digits * 10 + (p[0] - 48)
        p += 1
    if p[0] == mark:
        p += 1
        while is_digit(p[0]):
            digits = digits * 10 + (p[0] - 48)
            p += 1
            places += 1
    if p[0] | 32 == 101 or p - first < 1 + (places > 0) or (p - first > 19 and significant(first, p, mark) > 19):
        return read_long_double(at, mark, out)
    # Few digits, and no exponent: the quotient of two exact doubles is the nearest.
    if digits <= <uint64_t>9007199254740992 and places <= 22:
        value = <double>digits / speeddata_tens[places]
    elif places > 27 or not speeddata_wide(digits, -<int>places, &value):
        return read_long_double(at, mark, out)
    out[0] = -value if negative else value
    at[0] = p
    return FAULT_NONE


cdef inline Fault read_long_double(const uint8_t** at, uint8_t mark, double* out) noexcept nogil:
    cdef const uint8_t* start = at[0]
    cdef Decimal decimal
    cdef double value
    cdef Fault fault = read_decimal(at, mark, &decimal)
    if fault != FAULT_NONE:
        return fault
    if decimal.count <= 19 and decimal.digits <= <uint64_t>9007199254740992 and -22 <= decimal.exponent <= 22:
        value = <double>decimal.digits
        if decimal.exponent < 0:
            value /= speeddata_tens[-decimal.exponent]
        elif decimal.exponent > 0:
            value *= speeddata_tens[decimal.exponent]
        out[0] = -value if decimal.negative else value
        return FAULT_NONE
    if decimal.count <= 19 and -27 <= decimal.exponent <= 27 and speeddata_wide(decimal.digits, <int>decimal.exponent, &value):
        out[0] = -value if decimal.negative else value
        return FAULT_NONE
    if speeddata_strtod(<const char*>start, at[0] - start, mark, out):
        return FAULT_NONE
    at[0] = start
    return FAULT_SHAPE  # too long for the quick way


cdef inline Fault read_whole(const uint8_t** at, uint8_t mark, int64_t* out) noexcept nogil:
    """Read a whole number of 64 bits."""
    cdef const uint8_t* p = at[0]
    cdef const uint8_t* first
    cdef uint64_t digits = 0
    cdef bint negative = p[0] == 45
    if p[0] == 45 or p[0] == 43:
        p += 1
    first = p
    p = read_digits(p, &digits)
    if p == first:
        return FAULT_NUMBER
    if p[0] == mark or p[0] | 32 == 101 or p - first > 19 or digits > <uint64_t>INT64_MAX + <uint64_t>negative:
        return FAULT_WHOLE
    out[0] = <int64_t>(0 - digits) if negative else <int64_t>digits
    at[0] = p
    return FAULT_NONE


cdef inline uint64_t read_word(const uint8_t** at, int* length) noexcept nogil:
    """Read a word of letters and what is not ASCII: its first eight bytes in lower case, and its length."""
    cdef const uint8_t* p = at[0]
    cdef uint64_t word = 0
    cdef uint8_t byte
    length[0] = 0
    while True:
        byte = p[0] | 32 if p[0] < 128 else p[0]
        if not (97 <= byte <= 122 or byte >= 128 or (p[0] == 47 and length[0])):  # also the / of n/a
            break
        if length[0] < 8:
            word |= <uint64_t>byte << 8 * length[0]
        length[0] += 1
        p += 1
    at[0] = p
    return word
