"""A layout as `speeddata.csv_scan` works by it: Python objects to C structs, once before lines are read."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t

from speeddata.csv_time cimport MAX_STEPS, MAX_WORDS, Program, Zone
from speeddata.csv_values cimport BILLION, Clockwork, Grammar


cdef inline int set_grammar(Grammar* grammar, layout) except -1:
    grammar.delimiter = ord(layout.delimiter)
    grammar.quote = ord(layout.quote) if layout.quote else 0
    grammar.mark = ord(layout.decimal)
    grammar.blank = layout.delimiter != " "
    grammar.power = layout.epoch_power
    return 0


cdef inline int set_clockwork(Clockwork* work, layout) except -1:
    work.start_second, work.start_fraction = divmod(layout.start_ns, BILLION)
    work.divisor = {"s": BILLION, "ms": 1000000, "us": 1000, "ns": 1}[layout.unit]
    work.per_second = BILLION // work.divisor
    work.rate, work.step = layout.rate_hz, layout.step_s
    work.shift = layout.missing == "shift"
    work.real_time = layout.time_kind == "double"
    work.ambiguous = ("order", "earlier", "later", "reject").index(layout.ambiguous)
    work.time_branch = layout.time_branch
    work.next_fold = INT64_MAX
    return 0


cdef inline int set_program(Program* program, given, layout) except -1:
    names = layout.names
    if len(given.steps) > MAX_STEPS or len(names) > MAX_WORDS:
        raise ValueError(f"the time format {given.format!r} is too long")
    program.count, program.words = len(given.steps), len(names)
    for i, (step, char) in enumerate(given.steps):
        program.steps[i], program.chars[i] = step, char
    for i, (name, value) in enumerate(names):
        program.names[i].text = int.from_bytes(name.encode()[:8], "little")
        program.names[i].value = value
    program.dated, program.remembers = given.dated, given.remembers
    program.check_weekdays = layout.check_weekdays
    program.short_tail = given.short_tail
    return 0


cdef inline object set_zone(Zone* zone, spans):
    """Point a zone at its spans; what holds them is to be kept."""
    if spans is None:
        return None
    from array import array

    kept = [array(code, values) for code, values in
            (("q", spans.starts), ("B", spans.kinds), ("i", spans.first), ("i", spans.second))]
    addresses = [one.buffer_info()[0] for one in kept]
    zone.count = len(spans.starts)
    zone.starts = <const int64_t*><size_t>addresses[0]
    zone.kinds = <const uint8_t*><size_t>addresses[1]
    zone.first = <const int32_t*><size_t>addresses[2]
    zone.second = <const int32_t*><size_t>addresses[3]
    return kept
