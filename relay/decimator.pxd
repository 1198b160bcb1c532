"""The decimator's work without its thread: records held against limits, and into buckets; buckets into packets.

Records lie in a block that may be taken for another meanwhile: nothing of it is believed unless `trail` and block still
agree. Who decimates records of its own gives a block that never changes.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from speeddata.plan cimport CPlan, Walk
from speeddata.relay.bucket cimport Aggregate, CBucket
from speeddata.relay.doorbell cimport Bell
from speeddata.relay.limits cimport Checking
from speeddata.relay.mapping cimport MAX_VERSIONS, Block, Parts
from speeddata.relay.outlet cimport Outlet

# How records are decimated.
cdef struct How:
    Aggregate aggregate         # of buckets; AGGREGATE_NONE: every so-manyth record (downsample)
    uint32_t every              # records a packet or bucket; 0 = by time
    int64_t width_ns            # of a bucket; 0 = by count

cdef struct Decimating:
    Parts parts
    const CPlan *plans[MAX_VERSIONS]   # versions of the schema
    const CPlan *plan           # that of the block being read
    uint32_t version
    Checking *limits            # NULL: no signal has any
    uint32_t frame_bytes        # before each record, where packets are framed; 0 = they are plain
    How how
    How next                    # what it becomes when `changed`
    uint32_t changed            # set by who asks for the change, cleared by the thread
    CBucket bucket
    uint64_t taken              # bytes of records since the last rest
    int64_t bucket_number       # time // width_ns
    int64_t opened_ns           # monotonic, of the bucket
    int64_t touched_ns          # monotonic, when its last record came
    uint8_t *record             # copy of one
    uint8_t *staging            # packets to send
    uint32_t staged
    uint32_t staging_bytes
    Outlet out
    Bell *bell

# Make the buffers, by the plan with the most signals. 0, or -1: there is no memory.
cdef int decimating_init(Decimating *d, const CPlan *largest, How how, bint framed, int socket) noexcept nogil

cdef void decimating_free(Decimating *d) noexcept nogil

# Hold a record against the limits, with which `done` bytes of the block are; False when the block was taken meanwhile.
cdef bint check_limits(Decimating *d, const Block *block, const uint8_t *record, const Walk *walk,
                       uint64_t done) noexcept nogil

# Check and decimate records, that were validated when they came; False when the block was taken meanwhile.
cdef bint take_records(Decimating *d, const Block *block, const uint8_t *p, const uint8_t *end) noexcept nogil

# Go over to a version of the schema, after sending the bucket of another.
cdef void use_version(Decimating *d, uint32_t version) noexcept nogil

# Send what the bucket holds, and empty it: a single record as it came, else its aggregates.
cdef void send_bucket(Decimating *d) noexcept nogil

# Send what is staged; what cannot go at once is counted and gone.
cdef void send_staged(Decimating *d) noexcept nogil

# Monotonic time at which the bucket is sent though it is not full; 0 when it is empty.
cdef int64_t deadline(const Decimating *d) noexcept nogil

cdef How how_of(str algorithm, int every, width_ns) except *
