"""Times written as text, read by a program of small steps: inline functions that neither allocate nor raise.

`speeddata.csv_times` makes the programs. What is before the seconds is remembered: where the next time begins with the same
bytes, only the rest is read.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from speeddata.csv_number cimport (
    FAULT_MISSING,
    FAULT_NONE,
    FAULT_TIME,
    FAULT_TWICE,
    FAULT_WEEKDAY,
    Fault,
    is_digit,
    read_word,
)
from speeddata.iso_text cimport days_of, month_days

cdef enum Step:
    STEP_CHAR          # this byte; for a blank, one or more of them
    STEP_YEAR          # four digits
    STEP_SHORT_YEAR    # two: 69 to 99 are of the twentieth century
    STEP_MONTH         # one or two, as all that follow
    STEP_DAY
    STEP_HOUR
    STEP_MINUTE
    STEP_SECOND
    STEP_MAY_SECOND    # a colon and the second, or nothing
    STEP_MAY_FRACTION  # a point or comma, and digits
    STEP_MAY_ZONE      # Z, UTC, GMT, +hh, +hhmm, +hh:mm
    STEP_WEEKDAY       # a name, with a point or comma or without
    STEP_MONTH_NAME
    STEP_HALF          # am, pm
    STEP_MAY_END       # without a clock it is midnight
    STEP_FRACTION      # digits right behind the second

cdef enum Span:
    SPAN_PLAIN    # one offset
    SPAN_TWICE    # the hour that comes twice: an offset for the first and one for the second time
    SPAN_MISSING  # the hour that is left out

cdef enum:
    MAX_STEPS = 40
    PREFIX = 32   # bytes that are remembered at most
    MAX_WORDS = 200

cdef struct Word:
    uint64_t text
    int32_t value

cdef struct Program:
    int32_t count
    uint8_t[MAX_STEPS] steps
    uint8_t[MAX_STEPS] chars
    bint dated            # it has a date
    bint remembers        # all of the date comes before the seconds
    bint short_tail       # nothing but a fraction and a zone follow them
    bint check_weekdays
    int32_t words
    Word[MAX_WORDS] names # months are 1 to 12, weekdays 101 to 107

cdef struct Parts:
    int32_t year, month, day, hour, minute, second, fraction  # of a second: ns
    int32_t weekday, half, offset
    bint zoned, finer     # finer: digits beyond the ns were not 0

# What is known of the time before.
cdef struct Recall:
    uint64_t[4] prefix, mask
    int32_t length, step
    int64_t base          # s, at the start of the minute
    int32_t day, month    # the largest seen: which of both can be the month

cdef struct Moment:
    int64_t second
    int32_t fraction
    bint zoned, finer

cdef struct Zone:
    int32_t count, at
    const int64_t* starts    # local s, from which each span counts
    const uint8_t* kinds
    const int32_t* first     # s east of UTC
    const int32_t* second


cdef inline int32_t digits_at(const uint8_t** at, int most) noexcept nogil:
    """A number of at most so many digits; -1 where there is none."""
    cdef const uint8_t* p = at[0]
    cdef int32_t value = 0
    if not is_digit(p[0]):
        return -1
    while most > 0 and is_digit(p[0]):
        value = value * 10 + (p[0] - 48)
        p += 1
        most -= 1
    at[0] = p
    return value


cdef inline bint read_fraction(const uint8_t** at, Parts* parts) noexcept nogil:
    cdef const uint8_t* p = at[0]
    cdef int count = 0
    parts.fraction = 0
    while is_digit(p[0]):
        if count < 9:
            parts.fraction = parts.fraction * 10 + (p[0] - 48)
            count += 1
        elif p[0] != 48:
            parts.finer = True
        p += 1
    if count == 0:
        return False
    while count < 9:
        parts.fraction *= 10
        count += 1
    at[0] = p
    return True


cdef inline bint read_zone(const uint8_t** at, Parts* parts) noexcept nogil:
    """Read a zone where there is one."""
    cdef const uint8_t* p = at[0]
    cdef int32_t hours, minutes = 0
    cdef bint west
    if p[0] == 32 and (p[1] == 43 or p[1] == 45 or p[1] == 85 or p[1] == 90 or p[1] == 71):
        p += 1
    if p[0] == 90 or p[0] == 122:
        p += 1
    elif (p[0] == 85 and p[1] == 84 and p[2] == 67) or (p[0] == 71 and p[1] == 77 and p[2] == 84):  # UTC, GMT
        p += 3
    elif p[0] == 43 or p[0] == 45:
        west = p[0] == 45
        p += 1
        if not is_digit(p[0]) or not is_digit(p[1]):
            return False
        hours = digits_at(&p, 2)
        if p[0] == 58:
            p += 1
        if is_digit(p[0]):
            if not is_digit(p[1]):
                return False
            minutes = digits_at(&p, 2)
        if hours > 23 or minutes > 59:
            return False
        parts.offset = hours * 3600 + minutes * 60
        if west:
            parts.offset = -parts.offset
    else:
        return True
    parts.zoned = True
    at[0] = p
    return True


cdef inline bint read_name(const Program* program, const uint8_t** at, int32_t low, int32_t high,
                           int32_t* value) noexcept nogil:
    """Read a name of the program's list, with a point or comma behind it or without."""
    cdef int length = 0
    cdef int32_t i
    cdef uint64_t word = read_word(at, &length)
    for i in range(program.words):
        if program.names[i].text == word and low <= program.names[i].value <= high:
            value[0] = program.names[i].value
            if at[0][0] == 46 or at[0][0] == 44:
                at[0] += 1
            return True
    return False


