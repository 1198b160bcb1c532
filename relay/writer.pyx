# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The writer thread of a relay, alone with the disk: block -> segment and index -> fsync -> watermark.

Like the receiver it works in the Store that does not count and lets it count by one store; a successor does a write
again at the same place.
"""

import os

from libc.math cimport isinf
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from speeddata.relay.atomics cimport load32, load64, store32
from speeddata.relay.c_system cimport CLOCK_MONOTONIC, CLOCK_REALTIME, EDQUOT, EIO, ELOOP, ENOENT, ENOSPC, ESTALE, clock_ns, pause
from speeddata.relay.container cimport (
    HEADERS,
    UNITS,
    Container,
    begin_segment,
    check_segment,
    close_segment,
    cut_back,
    discard_next,
    flush_segment,
    prepare_next,
    put_block,
    reopen_segment,
)
from speeddata.relay.doorbell cimport Bell, Doorbell, lie_down, sleep
from speeddata.relay.mapping cimport (
    MAX_BLOCKS,
    Block,
    Mapping,
    Parts,
    Store,
    begin_store,
    block_data,
    commit_store,
    current_store,
    loss_of,
    next_store,
)
from speeddata.relay.rescue cimport give_up, rescue, resume_rescue

cdef int64_t FOR_EVER = 0x7FFF_FFFF_FFFF_FFFF
cdef int64_t RETRY_NS = 100_000_000  # between two attempts to write a block that the disk refuses

cdef struct Writing:
    Parts parts
    Container container
    Bell *bell
    uint8_t *scratch         # for one block
    int64_t flush_ns         # how long a record may wait for fdatasync, from when it came; FOR_EVER = until it is sealed
    int64_t rotate_ns        # age of a segment; 0 = any
    uint64_t rotate_bytes    # size of a segment; 0 = any
    int64_t dirty_ns         # monotonic time when the oldest record that waits for fdatasync came; 0 = none waits
    int64_t flushed_ns       # monotonic time of the last fdatasync


cdef void lose(Store *store, uint32_t count, int error) noexcept nogil:
    """Count records that could not be written, by the reason."""
    store.lost[<int>loss_of(error)] += count
    store.error = error


cdef void end_segment(Writing *w, Store *store) noexcept nogil:
    close_segment(&w.container)
    store.segment_us = 0


cdef bint may_wait(const Writing *w) noexcept nogil:
    """Whether the ring has room to wait for the disk to recover."""
    cdef uint64_t queued = load64(&w.parts.head.tail) - current_store(&w.parts).head
    return not load32(&w.bell.stop) and queued < w.parts.head.block_count * 3 // 4


cdef void note(Writing *w, int error) noexcept nogil:
    """Let it be known what keeps the writer from writing."""
    if current_store(&w.parts).error != <uint64_t>error:
        begin_store(&w.parts).error = error
        commit_store(&w.parts)


cdef int reopen(Writing *w) noexcept nogil:
    """Open the segment that a former relay left open, if it is still to be done; on an error it is to be tried again."""
    cdef int error = 0
    if w.container.data < 0 and current_store(&w.parts).segment_us:
        error = reopen_segment(&w.container, current_store(&w.parts))
    if error == 0:
        return 0
    close_segment(&w.container)
    if error in (ENOENT, ESTALE, ELOOP):  # it is gone, or what bears its name is another's affair
        give_up(&w.parts, &w.container)
        return 0
    note(w, error)
    return error


cdef int tidy(Writing *w) noexcept nogil:
    """Open what is still to be opened again, cut off what a write that failed left; an error where that cannot be done."""
    cdef int error = reopen(w)
    if not error and w.container.uncut:
        error = cut_back(&w.container, current_store(&w.parts))
        w.container.uncut = error != 0
    return error


cdef int save(Writing *w) noexcept nogil:
    """Bring what a failed fdatasync left of the open segment into a new one; on an error it is to be tried again."""
    cdef int error = reopen(w)
    if current_store(&w.parts).pending == 0 or (w.container.data < 0 and not error):
        give_up(&w.parts, &w.container)
        return 0
    if not error:
        error = rescue(&w.parts, &w.container, w.scratch, w.parts.head.block_stride)
    if error:
        note(w, error)
        if error == ENOENT or not may_wait(w):
            give_up(&w.parts, &w.container)
            return 0
    return error


cdef void flush(Writing *w, bint seal) noexcept nogil:
    """Bring the open segment to the disk; sealing also ends it. A failed fdatasync is never tried again on it."""
    cdef Store *store
    cdef int error
    if tidy(w) and not load32(&w.bell.stop):
        pause(RETRY_NS)
        return  # it waits
    w.dirty_ns = 0
    if w.container.data < 0:
        return
    error = flush_segment(&w.container, current_store(&w.parts), seal)
    w.flushed_ns = clock_ns(CLOCK_MONOTONIC)
    store = begin_store(&w.parts)
    store.fsyncs += 1
    if error:
        store.failed_fsyncs += 1
        store.suspect = 1
    else:
        store.durable += store.pending
        store.pending = 0
        store.durable_ns = store.written_ns
        store.synced, store.synced_entries = store.offset, store.entries
        if seal:
            end_segment(w, store)
    commit_store(&w.parts)
    if error:
        save(w)


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
    return block.version != store.version or block.unit != store.unit or (
        w.rotate_bytes and store.entries and store.offset + block.length > w.rotate_bytes
    )


cdef bint may_rotate(Writing *w, const Block *block) noexcept nogil:
    """Whether the next segment is ready; as long as none can be made, the open one goes on where it can."""
    cdef Store *store = current_store(&w.parts)
    cdef int error = 0
    if w.container.next_data < 0:
        error = prepare_next(&w.container, block.version, block.unit)
    if <uint64_t>error != store.rotate_error:
        store = begin_store(&w.parts)
        store.rotate_error = <uint64_t>error
        commit_store(&w.parts)
    return error in (0, ENOENT) or block.version != store.version or block.unit != store.unit


cdef bint spoiled(Writing *w) noexcept nogil:
    """Whether somebody has deleted or cut the open segment: what is written there now would be lost."""
    return w.container.data >= 0 and check_segment(&w.container, current_store(&w.parts)) != 0


cdef int try_block(Writing *w, const Block *block, uint8_t *data) noexcept nogil:
    """Write a block into the open segment, or into a new one where none is open; it counts with the next commit."""
    cdef Store *store
    cdef int error = tidy(w)
    store = begin_store(&w.parts)
    if error:
        return error
    if w.container.data < 0:
        error = begin_segment(&w.container, store, block.arrival_ns // 1000, block.version, block.unit)
        store.segment_opened_ns = clock_ns(CLOCK_MONOTONIC)
        if error:
            return error
        # From here on a successor knows the segment, before a block is in it.
        commit_store(&w.parts)
        store = begin_store(&w.parts)
    return put_block(&w.container, store, block, data)


cdef int write_block(Writing *w) noexcept nogil:
    """Write the next block of the queue and free it; on an error it stays there, unless the ring runs full: then it is lost.

    ENOENT: the channel's folder is gone.
    """
    cdef uint32_t place = w.parts.head.queue[current_store(&w.parts).head % MAX_BLOCKS]
    cdef Block *block = &w.parts.blocks[place]
    cdef Store *store
    cdef int error = 0
    if tidy(w) == 0 and ((outgrown(w, current_store(&w.parts), block) and may_rotate(w, block)) or spoiled(w)):
        flush(w, True)
    if not current_store(&w.parts).suspect:
        error = try_block(w, block, block_data(&w.parts, place))
        if error == ENOENT:
            return error
        if (error not in (0, ENOSPC, EDQUOT) and tidy(w) == 0 and w.container.data >= 0
                and current_store(&w.parts).entries):
            # It may be the file.
            flush(w, True)
            if not current_store(&w.parts).suspect:
                error = try_block(w, block, block_data(&w.parts, place))
    if current_store(&w.parts).suspect:
        return EIO  # first that must be mended
    if error:
        store = begin_store(&w.parts)
        store.error = error
        if may_wait(w):
            commit_store(&w.parts)
            return error
        lose(store, block.count, error)
    else:
        store = next_store(&w.parts)  # as try_block left it
        store.error = 0
        store.written_ns = block.newest_ns
        if w.dirty_ns == 0:
            w.dirty_ns = clock_ns(CLOCK_MONOTONIC) - max(clock_ns(CLOCK_REALTIME) - block.arrival_ns, <int64_t>0)
    store.head += 1
    commit_store(&w.parts)
    store32(&block.busy, 0)
    return 0


cdef void resume(Writing *w) noexcept nogil:
    """Go on in the segment that the former relay had open, if it is still there."""
    resume_rescue(&w.parts, &w.container)
    reopen(w)
    if current_store(&w.parts).pending:
        w.dirty_ns = clock_ns(CLOCK_MONOTONIC)


cdef void rest(Writing *w) noexcept nogil:
    """Wait for a block, or until the open segment is to be flushed or to end."""
    cdef int64_t due = flush_due(w)
    if w.rotate_ns and w.container.data >= 0:
        due = min(due, current_store(&w.parts).segment_opened_ns + w.rotate_ns)
    lie_down(w.bell)
    if current_store(&w.parts).head == load64(&w.parts.head.tail) and not load32(&w.bell.stop):
        sleep(w.bell, -1, -1 if due == FOR_EVER else max(due - clock_ns(CLOCK_MONOTONIC), <int64_t>0))
    store32(&w.bell.sleeps, 0)


cdef int write(Writing *w) noexcept nogil:
    """The loop of the thread: until told to stop, and then until the queue is empty.

    ENOENT: the folder is gone. What is in the queue stays there for a successor, which makes the folder anew.
    """
    cdef int error
    while True:
        if current_store(&w.parts).suspect:
            if save(w):
                pause(RETRY_NS)
            continue
        if current_store(&w.parts).head != load64(&w.parts.head.tail):
            error = write_block(w)
            if error == ENOENT:
                return error
            if error and not current_store(&w.parts).suspect:
                pause(RETRY_NS)
        elif load32(&w.bell.stop):
            break
        else:
            if w.container.next_data < 0 and w.container.data >= 0:
                # Made ready in a quiet moment, so that rotation does not wait for it. Failing is no harm.
                prepare_next(&w.container, current_store(&w.parts).version, current_store(&w.parts).unit)
            rest(w)
        if clock_ns(CLOCK_MONOTONIC) >= flush_due(w):
            flush(w, False)
        if outgrown(w, current_store(&w.parts), NULL):
            flush(w, True)
    flush(w, True)
    discard_next(&w.container)
    return 0


cdef class Writer:
    """Writes one channel's blocks into its folder; `run` is the body of a thread.

    `headers` holds, for each version of the schema by TimeUnit, what a segment begins with up to its sync marker.
    """
    cdef Writing w
    cdef object keep

    def __cinit__(self, Mapping mapping, int folder, str channel, list headers, double flush_s, int64_t rotate_s,
                  uint64_t rotate_bytes, Doorbell bell):
        cdef Writing *w = &self.w
        cdef bytes name = channel.encode()
        assert len(headers) % UNITS == 0 and len(headers) <= HEADERS, "a header per unit of each version"
        assert len(name) <= 64, "a name of at most 64 bytes"
        self.keep = (mapping, name, headers, bell)
        memset(w, 0, sizeof(Writing))
        w.parts, w.bell = mapping.parts, &bell.bell
        w.scratch = <uint8_t *>malloc(w.parts.head.block_stride)  # memory that is not used takes none
        if w.scratch == NULL:
            raise MemoryError
        w.container.folder, w.container.channel = folder, name
        for number in range(len(headers)):
            w.container.headers[number] = headers[number]
            w.container.header_bytes[number] = len(headers[number])
        w.container.data = w.container.index = w.container.next_data = w.container.next_index = -1
        w.flush_ns = FOR_EVER if isinf(flush_s) else <int64_t>(flush_s * 1e9)
        w.rotate_ns, w.rotate_bytes = rotate_s * 1_000_000_000, rotate_bytes

    def __dealloc__(self):
        free(self.w.scratch)

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
