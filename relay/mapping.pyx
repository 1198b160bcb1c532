# cython: language_level=3
"""Make, attach and read the shared mapping of a channel (its layout is in mapping.pxd)."""

import os
import socket
import sys
import time

from libc.string cimport memcpy
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from speeddata.plan import REASONS, TIME_UNITS
from speeddata.relay.aside cimport aside_bytes, get_ring
from speeddata.relay.atomics cimport fence, load64, store64
from speeddata.relay.c_system cimport (
    MADV_POPULATE_WRITE,
    MAP_FAILED,
    MAP_NORESERVE,
    MAP_SHARED,
    PROT_READ,
    PROT_WRITE,
    iovec,
    madvise,
    mlock,
    mmap,
    mmsghdr,
    munmap,
    ntohl,
    ntohs,
    sockaddr_in,
)
from speeddata.relay.standings cimport acknowledge_rises, read_standings, restore_standings

from speeddata.relay.sending import sending_error

cdef uint64_t MAGIC = 0x5344_4D41_5050_4544
cdef uint64_t VERSION = 7  # of what mapping.pxd declares: a relay goes on in the mapping of another
cdef enum:
    PAGE = 4096

LOSSES = ("disk_full", "io")
UNIT_NAMES = {number: name for name, number in TIME_UNITS.items()}


cdef uint64_t pages(uint64_t size) noexcept:
    return (size + PAGE - 1) // PAGE * PAGE


cdef void lay_out(Parts *parts, uint8_t *base, uint64_t block_count) noexcept:
    """Set the addresses of the parts, which follow each other."""
    cdef uint64_t at = pages(sizeof(Head))
    parts.head = <Head *>base
    parts.messages = <mmsghdr *>(base + at)
    at += BATCH * sizeof(mmsghdr)
    parts.iovecs = <iovec *>(base + at)
    at += BATCH * sizeof(iovec)
    parts.names = <sockaddr_in *>(base + at)
    at += BATCH * sizeof(sockaddr_in)
    parts.control = base + at
    at = pages(at + BATCH * CONTROL_BYTES)
    parts.slots = base + at
    at = pages(at + BATCH * SLOT_STRIDE)
    parts.blocks = <Block *>(base + at)
    at = pages(at + (block_count + SPARES) * sizeof(Block))
    parts.quarantine = base + at
    at += QUARANTINE_RING
    parts.data = base + at


cdef uint64_t whole_size(uint64_t block_count, uint64_t stride) noexcept:
    cdef Parts parts
    lay_out(&parts, NULL, block_count)
    return <uint64_t>parts.data + (block_count + SPARES) * stride