cdef inline bint read_number(uint8_t step, const uint8_t** at, Parts* parts) noexcept nogil:
    """Take a step that reads digits."""
    cdef int32_t value = digits_at(at, 4 if step == STEP_YEAR else 2)
    if value < 0:
        return False
    if step == STEP_YEAR:
        parts.year = value
        return is_digit(at[0][-4]) and is_digit(at[0][-3]) and is_digit(at[0][-2])
    if step == STEP_SHORT_YEAR:
        parts.year = value + (1900 if value >= 69 else 2000)
        return is_digit(at[0][-2])
    if step == STEP_MONTH:
        parts.month = value
    elif step == STEP_DAY:
        parts.day = value
    elif step == STEP_HOUR:
        parts.hour = value
    elif step == STEP_MINUTE:
        parts.minute = value
    else:
        parts.second = value
    return True


cdef inline bint take_step(const Program* program, int i, const uint8_t** at, bint comma, Parts* parts) noexcept nogil:
    """Take a step; whether what stands there is what it wants."""
    cdef uint8_t step = program.steps[i]
    cdef int length = 0
    cdef uint64_t word
    if step == STEP_CHAR:
        if at[0][0] != program.chars[i]:
            return False
        at[0] += 1
        while program.chars[i] == 32 and at[0][0] == 32:
            at[0] += 1
        return True
    if STEP_YEAR <= step <= STEP_SECOND:
        return read_number(step, at, parts)
    if step == STEP_MAY_SECOND:
        return read_number(STEP_SECOND, at, parts)  # the colon has been read
    if step == STEP_MAY_FRACTION:
        if not (at[0][0] == 46 or (comma and at[0][0] == 44)) or not is_digit(at[0][1]):
            return True
        at[0] += 1
        return read_fraction(at, parts)
    if step == STEP_FRACTION:
        return read_fraction(at, parts)
    if step == STEP_MAY_ZONE:
        return read_zone(at, parts)
    if step == STEP_WEEKDAY:
        return read_name(program, at, 101, 107, &parts.weekday)
    if step == STEP_MONTH_NAME:
        return read_name(program, at, 1, 12, &parts.month)
    word = read_word(at, &length)  # STEP_HALF
    parts.half = 1 if word == 0x6D61 else 2 if word == 0x6D70 else 0
    return parts.half != 0


cdef inline Fault start_of_minute(const Program* program, const Parts* parts, int64_t* out) noexcept nogil:
    """The second at which the minute of a date and clock begins, having checked them."""
    cdef int32_t hour = parts.hour
    cdef int64_t days = 0
    if parts.half:
        if hour < 1 or hour > 12:
            return FAULT_TIME
        hour = hour % 12 + (12 if parts.half == 2 else 0)
    if hour > 23 and (hour != 24 or parts.minute or parts.second or parts.fraction):  # 24:00 is the day's end
        return FAULT_TIME
    if parts.minute > 59:
        return FAULT_TIME
    if program.dated:
        if not 1 <= parts.month <= 12 or not 1 <= parts.day <= month_days(parts.year, parts.month):
            return FAULT_TIME
        days = days_of(parts.year, parts.month, parts.day)
        if program.check_weekdays and parts.weekday and (days % 7 + 10) % 7 != parts.weekday - 101:
            return FAULT_WEEKDAY
    out[0] = days * 86400 + hour * 3600 + parts.minute * 60
    return FAULT_NONE


