"""Avro's binary encoding, value by value: inline functions, for the extensions that walk, decode and encode.

A reader takes `at`, the place it stands, and `end`, the first byte that is not its own. It moves `at` past what it has
read; when it refuses, `at` stays. A writer takes the place and gives the next one; the caller has made room.
"""

from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MIN, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from speeddata.plan cimport REASON_LENGTH, REASON_OK, REASON_SHORT, REASON_UTF8, REASON_VARINT, Reason

cdef enum:
    MAX_VARINT = 10          # bytes
    MAX_LENGTH = 2147483647  # bytes of a string or of bytes


cdef inline uint32_t load_u32(const uint8_t* p) noexcept nogil:
    return <uint32_t>p[0] | <uint32_t>p[1] << 8 | <uint32_t>p[2] << 16 | <uint32_t>p[3] << 24


cdef inline uint64_t load_u64(const uint8_t* p) noexcept nogil:
    return <uint64_t>load_u32(p) | <uint64_t>load_u32(p + 4) << 32


cdef extern from *:
    int __builtin_ctzll(unsigned long long word) nogil


cdef inline uint64_t seven_bits(uint64_t word) noexcept nogil:
    """The lower seven bits of each of eight bytes, put together."""
    word &= <uint64_t>0x7F7F7F7F7F7F7F7F
    word = (word & <uint64_t>0x007F007F007F007F) | (word & <uint64_t>0x7F007F007F007F00) >> 1
    word = (word & <uint64_t>0x00003FFF00003FFF) | (word & <uint64_t>0x3FFF00003FFF0000) >> 2
    return (word & 0x0FFFFFFF) | (word & <uint64_t>0x0FFFFFFF00000000) >> 4


cdef inline Reason read_long(const uint8_t** at, const uint8_t* end, int64_t* out) noexcept nogil:
    """A zig-zag varint: eight of its bytes at once where that many are there."""
    cdef const uint8_t* p = at[0]
    cdef uint64_t word, stop, byte, value = 0
    cdef int shift = 0
    if end - p >= 8:
        word = load_u64(p)
        stop = ~word & <uint64_t>0x8080808080808080
        if stop:
            # What is below the first byte that ends it, that byte included.
            value = seven_bits(word & (stop ^ (stop - 1)))
            out[0] = <int64_t>(value >> 1) ^ -<int64_t>(value & 1)
            at[0] = p + (__builtin_ctzll(stop) >> 3) + 1
            return REASON_OK
        value = seven_bits(word)
        p += 8
        shift = 56
    while p < end:
        byte = p[0]
        p += 1
        if shift == 63 and byte > 1:  # of the tenth byte one bit is left, and no byte may follow
            return REASON_VARINT
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            out[0] = <int64_t>(value >> 1) ^ -<int64_t>(value & 1)
            at[0] = p
            return REASON_OK
        shift += 7
    return REASON_SHORT


cdef inline Reason read_int(const uint8_t** at, const uint8_t* end, int32_t* out) noexcept nogil:
    cdef const uint8_t* p = at[0]
    cdef int64_t value = 0
    cdef Reason reason = read_long(&p, end, &value)
    if reason != REASON_OK:
        return reason
    if value < INT32_MIN or value > INT32_MAX:
        return REASON_VARINT
    out[0] = <int32_t>value
    at[0] = p
    return REASON_OK


cdef inline Reason read_length(const uint8_t** at, const uint8_t* end, int64_t* out) noexcept nogil:
    """The length of bytes or of a string, all of which are there."""
    cdef const uint8_t* p = at[0]
    cdef int64_t length = 0
    cdef Reason reason = read_long(&p, end, &length)
    if reason != REASON_OK:
        return reason
    if length < 0 or length > MAX_LENGTH:
        return REASON_LENGTH
    if length > end - p:
        return REASON_SHORT
    out[0] = length
    at[0] = p
    return REASON_OK


