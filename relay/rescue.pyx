# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Write once more what a failed fdatasync left (see rescue.pxd)."""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from posix.stat cimport fstat, struct_stat
from posix.types cimport off_t

from speeddata.relay.c_system cimport CLOCK_MONOTONIC, clock_ns, fdatasync, ftruncate
from speeddata.relay.container cimport (
    INDEX_ENTRY,
    INDEX_HEAD,
    Container,
    Entry,
    begin_segment,
    close_segment,
    flush_segment,
    open_segment,
    read_block,
    read_entry,
    unlink_segment,
    write_entry,
)
from speeddata.relay.mapping cimport (
    LOSS_IO,
    SYNC_BYTES,
    Parts,
    Store,
    begin_store,
    commit_store,
    current_store,
    loss_of,
)


cdef void shorten(int fd, uint64_t size) noexcept nogil:
    """Cut a file, unless somebody has cut it shorter already."""
    cdef struct_stat found
    if fstat(fd, &found) == 0 and <uint64_t>found.st_size > size:
        ftruncate(fd, <off_t>size)


cdef void cut_former(const Parts *parts, const Container *c) noexcept nogil:
    """Cut the segment that `cut_us` names, open in `c`, to what was on the disk: what followed is in another."""
    cdef Store *store = begin_store(parts)
    shorten(c.data, store.cut_offset)
    shorten(c.index, INDEX_HEAD + store.cut_entries * INDEX_ENTRY)
    # As soon as can be, or power loss may leave in it what another has, too. Whether it fails changes nothing.
    fdatasync(c.data)
    fdatasync(c.index)
    store.cut_us = 0
    commit_store(parts)


cdef void note_rescue(const Parts *parts, const Container *c, int64_t start_us) noexcept nogil:
    """Let a successor know the segment that is being made; 0: it is gone again."""
    cdef Store *store
    if start_us == 0:
        unlink_segment(c, current_store(parts).rescue_us)
    store = begin_store(parts)
    store.rescue_us = start_us
    commit_store(parts)


cdef int copy_blocks(const Container *c, const Store *old, Container *fresh, Store *new, uint8_t *scratch,
                     size_t room) noexcept nogil:
    cdef Entry entry
    cdef uint64_t k
    cdef int error
    new.pending = 0
    for k in range(old.synced_entries, old.entries):
        # entry.length <= room: read_block reads no more
        if read_entry(c, k, &entry) or entry.length > room or read_block(c, &entry, scratch):
            continue
        memcpy(scratch + entry.length - SYNC_BYTES, new.sync, SYNC_BYTES)
        error = write_entry(fresh, new, scratch, &entry)
        if error:
            return error
        new.pending += entry.count
    return 0


cdef void take_over(const Parts *parts, Store *made) noexcept nogil:
    """Let `made`, whose segment is on the disk, count; the old one is to be cut."""
    cdef Store *old = current_store(parts)
    cdef Store *new = begin_store(parts)
    cdef uint64_t lost = old.pending - made.pending
    new[0] = made[0]
    new.archived -= lost
    new.lost[<int>LOSS_IO] += lost
    new.durable += made.pending
    new.durable_ns = made.written_ns
    new.rescued += made.pending
    new.pending = new.error = 0
    new.synced, new.synced_entries = made.offset, made.entries
    new.rescue_us, new.cut_us, new.suspect = 0, old.segment_us, 0
    new.cut_offset, new.cut_entries = old.synced, old.synced_entries
    commit_store(parts)


cdef int rescue(const Parts *parts, Container *c, uint8_t *scratch, size_t room) noexcept nogil:
    cdef Container fresh = c[0]
    cdef Store made = current_store(parts)[0]
    cdef Entry first
    cdef int64_t start_us = made.segment_us
    cdef int error
    if read_entry(c, made.synced_entries, &first) == 0:
        start_us = first.arrival_ns // 1000
    fresh.data = fresh.index = c.next_data = c.next_index = -1  # what was made ready is the new one's
    error = begin_segment(&fresh, &made, start_us, made.version, made.unit)
    if not error:
        note_rescue(parts, &fresh, made.segment_us)
        error = copy_blocks(c, current_store(parts), &fresh, &made, scratch, room)
        if not error:
            error = flush_segment(&fresh, &made, True)
        if error:
            note_rescue(parts, &fresh, 0)
    c.next_data, c.next_index = fresh.next_data, fresh.next_index
    if error:
        close_segment(&fresh)
        return error
    made.segment_opened_ns = clock_ns(CLOCK_MONOTONIC)
    take_over(parts, &made)
    cut_former(parts, c)
    close_segment(c)
    c.data, c.index = fresh.data, fresh.index
    return 0


cdef void give_up(const Parts *parts, Container *c) noexcept nogil:
    cdef Store *store = begin_store(parts)
    store.archived -= store.pending
    store.lost[<int>loss_of(<int>store.error)] += store.pending
    store.pending = 0
    store.offset, store.entries, store.suspect = store.synced, store.synced_entries, 0
    if c.data >= 0:
        shorten(c.data, store.synced)
        shorten(c.index, INDEX_HEAD + store.synced_entries * INDEX_ENTRY)
    close_segment(c)
    store.segment_us = 0
    commit_store(parts)


cdef void resume_rescue(const Parts *parts, Container *c) noexcept nogil:
    cdef Container former = c[0]
    former.data = former.index = -1
    if current_store(parts).cut_us:
        # Where it is gone there is nothing to cut.
        open_segment(&former, current_store(parts).cut_us)
        cut_former(parts, &former)
        close_segment(&former)
    if current_store(parts).rescue_us:
        note_rescue(parts, c, 0)
