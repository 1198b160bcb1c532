# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Write segments and their indexes (see container.pxd)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset
from posix.stat cimport fstat, struct_stat
from posix.types cimport off_t

from speeddata.relay.c_system cimport (
    EEXIST,
    EINTR,
    EINVAL,
    ENOENT,
    ESTALE,
    O_CLOEXEC,
    O_CREAT,
    O_EXCL,
    O_NOFOLLOW,
    O_RDWR,
    RENAME_NOREPLACE,
    close,
    errno,
    fdatasync,
    fsync,
    ftruncate,
    getrandom,
    gmtime_r,
    linkat,
    openat,
    pread,
    pwrite,
    renameat2,
    snprintf,
    tm,
    unlinkat,
)
from speeddata.relay.mapping cimport HEAD_ROOM, SYNC_BYTES, Block, Store

cdef extern from "crc32c.h" nogil:
    void crc32c_init()
    uint32_t crc32c(uint32_t crc, const void *data, size_t length)

cdef enum:
    MODE = 0o640
    MICROSECOND = 1_000_000
    INDEX_VERSION = 1
    CHECKED = 56             # bytes of an entry that its `check` covers

crc32c_init()


cdef int write_all(int fd, const uint8_t *data, size_t length, uint64_t offset) noexcept nogil:
    """pwrite all of it; a short write goes on, an interrupted one starts again."""
    cdef ssize_t written
    while length:
        written = pwrite(fd, data, length, <off_t>offset)
        if written < 0:
            if errno == EINTR:
                continue
            return errno
        data += written
        offset += <uint64_t>written
        length -= <size_t>written
    return 0


cdef int read_all(int fd, uint8_t *out, size_t length, uint64_t offset) noexcept nogil:
    """pread all of it; ESTALE where the file ends before."""
    cdef ssize_t got
    while length:
        got = pread(fd, out, length, <off_t>offset)
        if got < 0 and errno == EINTR:
            continue
        if got <= 0:
            return errno if got < 0 else ESTALE
        out += got
        offset += <uint64_t>got
        length -= <size_t>got
    return 0


cdef void ready_name(const Container *c, const char *ending, char *out) noexcept nogil:
    snprintf(out, NAME_BYTES, ".%s.%s.%s", c.channel, <const char *>(b"ingest" if c.shared else b"next"), ending)


cdef void segment_name(const Container *c, int64_t start_us, const char *ending, char *out) noexcept nogil:
    """<channel>_<YYYYmmddTHHMMSS.ffffffZ>.<ending>"""
    cdef long seconds = start_us // MICROSECOND
    cdef tm t
    gmtime_r(&seconds, &t)
    snprintf(out, NAME_BYTES, "%s_%04d%02d%02dT%02d%02d%02d.%06dZ.%s", c.channel, t.tm_year + 1900, t.tm_mon + 1,
             t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, <int>(start_us % MICROSECOND), ending)


cdef int open_new(const Container *c, const char *ending, int *out) noexcept nogil:
    cdef char[NAME_BYTES] name
    ready_name(c, ending, name)
    # Removed, not truncated: a relay killed while it renamed may have left a second name of a segment.
    unlinkat(c.folder, name, 0)
    out[0] = openat(c.folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, MODE)
    return errno if out[0] < 0 else 0


cdef void drop_next(Container *c) noexcept nogil:
    if c.next_data >= 0:
        close(c.next_data)
    if c.next_index >= 0:
        close(c.next_index)
    c.next_data = c.next_index = -1


cdef void discard_next(Container *c) noexcept nogil:
    cdef char[NAME_BYTES] name
    if c.next_data >= 0:
        ready_name(c, "avro", name)
        unlinkat(c.folder, name, 0)
        ready_name(c, "idx", name)
        unlinkat(c.folder, name, 0)
    drop_next(c)


cdef int fill_next(Container *c, uint32_t header) noexcept nogil:
    """Write the heads of both files; header < HEADERS."""
    cdef uint8_t[INDEX_HEAD] head
    cdef uint64_t first = c.header_bytes[header] + SYNC_BYTES
    cdef uint32_t version = INDEX_VERSION
    cdef uint32_t head_crc, inverse
    cdef int error
    if getrandom(c.next_sync, SYNC_BYTES, 0) != SYNC_BYTES:
        return errno
    memset(head, 0, INDEX_HEAD)
    memcpy(head, b"SDIX", 4)
    memcpy(head + 4, &version, 4)
    memcpy(head + 8, c.next_sync, SYNC_BYTES)
    memcpy(head + 24, &first, 8)
    head_crc = crc32c(0, c.headers[header], c.header_bytes[header])
    inverse = ~head_crc
    memcpy(head + 36, &head_crc, 4)
    memcpy(head + 40, &inverse, 4)
    error = write_all(c.next_data, c.headers[header], c.header_bytes[header], 0)
    if not error:
        error = write_all(c.next_data, c.next_sync, SYNC_BYTES, c.header_bytes[header])
    if not error:
        error = write_all(c.next_index, head, INDEX_HEAD, 0)
    # Before they have a name: else power loss may leave a name without a head.
    if not error and not c.shared and (fdatasync(c.next_data) < 0 or fdatasync(c.next_index) < 0):
        error = errno
    return error