cdef inline Reason read_block(const uint8_t** at, const uint8_t* end, int64_t* count, int64_t* size) noexcept nogil:
    """The head of a block of items: how many (0 ends the array or map), and the bytes they say to have, or -1."""
    cdef const uint8_t* p = at[0]
    cdef Reason reason = read_long(&p, end, count)
    if reason != REASON_OK:
        return reason
    size[0] = -1
    if count[0] < 0:
        if count[0] == INT64_MIN:  # it has no opposite
            return REASON_LENGTH
        count[0] = -count[0]
        reason = read_long(&p, end, size)
        if reason != REASON_OK:
            return reason
        if size[0] < 0:
            return REASON_LENGTH
        if size[0] > end - p:
            return REASON_SHORT
    at[0] = p
    return REASON_OK


cdef inline float load_float(const uint8_t* p) noexcept nogil:
    cdef uint32_t bits = load_u32(p)
    cdef float value = 0
    memcpy(&value, &bits, 4)
    return value


cdef inline double load_double(const uint8_t* p) noexcept nogil:
    cdef uint64_t bits = load_u64(p)
    cdef double value = 0
    memcpy(&value, &bits, 8)
    return value


cdef inline uint8_t* put_long(uint8_t* p, int64_t value) noexcept nogil:
    cdef uint64_t rest = (<uint64_t>value << 1) ^ <uint64_t>(value >> 63)
    while rest > 0x7F:
        p[0] = <uint8_t>(rest | 0x80)
        p += 1
        rest >>= 7
    p[0] = <uint8_t>rest
    return p + 1


cdef inline uint8_t* put_u32(uint8_t* p, uint32_t value) noexcept nogil:
    cdef int i
    for i in range(4):
        p[i] = <uint8_t>(value >> 8 * i)
    return p + 4


cdef inline uint8_t* put_u64(uint8_t* p, uint64_t value) noexcept nogil:
    cdef int i
    for i in range(8):
        p[i] = <uint8_t>(value >> 8 * i)
    return p + 8


cdef inline uint8_t* put_float(uint8_t* p, float value) noexcept nogil:
    cdef uint32_t bits = 0
    memcpy(&bits, &value, 4)
    return put_u32(p, bits)


cdef inline uint8_t* put_double(uint8_t* p, double value) noexcept nogil:
    cdef uint64_t bits = 0
    memcpy(&bits, &value, 8)
    return put_u64(p, bits)


cdef inline Reason check_utf8(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether all of [p, end) is UTF-8 as RFC 3629 has it: nothing overlong, no surrogates, nothing over U+10FFFF."""
    cdef uint64_t word = 0
    cdef uint64_t[8] words
    cdef uint64_t high_bits
    cdef uint8_t first, low, high
    cdef int more
    while p < end:
        if end - p >= 64:
            memcpy(words, p, 64)
            high_bits = words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7]
            if not high_bits & <uint64_t>0x8080808080808080:
                p += 64
                continue
        if end - p >= 8:
            memcpy(&word, p, 8)
            if not word & <uint64_t>0x8080808080808080:
                p += 8
                continue
        first = p[0]
        p += 1
        if first < 0x80:
            continue
        low, high = 0x80, 0xBF  # bounds of the second byte; where they are narrower, so the RFC's table says
        if 0xC2 <= first <= 0xDF:
            more = 1
        elif 0xE0 <= first <= 0xEF:
            more = 2
            if first == 0xE0:
                low = 0xA0
            elif first == 0xED:
                high = 0x9F
        elif 0xF0 <= first <= 0xF4:
            more = 3
            if first == 0xF0:
                low = 0x90
            elif first == 0xF4:
                high = 0x8F
        else:
            return REASON_UTF8
        if end - p < more or p[0] < low or p[0] > high:
            return REASON_UTF8
        p += 1
        more -= 1
        while more > 0:  # the check above left `more` bytes before `end`
            if p[0] & 0xC0 != 0x80:
                return REASON_UTF8
            p += 1
            more -= 1
    return REASON_OK
