"""The compiled form of a schema, and what can be done with it without the GIL.

A plan is a flat array of operations in the order of the bytes. A record has no operation of its own: its fields
follow each other. An array, map or union has one operation and, after it, those of its items or branches; `next` jumps
over them. A leaf is one signal: a field that is not itself a record, however deep; its name is dotted.
"""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t

cpdef enum Kind:
    KIND_NULL
    KIND_BOOLEAN
    KIND_INT
    KIND_LONG
    KIND_FLOAT
    KIND_DOUBLE
    KIND_BYTES
    KIND_STRING
    KIND_FIXED
    KIND_ENUM
    KIND_ARRAY
    KIND_MAP
    KIND_UNION
    KIND_RECORD   # only below an array, map or union: a bracket round the operations of its fields

# Why a packet or record is refused. The order is that of the counters; names are in plan.REASONS.
cpdef enum Reason:
    REASON_OK
    REASON_EMPTY      # a datagram of 0 bytes
    REASON_TRUNCATED  # the datagram was larger than the receive slot
    REASON_SHORT      # the bytes end inside the record
    REASON_TRAILING   # whole records, then bytes that are not one
    REASON_VARINT     # over 10 bytes, over 64 bits, or an int over 32 bits
    REASON_LENGTH     # negative or impossible length or count, or too many items of no size
    REASON_UNION      # no such branch
    REASON_ENUM       # no such symbol
    REASON_BOOLEAN    # neither 0 nor 1
    REASON_UTF8       # a string that is not UTF-8
    REASON_DEPTH      # nested deeper than a plan may be
    REASON_SOURCE     # the sender is not on the channel's list
    REASON_SCHEMA     # single-object framing with an unknown fingerprint
    REASON_AUTH       # not signed by a key of the channel
    REASON_REPLAY     # signed, and taken before, or too old to tell
    REASON_COUNT

cpdef enum TimeUnit:
    UNIT_UNKNOWN  # told by the magnitude of the first plausible record
    UNIT_S
    UNIT_MS
    UNIT_US
    UNIT_NS

cdef enum:
    MAX_DEPTH = 32
    MAX_ITEMS = 65536    # array or map items of no size in one record
    NO_LEAF = -1
    NO_BRANCH = -1

cdef struct Op:
    uint8_t kind       # Kind
    uint32_t next      # the operation after this one and all that is below it
    uint32_t size      # fixed: bytes; enum: symbols; union: branches
    uint32_t minimum   # array, map: bytes of the smallest item (a map's key included); 0 = items of no size

cdef struct Leaf:
    uint32_t first     # operations [first, last)
    uint32_t last
    uint8_t number     # Kind of its value when it is int, long, float or double, nullable or not; else KIND_NULL
    int8_t null_branch # nullable number: which of the two branches is null; NO_BRANCH when it is not nullable

cdef struct CPlan:
    Op* ops
    Leaf* leaves
    Step* steps        # up to and with STEP_END
    uint32_t op_count
    uint32_t leaf_count
    uint32_t step_count
    uint32_t minimum   # bytes of the smallest record
    int32_t time       # leaf that is the abscissa, or NO_LEAF (never so in a relay)
    int32_t sequence   # leaf that numbers the records, or NO_LEAF
    uint8_t unit       # TimeUnit that the schema or channel states, or UNIT_UNKNOWN
    uint8_t fingerprint[8]  # CRC-64-AVRO, little-endian, as it stands on the wire

# A step of the walk that only validates (see steps.py, which has the same numbers).
cpdef enum StepKind:
    STEP_END
    STEP_LONG
    STEP_INT
    STEP_STRING
    STEP_NUMBER        # of leaf `place`, whose value is wanted
    STEP_OTHER         # operation `place`, and all that is below it

cdef struct Step:
    uint32_t fixed     # bytes before it, whatever they are
    uint32_t kind      # StepKind
    uint32_t place

# The value of a leaf whose `number` is not KIND_NULL.
cdef struct Number:
    bint is_null
    bint is_real       # float, double: in `real`; int, long: in `whole`
    double real
    int64_t whole

# What the walk of one record finds.
cdef struct Walk:
    const uint8_t* end  # the first byte after the record (where it failed, when it is refused)
    Number time
    Number sequence

# What is left of the record being walked.
cdef struct Rest:
    const uint8_t* p
    const uint8_t* end
    int64_t empty_items  # array items of no size so far; 0 at the start of a record

# Validate one record at `p`, reading nothing at or past `end`. Gives REASON_OK or why it is refused.
cdef Reason walk_record(const CPlan* plan, const uint8_t* p, const uint8_t* end, Walk* out) noexcept nogil

# Find the end of a record that was validated before, and its time; its texts are not looked at. False when it is none.
cdef bint pass_record(const CPlan* plan, const uint8_t* p, const uint8_t* end, Walk* out) noexcept nogil

# The same for one leaf: `p[0]` moves past it. `out` is filled when the leaf is a number.
cdef Reason walk_leaf(const CPlan* plan, const Leaf* leaf, const uint8_t** p, const uint8_t* end,
                      Number* out) noexcept nogil

# The same, for who walks a record leaf by leaf: items of no size are limited over the record.
cdef Reason walk_part(const CPlan* plan, const Leaf* leaf, Rest* rest, Number* out) noexcept nogil

# Write a number as the leaf has it; gives the bytes written, at most 11. For int and long, real ones are rounded half to
# even and held within the type; null in a leaf that cannot be null is NaN or 0.
cdef int put_number(const Leaf* leaf, const Number* value, uint8_t* out) noexcept nogil

# Source time as int64 ns UTC; False when it cannot be right (null, NaN, outside int64 ns).
cdef bint time_ns(const Number* time, TimeUnit unit, int64_t* out) noexcept nogil

# The unit that the magnitude of a time tells; UNIT_UNKNOWN when the time is not a number over 0 that int64 can hold.
cdef TimeUnit guess_unit(const Number* time) noexcept nogil

cdef class Plan:
    """A compiled channel schema."""
    cdef CPlan c
    cdef readonly object schema      # Schema that it was compiled from
    cdef readonly tuple types        # the `speeddata.tree.Type` of each operation

# Raise RecordError for a record refused at byte `at`.
cdef int refuse(Reason reason, Py_ssize_t at) except -1