cdef int prepare_next(Container *c, uint32_t version, uint32_t unit) noexcept nogil:
    cdef int error
    drop_next(c)
    error = open_new(c, "avro", &c.next_data)
    if not error:
        error = open_new(c, "idx", &c.next_index)
    if not error:
        error = fill_next(c, header_of(version, unit))
    if error:
        drop_next(c)
        return error
    c.next_version, c.next_unit = version, unit
    return 0


cdef int rename_new(int folder, const char *old, const char *new) noexcept nogil:
    """Rename, but never onto a file that is there: EEXIST. Some file systems can only do so by two links."""
    if renameat2(folder, old, folder, new, RENAME_NOREPLACE) == 0:
        return 0
    if errno != EINVAL:
        return errno
    if linkat(folder, old, folder, new, 0) < 0:
        return errno
    unlinkat(folder, old, 0)
    return 0


cdef void unlink_segment(const Container *c, int64_t start_us) noexcept nogil:
    cdef char[NAME_BYTES] name
    segment_name(c, start_us, "avro", name)
    unlinkat(c.folder, name, 0)
    segment_name(c, start_us, "idx", name)
    unlinkat(c.folder, name, 0)


cdef int name_next(Container *c, int64_t *start_us) noexcept nogil:
    """Rename both files; a name that is taken gives way to the next microsecond."""
    cdef char[NAME_BYTES] ready
    cdef char[NAME_BYTES] name
    cdef int error
    ready_name(c, "avro", ready)
    while True:
        segment_name(c, start_us[0], "avro", name)
        error = rename_new(c.folder, ready, name)
        if error == 0:
            break
        if error != EEXIST:
            return error
        start_us[0] += 1
    ready_name(c, "idx", ready)
    segment_name(c, start_us[0], "idx", name)
    if renameat2(c.folder, ready, c.folder, name, 0) < 0 or (not c.shared and fsync(c.folder) < 0):
        error = errno
        unlink_segment(c, start_us[0])  # else there were one more with each attempt
        return error
    return 0


cdef bint is_named(int fd) noexcept nogil:
    """Whether a file or folder has not been deleted."""
    cdef struct_stat found
    return fstat(fd, &found) == 0 and found.st_nlink > 0


cdef int begin_segment(Container *c, Store *store, int64_t start_us, uint32_t version, uint32_t unit) noexcept nogil:
    cdef int error = ENOENT
    close_segment(c)
    if c.next_data >= 0 and c.next_version == version and c.next_unit == unit:
        error = name_next(c, &start_us)
    if error == ENOENT:
        # None was ready, or somebody has deleted it.
        error = prepare_next(c, version, unit)
        if not error:
            error = name_next(c, &start_us)
    if error:
        drop_next(c)
        return ESTALE if error == ENOENT and is_named(c.folder) else error
    c.data, c.index = c.next_data, c.next_index
    c.next_data = c.next_index = -1
    store.segment_us, store.version, store.unit, store.entries, store.synced_entries = start_us, version, unit, 0, 0
    store.offset = store.synced = c.header_bytes[header_of(version, unit)] + SYNC_BYTES
    memcpy(store.sync, c.next_sync, SYNC_BYTES)
    store.segments += 1
    return 0


cdef int open_segment(Container *c, int64_t start_us) noexcept nogil:
    """Open a segment that is there; an index that is not is made."""
    cdef char[NAME_BYTES] name
    close_segment(c)
    segment_name(c, start_us, "avro", name)
    c.data = openat(c.folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0)
    if c.data < 0:
        return errno
    segment_name(c, start_us, "idx", name)
    c.index = openat(c.folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE)
    return errno if c.index < 0 else 0


