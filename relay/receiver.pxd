"""The receiver thread: socket -> walk -> block and full-rate stream."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from speeddata.plan cimport CPlan
from speeddata.relay.doorbell cimport Bell
from speeddata.relay.mapping cimport MAX_VERSIONS, Parts
from speeddata.relay.outlet cimport Outlet
from speeddata.relay.ring cimport Ring
from speeddata.relay.signature cimport SigningKey

cdef enum:
    MAX_NETWORKS = 64        # that a channel takes packets from

# Source addresses of which the bits of `mask` are those of `address`; both as on the wire.
cdef struct Network:
    uint32_t address
    uint32_t mask

cdef struct Receiving:
    Parts parts
    const CPlan *plans[MAX_VERSIONS]   # versions of the schema; one where packets are not framed
    uint32_t versions
    const CPlan *plan        # that of the packet being taken
    int fd                   # receive socket
    bint single_object       # framing
    bint narrow              # that of `plan` has 32 bits
    Network networks[MAX_NETWORKS]   # from which packets are taken
    uint32_t allowed         # how many of them there are; 0 = from everywhere
    const SigningKey *keys   # by which packets must be signed
    uint32_t key_count       # 0 = they need not be
    int64_t age_ns           # a block closes when it is this old
    uint64_t open_serial     # block being built when its age was last looked at; 0 = none
    int64_t opened_ns        # monotonic time when it was first seen
    uint64_t batch           # number of the last one
    unsigned int largest_batch   # messages in one, at most; at most BATCH
    unsigned int batch_size  # messages to ask for: as many as stay in the cache
    bint spin                # never sleep
    Ring ring                # where blocks come from and go to
    uint64_t reserve         # free blocks of the ring, at most, that make it nearly full
    uint64_t written         # blocks that the writer had dealt with when it was last seen to go on
    int64_t written_ns       # monotonic time of that
    unsigned int used        # messages that the last recvmmsg may have filled
    Outlet forward           # packets of this batch to the full-rate group
    uint32_t forward_block   # that the queued ones are in
    Bell *bell               # its own
    Bell *writer
    Bell *decimator
    Bell *clerk              # the main thread, that files refused packets
    int error                # errno that ended it
