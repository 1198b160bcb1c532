"""The shared mapping of one channel: everything that must outlive a relay process killed at any instant.

It is a memfd that the keeper holds. A relay maps it, goes on where the former one was, and nothing in it is a pointer
that must hold in another process (those of the message headers are set anew by each relay).

    head | message headers, iovecs, names, control data | receive slots | ring of blocks | quarantine ring

Three threads write it, each its own part. What a reader may see of a part becomes visible by one release store:
`commit` for the receiver's State, `stored` for the writer's Store, `turn` for each Standing of the decimator's; each has two
copies, of which one counts.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from libc.string cimport memcpy

from speeddata.plan cimport REASON_COUNT
from speeddata.relay.atomics cimport fence, store64
from speeddata.relay.c_system cimport EDQUOT, EFBIG, ENOSPC, iovec, mmsghdr, sockaddr_in

cdef enum:
    BATCH = 64               # datagrams in one recvmmsg
    SLOT_BYTES = 65536       # holds the largest datagram
    SLOT_STRIDE = 67648      # not a power of two: slots at one stride of 64 KiB would fight for the same cache sets
    CONTROL_BYTES = 64       # SO_TIMESTAMPNS
    SENDERS = 64             # that are followed at one time
    HEAD_ROOM = 32           # before a block's records: two varints
    SYNC_BYTES = 16          # after them
    FRAME_BYTES = 10         # C3 01 and the fingerprint, before each record of single-object framing
    SPARES = 16              # blocks for the live streams alone, when the ring is full
    MAX_BLOCKS = 4096        # of the ring, spares included
    QUARANTINE_RING = 262144
    WORDS_BYTES = 256
    MAX_VERSIONS = 16        # of a channel's schema
    MAX_LIMITED = 256        # signals of a channel that have limits, over all versions of its schema
    LEVELS = 2               # of limits: warn, alarm
    MAX_KEYS = 64            # that a channel's packets may be signed by

cdef enum:
    MSG_EMPTY = 0xFFFFFFFFu  # msg_len of a message that recvmmsg has not filled (0 is a legal datagram)

# How a value stands to the limits on one side.
cdef enum:
    LEVEL_WITHIN
    LEVEL_WARN
    LEVEL_ALARM

# On which side of a signal's values limits are.
cdef enum:
    EDGE_LOW
    EDGE_HIGH
    EDGES

cdef enum:
    FLAG_UNSORTED = 1        # index flag: times do not ascend within the block
    FLAG_BAD_TIME = 2        # index flag: records with impossible source times, indexed by receive time

# Why records that were accepted are not in the archive, besides a full ring. Names in mapping.LOSSES.
cdef enum Loss:
    LOSS_DISK_FULL           # ENOSPC, EDQUOT, EFBIG
    LOSS_IO                  # any other error
    LOSS_COUNT

# One source of packets, what came of it, and its sequence numbers.
cdef struct Sender:
    uint32_t address         # as on the wire
    uint16_t port
    uint64_t touched         # batch that saw it last
    int64_t last_ns          # when its last packet came
    uint64_t packets         # that were accepted
    uint64_t records
    uint64_t refused         # packets
    uint64_t gaps            # these three as in Books
    uint64_t duplicates
    uint64_t reordered
    int64_t newest           # highest number seen
    uint64_t seen            # bit k: newest - k was seen

# A key that packets are signed by, and the numbers of those that were taken.
cdef struct Signer:
    uint32_t key             # its id, as on the wire
    uint32_t pad
    uint64_t newest          # highest number
    uint64_t seen            # bit k: newest - k was seen

# A block while it is filled; becomes a Block when it is closed.
cdef struct Building:
    uint32_t open
    uint32_t block           # its place in the ring
    uint32_t spare           # it is one of the SPARES: not for the archive
    uint32_t version         # of the schema, that all its records are of
    uint32_t length          # bytes of records
    uint32_t count
    uint32_t flags
    int64_t first_ns
    int64_t last_ns
    int64_t min_ns
    int64_t max_ns
    int64_t arrival_ns       # of its first record
    int64_t newest_ns        # when its last record came

# What one packet changes.
cdef struct Books:
    uint64_t packets
    uint64_t records
    uint64_t bytes
    uint64_t ring_full       # records
    uint64_t bad_time        # records
    uint64_t gaps            # sequence numbers that were jumped over
    uint64_t duplicates
    uint64_t reordered
    uint64_t version         # of the schema in force: that of the last packet
    uint64_t unit            # TimeUnit in force
    uint64_t guessed         # that of versions which state none, found from the first record
    Building building

# All that receiving a batch changes.
cdef struct State:
    Books books
    uint64_t rejected[REASON_COUNT]   # packets
    uint64_t forwarded       # packets
    uint64_t forward_failed
    uint64_t forward_cut     # those of the forwarded that the kernel cut from runs
    uint64_t forward_error   # errno of the last that could not go; 0 = the last one went
    uint64_t serial          # number of the newest block
    uint64_t tail            # blocks handed to the writer
    uint64_t known           # senders that are followed
    uint64_t forgotten       # senders that were, and gave way to others
    uint64_t keys            # of signers
    Sender senders[SENDERS]  # these two last: as many as there are are copied
    Signer signers[MAX_KEYS]

# What the writer has done.
cdef struct Store:
    uint64_t head            # blocks of the queue that are dealt with
    uint64_t archived        # records written
    uint64_t durable         # records known to be on the disk
    uint64_t pending         # records written and not yet
    int64_t written_ns       # when the newest record came that is written; 0 = none is
    int64_t durable_ns       # when the newest record came that is known to be on the disk
    uint64_t lost[LOSS_COUNT]   # records
    uint64_t blocks
    uint64_t bytes
    uint64_t fsyncs
    uint64_t failed_fsyncs
    uint64_t rescued         # records written once more, after a failed fdatasync
    uint64_t segments
    uint64_t error           # errno of the last failure; 0 = sound
    uint64_t rotate_error    # why the open segment, outgrown, is not followed by another; 0 = it can be
    int64_t segment_us       # start of the open segment, which names it; 0 = none is open
    uint64_t offset          # where its next block goes
    uint64_t entries         # index entries
    uint64_t synced          # bytes of it that are known to be on the disk
    uint64_t synced_entries
    int64_t segment_opened_ns   # monotonic
    uint32_t suspect         # an fdatasync of it has failed: what is not synced must go into another
    int64_t rescue_us        # start of a segment that is being made of what a failed fdatasync left; 0 = none is
    int64_t cut_us           # start of a segment that is still to be cut, for what follows is in another; 0 = none is
    uint64_t cut_offset
    uint64_t cut_entries
    uint32_t version         # of the schema that its header states
    uint32_t unit            # TimeUnit that it states
    uint8_t sync[SYNC_BYTES]

# What the decimator has done. A kill may repeat or lose a little of it.
cdef struct Trail:
    uint64_t serial          # block that it reads
    uint64_t offset          # bytes of it that are done
    uint64_t phase           # records since the last that was sent
    uint64_t decimated       # packets sent
    uint64_t failed
    uint64_t cut             # those of the decimated that the kernel cut from runs
    uint64_t error           # errno of the last that could not go; 0 = the last one went
    uint64_t skipped         # blocks it came too late for

# A value that is beyond a limit.
cdef struct Beyond:
    int64_t time_ns          # of its record; when it was checked, where that cannot be right
    double real              # float, double
    int64_t whole            # boolean, int, long
    double limit             # that it is beyond, as the schema states it
    uint32_t kind            # Kind of the value
    uint32_t pad

# How a signal stands to its limits on one side. But for `rises` and `level` all is since the first rise that is not acknowledged.
cdef struct Standing:
    uint64_t rises           # how often a record was further beyond than the one before it
    uint32_t level           # of the newest record that has a number there
    uint32_t highest         # level
    int64_t since_ns[LEVELS]     # first record beyond any limit; beyond that of the alarm
    uint64_t records[LEVELS]     # of the same
    Beyond last
    Beyond worst

# The decimator writes the Standing that does not count, then lets it count; `seen` is the keeper's.
cdef struct Side:
    uint64_t turn            # which Standing counts, in its lowest bit
    uint64_t seen            # rises that are acknowledged
    Standing standings[2]

# A signal that has limits, in whichever place it got first.
cdef struct Limited:
    uint64_t key             # hash of its name; 0 = nobody's
    uint64_t epoch           # drawn with the place: tells rises of now from those of another life of the channel
    Side sides[EDGES]

# One block of the ring. Readers other than the receiver look at a block only as far as `visible`, and believe what
# they read only if `serial` is still the same afterwards.
cdef struct Block:
    uint64_t serial
    uint64_t visible         # bytes of records that are committed
    uint32_t closed          # no more will come
    uint32_t busy            # taken: set by the receiver, cleared by the writer
    uint32_t length
    uint32_t count
    uint32_t flags
    uint32_t version
    uint32_t unit
    int64_t first_ns
    int64_t min_ns
    int64_t max_ns
    int64_t arrival_ns
    int64_t newest_ns
    uint8_t pad[36]

cdef struct Head:
    uint64_t magic
    uint64_t version
    uint64_t size            # bytes of the mapping
    uint64_t block_bytes
    uint64_t block_count     # without the spares
    uint64_t block_stride
    int64_t created_ns       # since when the counters count
    uint64_t clean           # the last relay ended in order
    uint64_t movers[2]       # thread ids of the last relay's receiver and decimator
    uint64_t repaired_segments    # when a relay started
    uint64_t repaired_cut_bytes
    uint64_t repaired_blocks      # put into an index
    uint8_t words[WORDS_BYTES]    # why the last relay ended, as UTF-8 up to a NUL
    uint64_t line0[8]
    uint64_t commit          # receiver: batch number << 2 | which State counts << 1 | 1 when the batch is DONE, 0 when ARMED
    uint64_t tail            # receiver: blocks that the writer may take
    uint64_t newest          # receiver: serial of the newest block that readers know
    uint64_t beats           # receiver: how often it went on though nothing came
    uint64_t line1[8]
    uint64_t stored          # writer: number << 1 | which Store counts
    uint64_t line2[8]
    uint64_t quarantine_written   # receiver
    uint64_t quarantine_missed    # receiver: packets that found no room there
    uint64_t line3[8]
    uint64_t quarantine_read      # main thread
    uint64_t quarantined          # main thread: packets that it filed
    uint64_t line5[8]
    Trail trail              # decimator
    uint64_t turns           # decimator: rises and returns of all signals
    uint64_t line4[8]
    Store stores[2]
    State states[2]
    uint32_t queue[MAX_BLOCKS]    # block of place n of the writer's queue, at n % MAX_BLOCKS
    uint32_t order[MAX_BLOCKS]    # block of serial n, at n % MAX_BLOCKS
    Limited limited[MAX_LIMITED]

# A packet set aside, as it lies in the quarantine ring, its bytes after it.
cdef struct Aside:
    int64_t arrival_ns
    uint32_t address
    uint16_t port
    uint16_t reason
    uint32_t length
    uint32_t offset          # where in the packet it was refused

# Addresses in this process of the parts of a mapping.
cdef struct Parts:
    Head *head
    mmsghdr *messages
    iovec *iovecs
    sockaddr_in *names
    uint8_t *control
    uint8_t *slots
    Block *blocks
    uint8_t *data
    uint8_t *quarantine

cdef inline uint8_t *block_data(const Parts *parts, uint32_t block) noexcept nogil:
    """The records of a block; HEAD_ROOM bytes before and SYNC_BYTES after them are its own."""
    return parts.data + block * parts.head.block_stride + HEAD_ROOM

cdef inline Loss loss_of(int error) noexcept nogil:
    """Under which reason records are lost for an errno."""
    return LOSS_DISK_FULL if error in (ENOSPC, EDQUOT, EFBIG) else LOSS_IO

cdef inline Store *current_store(const Parts *parts) noexcept nogil:
    return &parts.head.stores[parts.head.stored & 1]

cdef inline Store *next_store(const Parts *parts) noexcept nogil:
    return &parts.head.stores[1 - (parts.head.stored & 1)]

cdef inline Store *begin_store(const Parts *parts) noexcept nogil:
    """For the writer: the Store that does not count, filled from the one that does."""
    fence()  # who copies the former one sees that it does not count any more before any new byte of it
    memcpy(next_store(parts), current_store(parts), sizeof(Store))
    return next_store(parts)

cdef inline void commit_store(const Parts *parts) noexcept nogil:
    """For the writer: let the other Store count."""
    store64(&parts.head.stored, ((parts.head.stored >> 1) + 1) << 1 | (1 - (parts.head.stored & 1)))

cdef inline Standing *current_standing(Side *side) noexcept nogil:
    return &side.standings[side.turn & 1]

cdef inline Standing *begin_standing(Side *side) noexcept nogil:
    """For the decimator: the Standing that does not count, filled from the one that does."""
    fence()  # who copies the former one sees that it does not count any more before any new byte of it
    memcpy(&side.standings[1 - (side.turn & 1)], current_standing(side), sizeof(Standing))
    return &side.standings[1 - (side.turn & 1)]

cdef inline State *current_state(const Parts *parts, uint64_t commit) noexcept nogil:
    return &parts.head.states[commit >> 1 & 1]

cdef class Mapping:
    cdef Parts parts
    cdef readonly int fd

    # The State that counts, whole.
    cdef void copy_state(self, State *out) noexcept
