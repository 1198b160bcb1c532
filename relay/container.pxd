"""A segment and its index as files: an Avro object container, and a fixed-size entry per block beside it.

Every function gives 0 or an errno. Offsets are fixed by the caller before, so that doing a write again is harmless.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from speeddata.relay.mapping cimport MAX_VERSIONS, SYNC_BYTES, Block, Store

cdef enum:
    INDEX_HEAD = 64
    INDEX_ENTRY = 64
    NAME_BYTES = 160         # a channel name of 64, the start, an ending
    UNITS = 5                # TimeUnit
    HEADERS = MAX_VERSIONS * UNITS

# One block in the index; `check` is the CRC-32C of what stands before it.
cdef struct Entry:
    uint64_t offset
    uint32_t length
    uint32_t count
    int64_t first_ns
    int64_t min_ns
    int64_t max_ns
    int64_t arrival_ns
    uint32_t flags
    uint32_t crc
    uint32_t check
    uint32_t zero

cdef struct Container:
    int folder               # of the channel
    const char *channel
    const uint8_t *headers[HEADERS]   # what a segment begins with, up to its sync marker, by `header_of`
    uint32_t header_bytes[HEADERS]
    int data                 # the open segment, or -1
    int index
    bint uncut               # behind what counts there may be a block, that could not be cut off
    bint shared              # the shared relay's, beside that of the channel's own relay: it fsyncs many segments at once itself
    int next_data            # the one made ready, or -1
    int next_index
    uint32_t next_version
    uint32_t next_unit
    uint8_t next_sync[SYNC_BYTES]

cdef inline uint32_t header_of(uint32_t version, uint32_t unit) noexcept nogil:
    """Place of the header for a version of the schema and a unit of its times."""
    return version * UNITS + unit  # < HEADERS

# <channel>_<YYYYmmddTHHMMSS.ffffffZ>.<ending>, into NAME_BYTES
cdef void segment_name(const Container *c, int64_t start_us, const char *ending, char *out) noexcept nogil

# A zig-zag varint of a number that is not negative; gives its bytes, at most 10.
cdef unsigned int put_varint(uint8_t *out, uint64_t value) noexcept nogil

# pwrite all of it; a short write goes on, an interrupted one starts again.
cdef int write_all(int fd, const uint8_t *data, size_t length, uint64_t offset) noexcept nogil

# Make the next segment ready under names that begin with a dot.
cdef int prepare_next(Container *c, uint32_t version, uint32_t unit) noexcept nogil

# Remove what was made ready.
cdef void discard_next(Container *c) noexcept nogil

# Give the segment made ready its name, which tells `start_us`, and let `store` speak of it. ENOENT: the folder is gone.
cdef int begin_segment(Container *c, Store *store, int64_t start_us, uint32_t version, uint32_t unit) noexcept nogil

# Open a segment by its start; an index that is not there is made.
cdef int open_segment(Container *c, int64_t start_us) noexcept nogil

# Open the segment that `store` speaks of once more (ESTALE: it is another now), and cut off what a relay that was killed wrote without its counting.
cdef int reopen_segment(Container *c, const Store *store) noexcept nogil

# Write a block, whose records are at `data`, and its index entry where `store` says; `store` moves on when both are written.
cdef int put_block(Container *c, Store *store, const Block *block, uint8_t *data) noexcept nogil

# Cut both files to what counts: a block may have been written, in part or whole, that `store` does not know.
cdef int cut_back(Container *c, const Store *store) noexcept nogil

# Write a whole block, and its entry, of which offset and checksums are set here, where `store` says; only its place moves on.
cdef int write_entry(Container *c, Store *store, const uint8_t *block, Entry *entry) noexcept nogil

# Read an entry, or the block of one, from the open segment. ESTALE: it is not there, or its checksum says it is another.
cdef int read_entry(const Container *c, uint64_t number, Entry *out) noexcept nogil
cdef int read_block(const Container *c, const Entry *entry, uint8_t *out) noexcept nogil

cdef void unlink_segment(const Container *c, int64_t start_us) noexcept nogil

# Whether the open segment and its index are what was written: ENOENT when somebody has deleted one, ESTALE when cut.
cdef int check_segment(const Container *c, const Store *store) noexcept nogil

# fdatasync of the segment, and of the index when it is sealed, and `check_segment`.
cdef int flush_segment(Container *c, const Store *store, bint seal) noexcept nogil

cdef void close_segment(Container *c) noexcept nogil
