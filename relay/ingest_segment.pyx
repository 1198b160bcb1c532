# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""A segment that the shared relay appends to: blocks of validated records, many in one write, and their index entries.

It keeps its place in the file whether it has it open or not, so that of many segments few need be open.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from posix.stat cimport fstat, stat, struct_stat
from posix.types cimport off_t

from speeddata.relay.c_system cimport EINTR, EIO, ENOENT, errno, iovec, pwritev, syncfs
from speeddata.relay.container cimport (
    INDEX_ENTRY,
    INDEX_HEAD,
    NAME_BYTES,
    UNITS,
    Container,
    Entry,
    begin_segment,
    check_segment,
    close_segment,
    cut_back,
    discard_next,
    flush_segment,
    put_varint,
    reopen_segment,
    segment_name,
    unlink_segment,
    write_all,
)
from speeddata.relay.ingest_records cimport Cut, Records
from speeddata.relay.mapping cimport HEAD_ROOM, SYNC_BYTES, Store
from speeddata.relay.rescue cimport copy_blocks

import os

cdef extern from "crc32c.h" nogil:
    void crc32c_init()
    uint32_t crc32c(uint32_t crc, const void *data, size_t length)

cdef enum:
    GROUP = 256              # blocks in one write
    PIECES = 3               # of a block: its two varints, its records, the sync marker
    CHECKED = 56             # bytes of an entry that its check covers

Place = tuple[int, int, int]

crc32c_init()

# Blocks on their way into the file.
cdef struct Group:
    iovec pieces[GROUP * PIECES]
    uint8_t varints[GROUP][HEAD_ROOM]
    Entry entries[GROUP]
    uint32_t count
    uint64_t bytes


cdef int write_pieces(int fd, iovec *pieces, int count, uint64_t offset) noexcept nogil:
    """pwritev all of it; a short write goes on, an interrupted one starts again."""
    cdef ssize_t written
    while count:
        written = pwritev(fd, pieces, count, <off_t>offset)
        if written < 0:
            if errno == EINTR:
                continue
            return errno
        if written == 0:
            return EIO
        offset += <uint64_t>written
        while count and <size_t>written >= pieces.iov_len:
            written -= <ssize_t>pieces.iov_len
            pieces += 1
            count -= 1
        if count:
            pieces.iov_base = <uint8_t *>pieces.iov_base + written
            pieces.iov_len -= <size_t>written
    return 0


cdef void add_block(Group *g, const Store *store, const Cut *cut, const uint8_t *data, int64_t arrival) noexcept nogil:
    """Put a block into the group, which has room; `store` tells where the group begins."""
    cdef uint32_t k = g.count
    cdef uint8_t *varints = g.varints[k]
    cdef unsigned int n = put_varint(varints, cut.count)
    cdef iovec *pieces = &g.pieces[k * PIECES]
    cdef Entry *entry = &g.entries[k]
    n += put_varint(varints + n, cut.length)
    pieces[0].iov_base, pieces[0].iov_len = varints, n
    pieces[1].iov_base, pieces[1].iov_len = <void *>(data + cut.at), cut.length
    pieces[2].iov_base, pieces[2].iov_len = <void *>store.sync, SYNC_BYTES
    memset(entry, 0, sizeof(Entry))
    entry.offset, entry.length, entry.count = store.offset + g.bytes, n + cut.length + SYNC_BYTES, cut.count
    entry.first_ns, entry.min_ns, entry.max_ns = cut.first_ns, cut.min_ns, cut.max_ns
    entry.arrival_ns, entry.flags = arrival, cut.flags
    entry.crc = crc32c(crc32c(crc32c(0, varints, n), data + cut.at, cut.length), store.sync, SYNC_BYTES)
    entry.check = crc32c(0, entry, CHECKED)
    g.bytes += entry.length
    g.count += 1


cdef int write_group(Container *c, Store *store, Group *g) noexcept nogil:
    """Write the blocks and their entries; `store` moves on when both are written."""
    cdef int error = write_pieces(c.data, g.pieces, <int>g.count * PIECES, store.offset)
    if not error:
        error = write_all(c.index, <const uint8_t *>g.entries, g.count * INDEX_ENTRY,
                          INDEX_HEAD + store.entries * INDEX_ENTRY)
    if not error:
        store.offset += g.bytes
        store.entries += g.count
    g.count = 0
    g.bytes = 0
    return error


cdef int write_cuts(Container *c, Store *store, Group *g, const Cut *cuts, uint32_t count, const uint8_t *data,
                    int64_t arrival) noexcept nogil:
    """Write blocks; on an error the segment is to be cut back by the caller."""
    cdef uint32_t k
    cdef int error = 0
    for k in range(count):
        add_block(g, store, &cuts[k], data, arrival)
        if g.count == GROUP or k + 1 == count:
            error = write_group(c, store, g)
            if error:
                return error
    return 0


cdef Group *group = <Group *>malloc(sizeof(Group))  # of whoever writes just now: they take turns
if group == NULL:
    raise MemoryError
group.count = 0
group.bytes = 0