cdef class Mapping:
    """A channel's shared mapping in this process.

    `Mapping.create(...)` makes a fresh one; `Mapping(fd)` attaches to one that another process made.
    """

    def __cinit__(self, int fd):
        cdef uint64_t size = os.fstat(fd).st_size
        cdef void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0)
        cdef Head *head = <Head *>base
        if base == MAP_FAILED:
            raise MemoryError(f"cannot map {size} bytes of shared memory")
        if size < sizeof(Head) or (head.magic and (head.magic != MAGIC or head.version != VERSION or head.size != size)):
            munmap(base, size)
            raise ValueError(f"file descriptor {fd} holds no channel mapping of version {VERSION}")
        self.fd = fd
        self.parts.head = head
        if head.magic:
            lay_out(&self.parts, <uint8_t *>base, head.block_count)

    def __dealloc__(self):
        if self.parts.head != NULL:
            munmap(self.parts.head, os.fstat(self.fd).st_size if self.parts.head.size == 0 else self.parts.head.size)

    @staticmethod
    def create(name: str, block_bytes: int, ring_bytes: int) -> Mapping:
        """Make a mapping with empty books. The descriptor is the caller's to close."""
        cdef uint64_t count = max(2, min(MAX_BLOCKS - SPARES, ring_bytes // block_bytes))
        # An odd number of pages, so that equal places of two blocks do not share cache sets.
        cdef uint64_t stride = pages(HEAD_ROOM + block_bytes + SYNC_BYTES) | PAGE
        cdef uint64_t size = whole_size(count, stride)
        cdef Mapping mapping
        cdef Head *head
        fd = os.memfd_create(f"speeddata:{name}", os.MFD_CLOEXEC)
        os.ftruncate(fd, size)
        mapping = Mapping(fd)
        head = mapping.parts.head
        head.size, head.block_bytes, head.block_count, head.block_stride = size, block_bytes, count, stride
        head.version = VERSION
        head.created_ns = time.time_ns()
        head.commit = 1
        head.magic = MAGIC
        lay_out(&mapping.parts, <uint8_t *>head, count)
        return mapping

    def populate(self) -> bool:
        """Fault in and lock what receiving touches; False when it may not be locked (the relay works without)."""
        cdef uint64_t size = <uint8_t *>self.parts.blocks - <uint8_t *>self.parts.head
        madvise(self.parts.head, size, MADV_POPULATE_WRITE)
        return mlock(self.parts.head, size) == 0

    @property
    def armed(self) -> bool:
        """Whether the slots may hold packets that do not count yet: so while a receiver waits for some."""
        return load64(&self.parts.head.commit) & 1 == 0

    @property
    def clean(self) -> bool:
        """Whether the last relay ended in order, with everything it had received written."""
        return self.parts.head.clean != 0

    @clean.setter
    def clean(self, bint value):
        self.parts.head.clean = value

    @property
    def words(self) -> str:
        """Why the last relay ended by itself, in its own words."""
        return bytes(self.parts.head.words[:WORDS_BYTES]).partition(b"\0")[0].decode(errors="replace")

    @words.setter
    def words(self, str said):
        cdef bytes text = said.encode(errors="replace")[:WORDS_BYTES - 1].ljust(WORDS_BYTES, b"\0")
        memcpy(self.parts.head.words, <char *>text, WORDS_BYTES)

    @property
    def movers(self) -> tuple[int, int]:
        """Thread ids of the last relay's receiver and decimator: of all threads, these must be dead before others begin."""
        return self.parts.head.movers[0], self.parts.head.movers[1]

    def sign(self, str thread, int tid) -> None:
        """Note the thread id of the `receiver` or the `decimator`."""
        self.parts.head.movers[("receiver", "decimator").index(thread)] = <uint64_t>tid

    def count_repair(self, int cut_bytes, int found_blocks) -> None:
        """Count a segment that was mended."""
        self.parts.head.repaired_segments += 1
        self.parts.head.repaired_cut_bytes += cut_bytes
        self.parts.head.repaired_blocks += found_blocks

    def note_disk_error(self, int error) -> None:
        """For the writer: count on with the errno that keeps it from archiving."""
        begin_store(&self.parts).error = error
        commit_store(&self.parts)

    cdef void copy_state(self, State *out) noexcept:
        """Copy the State that counts; again when a batch was committed meanwhile (two would overwrite it)."""
        cdef Head *head = self.parts.head
        cdef uint64_t commit
        while True:
            commit = load64(&head.commit)
            memcpy(out, &head.states[commit >> 1 & 1], sizeof(State))
            fence()
            if load64(&head.commit) >> 1 == commit >> 1:
                return

    def stats(self) -> dict[str, object]:
        """The channel's counters, as a whole: the receiver's at one instant, the writer's at one instant."""
        cdef State state
        cdef Store store
        cdef Head *head = self.parts.head
        self.copy_state(&state)
        copy_store(head, &store)
        return {
            "packets": state.books.packets,
            "records": state.books.records,
            "bytes": state.books.bytes,
            "ingested": 0,
            "archived": store.archived,
            "durable": store.durable,
            "rejected": {REASONS[i]: state.rejected[i] for i in range(1, <int>REASON_COUNT)},
            "not_archived": {LOSSES[i]: store.lost[i] for i in range(<int>LOSS_COUNT)},
            "ring_full": state.books.ring_full,
            "bad_time": state.books.bad_time,
            "forwarded": state.forwarded,
            "forward_failed": state.forward_failed,
            "forward_cut": state.forward_cut,
            "forward_error": sending_error(state.forward_error),
            "decimated": head.trail.decimated,
            "decimate_failed": head.trail.failed,
            "decimate_cut": head.trail.cut,
            "decimate_error": sending_error(head.trail.error),
            "decimate_skipped_blocks": head.trail.skipped,
            "durable_until": store.durable_ns or None,
            "last_packet": last_packet(&state) or None,
            "sources": {"followed": state.known, "forgotten": state.forgotten},
            "sequence": {"gaps": state.books.gaps, "duplicates": state.books.duplicates, "reordered": state.books.reordered},
            "ring": {"blocks": head.block_count, "queued": max(0, <int64_t>(state.tail - store.head))},
            "blocks": store.blocks,
            "archived_bytes": store.bytes,
            "fsyncs": store.fsyncs,
            "failed_fsyncs": store.failed_fsyncs,
            "rescued": store.rescued,
            "segments": store.segments,
            "segments_us": (store.segment_us, store.rescue_us, store.cut_us),
            "quarantined": head.quarantined, "quarantine_missed": head.quarantine_missed,
            "repaired": {
                "segments": head.repaired_segments,
                "cut_bytes": head.repaired_cut_bytes,
                "found_blocks": head.repaired_blocks,
            },
            "disk_error": os.strerror(store.error) if store.error else None,
            "rotate_error": os.strerror(store.rotate_error) if store.rotate_error else None,
            "time_unit": UNIT_NAMES.get(state.books.unit),
            "since": head.created_ns,
        }

    @property
    def progress(self) -> int:
        """What only moves when the receiver goes on: the batches that it has begun, and how often nothing came."""
        return (load64(&self.parts.head.commit) >> 2) + load64(&self.parts.head.beats)

    @property
    def turns(self) -> int:
        """How often a signal went beyond its limits, or came back."""
        return load64(&self.parts.head.turns)

    @property
    def skipped(self) -> int:
        """Blocks that the decimator came too late for: what is in them was held against no limits."""
        return self.parts.head.trail.skipped

    def standings(self) -> list[dict[str, object]]:
        """How the signals stand that were ever beyond their limits, each side by itself, under their keys."""
        return read_standings(self.parts.head.limited)

    def restore(self, list standings) -> None:
        """Have signals stand as they did in another life of the channel; before a decimator begins."""
        restore_standings(self.parts.head.limited, standings)

    def acknowledge(self, str signal, str side, epoch, rises) -> bool:
        """For the keeper: note that so many rises are acknowledged; False where the signal is not there, or of another life."""
        return acknowledge_rises(self.parts.head.limited, signal, side, epoch, rises)

    def sources(self) -> list[dict[str, object]]:
        """Who sends, in the order of their appearance: address and port, what came of each, when the last packet came."""
        cdef State state
        cdef uint64_t k
        self.copy_state(&state)
        return [
            {
                "address": socket.inet_ntoa(int(state.senders[k].address).to_bytes(4, sys.byteorder)),
                "port": ntohs(state.senders[k].port),
                "packets": state.senders[k].packets,
                "records": state.senders[k].records,
                "refused": state.senders[k].refused,
                "gaps": state.senders[k].gaps,
                "duplicates": state.senders[k].duplicates,
                "reordered": state.senders[k].reordered,
                "last": state.senders[k].last_ns,
            }
            for k in range(state.known)
        ]

    def take_aside(self, int most=256) -> list[tuple[int, int, int, int, int, bytes]]:
        """Take refused packets out of the quarantine ring: arrival ns, IPv4 address, port, reason, offset, bytes."""
        cdef Head *head = self.parts.head
        cdef uint64_t at = head.quarantine_read
        cdef Aside aside
        taken = []
        while len(taken) < most and at != load64(&head.quarantine_written):
            get_ring(self.parts.quarantine, at, <uint8_t *>&aside, sizeof(aside))
            packet = bytes(min(aside.length, <uint32_t>SLOT_BYTES))
            get_ring(self.parts.quarantine, at + sizeof(aside), <uint8_t *><char *>packet, len(packet))
            taken.append((aside.arrival_ns, ntohl(aside.address), ntohs(aside.port), aside.reason, aside.offset, packet))
            at += aside_bytes(&aside)
        store64(&head.quarantine_read, at)
        return taken

    def refused_waiting(self) -> bool:
        """Whether there are packets for `take_aside`."""
        return self.parts.head.quarantine_read != load64(&self.parts.head.quarantine_written)

    def filed(self, int packets) -> None:
        """Count packets that were filed in quarantine."""
        self.parts.head.quarantined += packets


cdef int64_t last_packet(const State *state) noexcept:
    """When the newest packet came of all who are followed; 0: none has."""
    cdef int64_t last_ns = 0
    cdef uint64_t k
    for k in range(state.known):
        last_ns = max(last_ns, state.senders[k].last_ns)
    return last_ns


cdef void copy_store(Head *head, Store *out) noexcept:
    cdef uint64_t stored
    while True:
        stored = load64(&head.stored)
        memcpy(out, &head.stores[stored & 1], sizeof(Store))
        fence()
        if load64(&head.stored) == stored:
            return