cdef int is_ours(const Container *c, const Store *store) noexcept nogil:
    """Whether the file that bears the segment's name is the segment still: its sync marker and all its blocks."""
    cdef uint8_t[SYNC_BYTES] sync
    cdef struct_stat found
    cdef int error
    if fstat(c.data, &found) < 0:
        return errno
    if <uint64_t>found.st_size < store.offset:
        return ESTALE
    error = read_all(c.data, sync, SYNC_BYTES, c.header_bytes[header_of(store.version, store.unit)])
    return ESTALE if not error and memcmp(sync, store.sync, SYNC_BYTES) != 0 else error


cdef int reopen_segment(Container *c, const Store *store) noexcept nogil:
    cdef int error = open_segment(c, store.segment_us)
    if not error:
        error = is_ours(c, store)
    return error if error else cut_back(c, store)


cdef int cut_back(Container *c, const Store *store) noexcept nogil:
    if ftruncate(c.data, <off_t>store.offset) < 0:
        return errno
    return errno if ftruncate(c.index, <off_t>(INDEX_HEAD + store.entries * INDEX_ENTRY)) < 0 else 0


cdef unsigned int put_varint(uint8_t *out, uint64_t value) noexcept nogil:
    """A zig-zag varint of a number that is not negative; at most 10 bytes."""
    cdef unsigned int n = 0
    value <<= 1
    while value >= 0x80:
        out[n] = <uint8_t>(value | 0x80)
        value >>= 7
        n += 1
    out[n] = <uint8_t>value
    return n + 1


cdef int write_entry(Container *c, Store *store, const uint8_t *block, Entry *entry) noexcept nogil:
    cdef int error
    entry.offset = store.offset
    entry.crc = crc32c(0, block, entry.length)
    entry.check = crc32c(0, entry, CHECKED)
    error = write_all(c.data, block, entry.length, store.offset)
    if not error:
        error = write_all(c.index, <const uint8_t *>entry, INDEX_ENTRY, INDEX_HEAD + store.entries * INDEX_ENTRY)
    if error:
        # Readers shall not meet a part of a block. A whole one may be there: it must not be written elsewhere.
        c.uncut = cut_back(c, store) != 0
        return error
    store.offset += entry.length
    store.entries += 1
    return 0


cdef int put_block(Container *c, Store *store, const Block *block, uint8_t *data) noexcept nogil:
    cdef uint8_t[HEAD_ROOM] varints  # two, of at most 10 bytes
    cdef unsigned int n = put_varint(varints, block.count)
    cdef uint8_t *start
    cdef Entry entry
    cdef int error
    n += put_varint(varints + n, block.length)
    start = data - n
    memcpy(start, varints, n)
    memcpy(data + block.length, store.sync, SYNC_BYTES)
    memset(&entry, 0, sizeof(entry))
    entry.length, entry.count = n + block.length + SYNC_BYTES, block.count
    entry.first_ns, entry.min_ns, entry.max_ns = block.first_ns, block.min_ns, block.max_ns
    entry.arrival_ns, entry.flags = block.arrival_ns, block.flags
    error = write_entry(c, store, start, &entry)
    if error:
        return error
    store.blocks += 1
    store.bytes += entry.length
    store.archived += block.count
    store.pending += block.count
    return 0


cdef int read_entry(const Container *c, uint64_t number, Entry *out) noexcept nogil:
    cdef int error = read_all(c.index, <uint8_t *>out, INDEX_ENTRY, INDEX_HEAD + number * INDEX_ENTRY)
    return ESTALE if not error and crc32c(0, out, CHECKED) != out.check else error


cdef int read_block(const Container *c, const Entry *entry, uint8_t *out) noexcept nogil:
    cdef int error = read_all(c.data, out, entry.length, entry.offset)
    return ESTALE if not error and crc32c(0, out, entry.length) != entry.crc else error


cdef int check_file(int fd, uint64_t size) noexcept nogil:
    """Whether a file has a name and the size that it must have."""
    cdef struct_stat found
    if fstat(fd, &found) < 0:
        return errno
    if found.st_nlink == 0:
        return ENOENT
    return ESTALE if <uint64_t>found.st_size != size else 0


cdef int check_segment(const Container *c, const Store *store) noexcept nogil:
    cdef int error = check_file(c.data, store.offset)
    return error if error else check_file(c.index, INDEX_HEAD + store.entries * INDEX_ENTRY)


cdef int flush_segment(Container *c, const Store *store, bint seal) noexcept nogil:
    if fdatasync(c.data) < 0 or (seal and fdatasync(c.index) < 0):
        return errno
    return check_segment(c, store)


cdef void close_segment(Container *c) noexcept nogil:
    if c.data >= 0:
        close(c.data)
    if c.index >= 0:
        close(c.index)
    c.data = c.index = -1
    c.uncut = False