cdef class IngestSegment:
    cdef Container c
    cdef Store store
    cdef bytes channel
    cdef bytes header
    cdef readonly str folder
    cdef readonly uint64_t records
    cdef uint64_t synced_records
    cdef readonly int unit
    cdef bint uncut             # behind what counts there may be more, whether it is open or not
    cdef bytes path

    def __cinit__(self, str channel not None, str folder not None, bytes header not None, int unit):
        assert 0 <= unit < UNITS and len(channel) <= 64, "a unit, and a name of at most 64 bytes"
        self.channel, self.folder, self.header, self.unit = channel.encode(), folder, header, unit
        memset(&self.c, 0, sizeof(Container))
        memset(&self.store, 0, sizeof(Store))
        self.c.folder = self.c.data = self.c.index = self.c.next_data = self.c.next_index = -1
        self.c.shared = True
        self.c.channel = self.channel
        self.c.headers[unit], self.c.header_bytes[unit] = self.header, len(self.header)

    def __dealloc__(self):
        close_segment(&self.c)

    @property
    def name(self):
        cdef char[NAME_BYTES] name
        segment_name(&self.c, self.store.segment_us, b"avro", name)
        return (<bytes>name).decode()

    @property
    def sync_marker(self):
        return self.store.sync[:SYNC_BYTES]

    def sibling(self):
        return IngestSegment(self.channel.decode(), self.folder, self.header, self.unit)

    @property
    def place(self):
        return self.store.offset, self.store.entries, self.records

    @property
    def synced(self):
        return self.store.synced, self.store.synced_entries

    @property
    def pending(self):
        return self.records - self.synced_records

    @property
    def is_open(self):
        return self.c.data >= 0

    def begin(self, int64_t start_us):
        cdef int error
        with Folder(self) as folder:
            self.c.folder = folder.fd
            with nogil:
                error = begin_segment(&self.c, &self.store, start_us, 0, <uint32_t>self.unit)
            if error:
                discard_next(&self.c)
            check(error, self.folder)
        self.path = os.fsencode(f"{self.folder}/{self.name}")

    def reopen(self):
        cdef int error
        if self.c.data >= 0:
            return
        with Folder(self) as folder:
            self.c.folder = folder.fd
            with nogil:
                error = reopen_segment(&self.c, &self.store)
            if error:
                close_segment(&self.c)
            check(error, self.folder)
        self.uncut = False

    def cut(self):
        if self.uncut:
            self.reopen()
            check(self.cut_off(), self.folder)

    def check(self):
        cdef int error
        self.cut()
        error = check_segment(&self.c, &self.store)
        check(error if error else check_path(self.c.data, self.path), self.folder)

    def append(self, Records records not None):
        cdef int error
        cdef Store before = self.store
        assert self.c.data >= 0 and not self.uncut, "it is open, and ends where it should"
        with nogil:
            error = write_cuts(&self.c, &self.store, group, records.cuts, records.cut_count, records.data,
                               records.arrival_ns)
            if error:
                self.store = before
                self.cut_off()
        check(error, self.folder)
        self.records += records.count

    def undo(self, place):
        self.store.offset, self.store.entries, self.records = place
        self.store.synced = min(self.store.synced, self.store.offset)
        self.store.synced_entries = min(self.store.synced_entries, self.store.entries)
        self.synced_records = min(self.synced_records, self.records)
        self.uncut = True
        self.cut()

    cdef int cut_off(self) noexcept nogil:
        cdef int error = cut_back(&self.c, &self.store)
        self.uncut = error != 0
        return error

    def mark_synced(self, place):
        self.store.synced, self.store.synced_entries, self.synced_records = place

    def sync(self):
        cdef int error
        with nogil:
            error = flush_segment(&self.c, &self.store, True)
        check(error, self.folder)
        self.mark_synced(self.place)

    def rescue(self, IngestSegment into not None):
        cdef size_t room = self.store.offset - self.store.synced
        cdef uint8_t *scratch
        cdef int error
        scratch = <uint8_t *>malloc(room)
        if scratch == NULL:
            raise MemoryError
        with nogil:
            error = copy_blocks(&self.c, &self.store, &into.c, &into.store, scratch, room)
        free(scratch)
        check(error, self.folder)
        into.records = into.store.pending
        return into.store.pending

    def give_up(self):
        """Cut it to what is known to be on the disk."""
        self.undo((self.store.synced, self.store.synced_entries, self.synced_records))

    def close(self):
        close_segment(&self.c)

    def remove(self):
        close_segment(&self.c)
        with Folder(self) as folder:
            self.c.folder = folder.fd
            unlink_segment(&self.c, self.store.segment_us)


cdef class Folder:
    """The channel's folder, as long as it is worked in: not one more descriptor for each segment."""
    cdef IngestSegment segment
    cdef readonly int fd

    def __cinit__(self, IngestSegment segment):
        self.segment = segment

    def __enter__(self):
        self.fd = os.open(self.segment.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *_):
        self.segment.c.folder = -1
        os.close(self.fd)


def sync_file_system(int fd) -> None:
    """Bring all of the file system that a descriptor is of to the disk; OSError where that fails."""
    cdef int result
    with nogil:
        result = syncfs(fd)
    if result < 0:
        check(errno, "")


cdef int check_path(int fd, const char *path) noexcept nogil:
    """Whether a file still is where it was made: ENOENT when its folder was moved away."""
    cdef struct_stat here, there
    if fstat(fd, &here) < 0 or stat(path, &there) < 0:
        return errno
    return 0 if here.st_ino == there.st_ino and here.st_dev == there.st_dev else ENOENT


cdef int check(int error, folder) except -1:
    if error:
        raise OSError(error, os.strerror(error), folder)
    return 0
