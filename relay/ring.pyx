# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Blocks opened, closed and shown (see ring.pxd)."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from speeddata.relay.atomics cimport fence, load32, store32, store64
from speeddata.relay.mapping cimport MAX_BLOCKS, SPARES, Block, Building, Head, State, Store

cdef enum:
    WARM = 32  # blocks in use while the writer keeps up


cdef void publish(Ring *ring, const State *state) noexcept nogil:
    """Show the blocks from the newest that was shown to the one being built, and the writer's queue."""
    cdef Head *head = ring.parts.head
    cdef uint64_t serial = head.newest
    cdef Block *block
    while serial <= state.serial:
        block = &ring.parts.blocks[head.order[serial % MAX_BLOCKS]]
        if serial and block.serial == serial:
            if serial == state.serial and state.books.building.open:
                store64(&block.visible, state.books.building.length)
            else:
                store64(&block.visible, block.length)
                store32(&block.closed, 1)
        serial += 1
    store64(&head.newest, state.serial)
    store64(&head.tail, state.tail)


cdef void close_block(Ring *ring, State *state) noexcept nogil:
    """Give the block being built to the writer (a spare one to nobody)."""
    cdef Building *b = &state.books.building
    cdef Block *block = &ring.parts.blocks[b.block]
    block.length, block.count, block.flags, block.unit = b.length, b.count, b.flags, <uint32_t>state.books.unit
    block.first_ns, block.min_ns, block.max_ns = b.first_ns, b.min_ns, b.max_ns
    block.arrival_ns, block.newest_ns = b.arrival_ns, b.newest_ns
    if b.count == 0:
        # Opened for a packet that was then refused.
        store32(&block.busy, 0)
    elif not b.spare:
        ring.parts.head.queue[state.tail % MAX_BLOCKS] = b.block
        state.tail += 1
    b.open = 0


cdef int free_block(const Ring *ring) noexcept nogil:
    """A block that is free, or -1.

    The first WARM blocks are used in turn as long as they do: few enough to stay in cache, enough to give the decimator
    time before a block that was written is used again.
    """
    cdef Block *blocks = ring.parts.blocks
    cdef uint32_t count = <uint32_t>ring.parts.head.block_count
    cdef uint32_t warm = min(count, <uint32_t>WARM)
    cdef uint32_t i
    for i in range(warm):
        if not load32(&blocks[(ring.turn + i) % warm].busy):
            return <int>((ring.turn + i) % warm)
    for i in range(warm, count):
        if not load32(&blocks[i].busy):
            return <int>i
    return -1


cdef void open_block(Ring *ring, State *state) noexcept nogil:
    """Begin the next block in a free place, or in a spare one when the ring is full."""
    cdef Head *head = ring.parts.head
    cdef Building *b = &state.books.building
    cdef int place = free_block(ring)
    cdef Block *block
    state.serial += 1
    memset(b, 0, sizeof(Building))
    b.open = 1
    b.spare = place < 0
    b.version = <uint32_t>state.books.version
    b.block = <uint32_t>(place if place >= 0 else head.block_count + state.serial % SPARES)
    block = &ring.parts.blocks[b.block]
    store32(&block.closed, 0)
    block.version = b.version
    store64(&block.visible, 0)
    store64(&block.serial, state.serial)
    fence()  # who reads the block sees its new number before any of its new bytes
    block.busy = 1
    ring.turn = b.block + 1
    head.order[state.serial % MAX_BLOCKS] = b.block


cdef void recover_ring(Ring *ring, const State *state) noexcept nogil:
    cdef Head *head = ring.parts.head
    cdef const Store *store = &head.stores[head.stored & 1]
    cdef uint64_t k
    for k in range(head.block_count + SPARES):
        ring.parts.blocks[k].busy = 0
    for k in range(store.head, state.tail):
        ring.parts.blocks[head.queue[k % MAX_BLOCKS]].busy = 1
    if state.books.building.open:
        ring.parts.blocks[state.books.building.block].busy = 1