cdef inline bint begins(const uint8_t* p, const Recall* recall) noexcept nogil:
    """Whether a text begins as the one before; there are at least PREFIX bytes of it."""
    cdef uint64_t[4] ours
    memcpy(ours, p, PREFIX)
    return recall.length > 0 and not (
        (ours[0] ^ recall.prefix[0]) & recall.mask[0] | (ours[1] ^ recall.prefix[1]) & recall.mask[1]
        | (ours[2] ^ recall.prefix[2]) & recall.mask[2] | (ours[3] ^ recall.prefix[3]) & recall.mask[3]
    )


cdef inline bint read_second(const Recall* recall, const uint8_t** at, Moment* out) noexcept nogil:
    """Read the seconds of a time that began as the one before, where nothing or Z follows; else leave it."""
    cdef const uint8_t* p = at[0] + recall.length
    cdef uint8_t tens = p[0] - 48, ones = p[1] - 48, next = p[2]
    out.zoned = next == 90  # Z
    if tens > 5 or ones > 9:
        return False
    if not (out.zoned or next == 10 or next == 13 or next == 59 or next == 9 or next == 34 or (next == 44 and not is_digit(p[3]))):
        return False  # perhaps a fraction or another zone
    out.second = recall.base + tens * 10 + ones
    out.fraction = 0
    out.finer = False
    at[0] = p + 2 + out.zoned
    return True


cdef inline Fault read_moment(const Program* program, Recall* recall, const uint8_t** at, bint comma, Moment* out) noexcept nogil:
    """Read a time up to the first byte that is not of it. `comma`: one may be the mark of a fraction."""
    cdef const uint8_t* p = at[0]
    cdef Parts parts
    cdef int i = 0, seconds_at = -1, length = 0
    cdef bint known = begins(p, recall)
    cdef int64_t base = recall.base
    cdef Fault fault
    if known and program.short_tail and read_second(recall, at, out):
        return FAULT_NONE
    parts.second = parts.fraction = parts.offset = parts.half = 0
    parts.zoned = parts.finer = False
    if known:
        p += recall.length
        i = recall.step
    else:
        parts.year = parts.month = parts.day = parts.hour = parts.minute = parts.weekday = 0
    while i < program.count:
        if program.steps[i] == STEP_MAY_END and not (p[0] == 32 or p[0] | 32 == 116):
            break
        if program.steps[i] == STEP_MAY_SECOND and not known:
            if p[0] != 58:
                i += 1
                continue
            p += 1
        if (program.steps[i] == STEP_SECOND or program.steps[i] == STEP_MAY_SECOND) and not known:
            seconds_at, length = i, <int>(p - at[0])
        if program.steps[i] != STEP_MAY_END and not take_step(program, i, &p, comma, &parts):
            return FAULT_TIME
        i += 1
    if parts.second > 60:
        return FAULT_TIME
    if not known:
        fault = start_of_minute(program, &parts, &base)
        if fault != FAULT_NONE:
            return fault
        remember(program, recall, &parts, at[0], seconds_at, length, base)
    out.second = base + parts.second - parts.offset
    out.fraction = parts.fraction
    out.zoned, out.finer = parts.zoned, parts.finer
    at[0] = p
    return FAULT_NONE


cdef inline void remember(const Program* program, Recall* recall, const Parts* parts, const uint8_t* text, int step,
                          int length, int64_t base) noexcept nogil:
    recall.day = max(recall.day, parts.day)
    recall.month = max(recall.month, parts.month)
    recall.length = 0
    if program.remembers and step >= 0 and length <= PREFIX and not parts.half and parts.hour < 24:
        memcpy(recall.prefix, text, PREFIX)
        memset(recall.mask, 0, PREFIX)
        memset(recall.mask, 255, length)
        recall.length, recall.step, recall.base = length, step, base


cdef inline int32_t find_span(Zone* zone, int64_t local) noexcept nogil:
    """The span that a local time is in."""
    cdef int32_t low = 0, high = zone.count, middle
    if local >= zone.starts[zone.at] and (zone.at + 1 == zone.count or local < zone.starts[zone.at + 1]):
        return zone.at
    while high - low > 1:
        middle = (low + high) // 2
        if zone.starts[middle] <= local:
            low = middle
        else:
            high = middle
    zone.at = low
    return low
