"""The receiver thread: socket -> walk -> block and full-rate stream."""

from libc.stdint cimport int64_t, uint64_t

from speeddata.plan cimport CPlan
from speeddata.relay.c_system cimport iovec, mmsghdr
from speeddata.relay.doorbell cimport Bell
from speeddata.relay.mapping cimport BATCH, Parts
from speeddata.relay.ring cimport Ring

cdef struct Receiving:
    Parts parts
    const CPlan *plan
    int fd                   # receive socket
    int forward_fd           # connected to the full-rate group
    bint single_object       # framing
    bint numbered            # the schema has a sequence field
    bint narrow              # of 32 bits
    int64_t age_ns           # a block closes when it is this old
    uint64_t open_serial     # block being built when its age was last looked at; 0 = none
    int64_t opened_ns        # monotonic time when it was first seen
    uint64_t batch           # number of the last one
    Ring ring                # where blocks come from and go to
    unsigned int used        # messages that the last recvmmsg may have filled
    unsigned int forwards    # packets of this batch to re-send
    mmsghdr out[BATCH]
    iovec out_iovecs[BATCH]
    Bell *bell               # its own
    Bell *writer
    Bell *decimator
    Bell *clerk              # the main thread, that files refused packets
    int error                # errno that ended it
