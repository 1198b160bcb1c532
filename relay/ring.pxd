"""The ring of blocks as the receiver uses it: a block is opened, filled, closed, and shown to the other threads."""

from libc.stdint cimport uint32_t

from speeddata.relay.mapping cimport Building, Parts, State

cdef struct Ring:
    Parts *parts
    uint32_t turn            # where to look for a free block

# Begin the next block in a free place, or in a spare one when the ring is full.
cdef void open_block(Ring *ring, State *state) noexcept nogil

# Give the block being built to the writer (a spare one to nobody).
cdef void close_block(Ring *ring, State *state) noexcept nogil

# A block that is free, or -1.
cdef int free_block(const Ring *ring) noexcept nogil

# Show the blocks from the newest that was shown to the one being built, and the writer's queue.
cdef void publish(Ring *ring, const State *state) noexcept nogil

# Work out from what counts which blocks are free, after another relay has died.
cdef void recover_ring(Ring *ring, const State *state) noexcept nogil

cdef inline void make_room(Ring *ring, State *state, uint32_t length) noexcept nogil:
    """See that the block being built can take `length` more bytes; length <= SLOT_BYTES <= block_bytes."""
    cdef Building *b = &state.books.building
    if b.open and b.length + length > ring.parts.head.block_bytes:
        close_block(ring, state)
    if not b.open:
        open_block(ring, state)
