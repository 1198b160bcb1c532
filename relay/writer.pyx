# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The writer thread of a relay, alone with the disk: block -> segment and index -> fsync -> watermark.

Like the receiver it works in the Store that does not count and lets it count by one store; a successor does a write
again at the same place.
"""

import os

from libc.math cimport isinf
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from speeddata.relay.atomics cimport load32, load64, store32, store64
from speeddata.relay.c_system cimport CLOCK_MONOTONIC, CLOCK_REALTIME, EDQUOT, EFBIG, ENOENT, ENOSPC, clock_ns
from speeddata.relay.container cimport (
    UNITS,
    Container,
    begin_segment,
    check_segment,
    close_segment,
    discard_next,
    flush_segment,
    prepare_next,
    put_block,
    reopen_segment,
)
from speeddata.relay.doorbell cimport Bell, Doorbell, lie_down, sleep
from speeddata.relay.mapping cimport (
    LOSS_DISK_FULL,
    LOSS_IO,
    MAX_BLOCKS,
    Block,
    Head,
    Mapping,
    Parts,
    Store,
    block_data,
)

cdef int64_t FOR_EVER = 0x7FFF_FFFF_FFFF_FFFF

cdef struct Writing:
    Parts parts
    Container container
    Bell *bell
    int64_t flush_ns         # how long a record may wait for fdatasync, from when it came; FOR_EVER = until it is sealed
    int64_t rotate_ns        # age of a segment; 0 = any
    uint64_t rotate_bytes    # size of a segment; 0 = any
    int64_t dirty_ns         # monotonic time when the oldest record that waits for fdatasync came; 0 = none waits
    int64_t flushed_ns       # monotonic time of the last fdatasync


cdef Store *current_store(Writing *w) noexcept nogil:
    return &w.parts.head.stores[w.parts.head.stored & 1]


cdef Store *begin(Writing *w) noexcept nogil:
    """The Store that does not count, filled from the one that does."""
    cdef Store *new = &w.parts.head.stores[1 - (w.parts.head.stored & 1)]
    memcpy(new, current_store(w), sizeof(Store))
    return new


cdef void commit(Writing *w) noexcept nogil:
    """Let the other Store count."""
    store64(&w.parts.head.stored, ((w.parts.head.stored >> 1) + 1) << 1 | (1 - (w.parts.head.stored & 1)))


cdef void lose(Store *store, uint32_t count, int error) noexcept nogil:
    """Count records that could not be written, by the reason."""
    cdef int loss = LOSS_DISK_FULL if error in (ENOSPC, EDQUOT, EFBIG) else LOSS_IO
    store.lost[loss] += count
    store.error = error


cdef void flush(Writing *w, bint seal) noexcept nogil:
    """Bring the open segment to the disk; sealing also ends it. A failed fdatasync is never tried again on it."""
    cdef Store *store = begin(w)
    cdef int error
    w.dirty_ns = 0
    if w.container.data < 0:
        return
    error = flush_segment(&w.container, store, seal)
    w.flushed_ns = clock_ns(CLOCK_MONOTONIC)
    store.fsyncs += 1
    if error == 0:
        store.durable += store.pending
    else:
        store.error = error
    if error == ENOENT:
        # It went the way of the file.
        store.archived -= store.pending
        store.lost[<int>LOSS_IO] += store.pending
    store.pending = 0
    if seal or error:
        close_segment(&w.container)
        store.segment_us = 0
    commit(w)


cdef int64_t flush_due(const Writing *w) noexcept nogil:
    """When what is written must be on the disk; a writer that lags is not made to flush for every block."""
    if w.dirty_ns == 0 or w.flush_ns == FOR_EVER:
        return FOR_EVER
    return max(w.dirty_ns + w.flush_ns, w.flushed_ns + w.flush_ns // 4)


cdef bint outgrown(Writing *w, const Store *store, const Block *block) noexcept nogil:
    """Whether the open segment must end before this block (NULL: whether it is too old)."""
    if w.container.data < 0:
        return False
    if w.rotate_ns and clock_ns(CLOCK_MONOTONIC) - store.segment_opened_ns >= w.rotate_ns:
        return True
    if block == NULL:
        return False
    return block.unit != store.unit or (
        w.rotate_bytes and store.entries and store.offset + block.length > w.rotate_bytes
    )


cdef bint spoiled(Writing *w) noexcept nogil:
    """Whether somebody has deleted or cut the open segment: what is written there now would be lost."""
    return w.container.data >= 0 and check_segment(&w.container, current_store(w)) != 0


cdef int write_block(Writing *w) noexcept nogil:
    """Write the next block of the queue, or count why it is not written, and free it.

    ENOENT, with nothing done: the channel's folder is gone.
    """
    cdef uint32_t place = w.parts.head.queue[current_store(w).head % MAX_BLOCKS]
    cdef Block *block = &w.parts.blocks[place]
    cdef Store *store
    cdef int error = 0
    if outgrown(w, current_store(w), block) or spoiled(w):
        flush(w, True)
    store = begin(w)
    if w.container.data < 0:
        error = begin_segment(&w.container, store, block.arrival_ns // 1000, block.unit)
        store.segment_opened_ns = clock_ns(CLOCK_MONOTONIC)
        if error == ENOENT:
            return error
        if error == 0:
            # From here on a successor knows the segment, before a block is in it.
            commit(w)
            store = begin(w)
    if error == 0:
        error = put_block(&w.container, store, block, block_data(&w.parts, place))
    if error:
        lose(store, block.count, error)
    else:
        store.error = 0
        if w.dirty_ns == 0:
            w.dirty_ns = clock_ns(CLOCK_MONOTONIC) - max(clock_ns(CLOCK_REALTIME) - block.arrival_ns, <int64_t>0)
    store.head += 1
    commit(w)
    store32(&block.busy, 0)
    if error and error not in (ENOSPC, EDQUOT, EFBIG):
        flush(w, True)
    return 0


cdef void resume(Writing *w) noexcept nogil:
    """Go on in the segment that the former relay had open, if it is still there."""
    cdef Store *store
    if current_store(w).segment_us and reopen_segment(&w.container, current_store(w)) != 0:
        close_segment(&w.container)
        store = begin(w)
        store.segment_us = store.pending = 0
        commit(w)
    if current_store(w).pending:
        w.dirty_ns = clock_ns(CLOCK_MONOTONIC)


cdef void rest(Writing *w) noexcept nogil:
    """Wait for a block, or until the open segment is to be flushed or to end."""
    cdef int64_t due = flush_due(w)
    if w.rotate_ns and w.container.data >= 0:
        due = min(due, current_store(w).segment_opened_ns + w.rotate_ns)
    lie_down(w.bell)
    if current_store(w).head == load64(&w.parts.head.tail) and not load32(&w.bell.stop):
        sleep(w.bell, -1, -1 if due == FOR_EVER else max(due - clock_ns(CLOCK_MONOTONIC), <int64_t>0))
    store32(&w.bell.sleeps, 0)


cdef int write(Writing *w) noexcept nogil:
    """The loop of the thread: until told to stop, and then until the queue is empty.

    ENOENT: the folder is gone. What is in the queue stays there for a successor, which makes the folder anew.
    """
    while True:
        if current_store(w).head != load64(&w.parts.head.tail):
            if write_block(w) == ENOENT:
                return ENOENT
        elif load32(&w.bell.stop):
            break
        else:
            if w.container.next_data < 0 and w.container.data >= 0:
                # Made ready in a quiet moment, so that rotation does not wait for it. Failing is no harm.
                prepare_next(&w.container, current_store(w).unit)
            rest(w)
        if clock_ns(CLOCK_MONOTONIC) >= flush_due(w):
            flush(w, False)
        if outgrown(w, current_store(w), NULL):
            flush(w, True)
    flush(w, True)
    discard_next(&w.container)
    return 0


cdef class Writer:
    """Writes one channel's blocks into its folder; `run` is the body of a thread.

    `headers` holds, by TimeUnit, what a segment begins with up to its sync marker.
    """
    cdef Writing w
    cdef object keep

    def __cinit__(self, Mapping mapping, int folder, str channel, list headers, double flush_s, int64_t rotate_s,
                  uint64_t rotate_bytes, Doorbell bell):
        cdef Writing *w = &self.w
        cdef bytes name = channel.encode()
        assert len(headers) == UNITS and len(name) <= 64, "a header per unit, a name of at most 64 bytes"
        self.keep = (mapping, name, headers, bell)
        memset(w, 0, sizeof(Writing))
        w.parts, w.bell = mapping.parts, &bell.bell
        w.container.folder, w.container.channel = folder, name
        for unit in range(UNITS):
            w.container.headers[unit] = headers[unit]
            w.container.header_bytes[unit] = len(headers[unit])
        w.container.data = w.container.index = w.container.next_data = w.container.next_index = -1
        w.flush_ns = FOR_EVER if isinf(flush_s) else <int64_t>(flush_s * 1e9)
        w.rotate_ns, w.rotate_bytes = rotate_s * 1_000_000_000, rotate_bytes

    def resume(self) -> None:
        """Take over the segment that the mapping says is open."""
        with nogil:
            resume(&self.w)

    def run(self) -> None:
        """Write until the doorbell says stop and the queue is empty; the last segment is sealed.

        OSError: the channel's folder has been deleted.
        """
        cdef int error
        with nogil:
            error = write(&self.w)
        if error:
            raise OSError(error, "the channel's folder has been deleted")
