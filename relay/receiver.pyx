# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The receiver thread of a relay.

    arm -> recvmmsg -> walk each packet -> copy into the block -> re-send -> commit -> publish

What a batch does to the books is worked out in the State that does not count, from the slots and the State that does,
and one store makes it count. A relay killed anywhere leaves either a batch that is ARMED, which its successor walks
again from the slots with the same result, or one that is DONE. `msg_len`, set to MSG_EMPTY before, tells which slots
the kernel had filled.
"""

import os

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from speeddata.plan cimport UNIT_UNKNOWN, Plan
from speeddata.relay.atomics cimport fence, load32, store64
from speeddata.relay.c_system cimport (
    CLOCK_MONOTONIC, EAGAIN, EINTR, MSG_DONTWAIT, MSG_WAITFORONE, SO_MEMINFO, SO_RCVTIMEO, SOL_SOCKET, clock_ns, errno, getsockopt,
    iovec, pause, recvmmsg, setsockopt, sockaddr_in, timeval,
)
from speeddata.relay.doorbell cimport Bell, Doorbell, ring, sleep
from speeddata.relay.intake cimport take_message, use_version
from speeddata.relay.mapping cimport (
    BATCH, CONTROL_BYTES, MAX_VERSIONS, MSG_EMPTY, SLOT_BYTES, SLOT_STRIDE, Building, Head, Mapping, Parts, Signer, State,
    current_state, current_store,
)
from speeddata.relay.outlet cimport outlet_init, send_queued
from speeddata.relay.ring cimport close_block, free_block, publish, recover_ring
from speeddata.relay.signature cimport Signatures

cdef enum:
    MAX_FAILURES = 1000      # of recvmmsg, one after the other
    JOINED_BATCH = 16        # messages, where each may be of many packets
    BATCH_BYTES = 262_144    # that a batch shall fill, to stay in the cache
    LEAST_BATCH = 4
    DRAIN_NS = 1_000_000_000 # how long to empty the socket when told to stop
    STAY_US = 20_000         # how long to wait for the next packet in recvmmsg itself
    GIVE_WAY_NS = 200_000
    BEAT_NS = 1_000_000_000  # between two signs of life of a channel that is idle
    STALL_NS = 50_000_000    # a writer that does nothing for so long waits for the disk
    MEMINFO = 9              # numbers that SO_MEMINFO gives


cdef void point_messages(Receiving *r) noexcept nogil:
    """Set the pointers of the message headers to this process's addresses, and nothing else in them."""
    cdef Parts *parts = &r.parts
    cdef int i
    for i in range(BATCH):
        parts.iovecs[i].iov_base = parts.slots + i * SLOT_STRIDE
        parts.iovecs[i].iov_len = SLOT_BYTES
        parts.messages[i].msg_hdr.msg_iov = &parts.iovecs[i]
        parts.messages[i].msg_hdr.msg_iovlen = 1
        parts.messages[i].msg_hdr.msg_name = &parts.names[i]
        parts.messages[i].msg_hdr.msg_control = parts.control + i * CONTROL_BYTES


cdef void arm(Receiving *r) noexcept nogil:
    """Make the slots ready for the next batch; from the last store on a successor walks what they hold."""
    cdef Head *head = r.parts.head
    cdef unsigned int i
    for i in range(r.used):  # r.used <= BATCH
        r.parts.messages[i].msg_len = MSG_EMPTY
        r.parts.messages[i].msg_hdr.msg_namelen = sizeof(sockaddr_in)
        r.parts.messages[i].msg_hdr.msg_controllen = CONTROL_BYTES
        r.parts.messages[i].msg_hdr.msg_flags = 0
    r.used = 0
    r.batch += 1
    store64(&head.commit, r.batch << 2 | (head.commit & 2))
    fence()  # nothing that follows, in the slots or in the other State, may be seen before


cdef State *begin(Receiving *r) noexcept nogil:
    """The State that does not count, filled from the one that does."""
    cdef Head *head = r.parts.head
    cdef State *old = current_state(&r.parts, head.commit)
    cdef State *new = &head.states[0 if old == &head.states[1] else 1]
    memcpy(new, old, <char *>&old.senders[old.known] - <char *>old)
    if old.keys:
        memcpy(new.signers, old.signers, sizeof(Signer) * old.keys)
    return new


cdef void commit(Receiving *r, State *new) noexcept nogil:
    """Let the new State count, then show what it changed to the other threads."""
    cdef Head *head = r.parts.head
    cdef bint queued = new.tail != head.tail
    store64(&head.commit, r.batch << 2 | (0 if new == &head.states[0] else 2) | 1)
    publish(&r.ring, new)
    if queued:
        ring(r.writer)
    ring(r.decimator)


cdef void send_forward(Receiving *r, State *state) noexcept nogil:
    """Re-send what is queued, byte for byte; never waits."""
    send_queued(&r.forward)
    state.forwarded += r.forward.sent
    state.forward_failed += r.forward.failed
    state.forward_cut += r.forward.cut
    state.forward_error = <uint64_t>r.forward.error
    r.forward.sent = r.forward.failed = r.forward.cut = 0


cdef void take_batch(Receiving *r) noexcept nogil:
    """Walk what the slots hold, up to the first that the kernel did not fill, and commit it."""
    cdef State *state = begin(r)
    cdef Building *b = &state.books.building
    cdef uint64_t size = 0
    cdef int i
    if b.open and b.spare and free_block(&r.ring) >= 0:
        close_block(&r.ring, state)
    for i in range(BATCH):
        if r.parts.messages[i].msg_len == MSG_EMPTY:
            break
        size += r.parts.messages[i].msg_len
        take_message(r, state, i)
        r.used = i + 1
    send_forward(r, state)
    commit(r, state)
    if size:
        r.batch_size = <unsigned int>max(<uint64_t>LEAST_BATCH, min(<uint64_t>r.largest_batch, BATCH_BYTES * r.used // size))


cdef void turn_block(Receiving *r) noexcept nogil:
    """Close the block being built, outside a batch."""
    cdef State *state = begin(r)
    r.batch += 1
    close_block(&r.ring, state)
    commit(r, state)


cdef void resume(Receiving *r) noexcept nogil:
    """Go on from whatever the former relay left: free what is free, show what counts, walk an ARMED batch."""
    cdef Head *head = r.parts.head
    cdef State *state = current_state(&r.parts, head.commit)
    recover_ring(&r.ring, state)
    r.batch = head.commit >> 2
    r.used = BATCH
    point_messages(r)
    publish(&r.ring, state)
    if head.commit & 1 == 0:
        take_batch(r)
        r.used = BATCH


cdef bint watch_age(Receiving *r) noexcept nogil:
    """Close a block that has waited long enough for more; whether that was done. An empty one has no age."""
    cdef State *state = current_state(&r.parts, r.parts.head.commit)
    cdef int64_t now
    if not state.books.building.open or state.books.building.count == 0:
        r.open_serial = 0
        return False
    now = clock_ns(CLOCK_MONOTONIC)
    if state.serial != r.open_serial:
        r.open_serial, r.opened_ns = state.serial, now
    elif now - r.opened_ns >= r.age_ns:
        turn_block(r)
        r.open_serial = 0
        return True
    return False


cdef bint socket_has_room(int fd) noexcept nogil:
    """Whether a receive buffer is less than half full."""
    cdef uint32_t[MEMINFO] memory  # of the kernel's: bytes taken, bytes granted, and what is of no interest here
    cdef unsigned int size = sizeof(memory)
    return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0 and memory[0] < memory[1] // 2


cdef bint gives_way(Receiving *r) noexcept nogil:
    """Whether to leave packets in the socket for a moment, as the ring is nearly full and the writer lacks processor time.

    A writer that has not gone on for a while waits for the disk instead: then the live streams are not held up.
    """
    cdef Head *head = r.parts.head
    cdef uint64_t written = current_store(&r.parts).head
    cdef int64_t now
    if head.tail - written + r.reserve < head.block_count:
        return False
    now = clock_ns(CLOCK_MONOTONIC)
    if written != r.written:
        r.written, r.written_ns = written, now
    return now - r.written_ns < STALL_NS and socket_has_room(r.fd)


cdef void receive(Receiving *r) noexcept nogil:
    """The loop of the thread: until told to stop, and then until the socket is empty.

    While packets come it waits for more in recvmmsg, which is one call where asking, sleeping and asking again are three.
    No bell is heard there, so it stays no longer than STAY_US.
    """
    cdef bint armed = False
    cdef bint flowing = False  # the last call gave packets
    cdef unsigned int failures = 0
    cdef int64_t last = 0  # when to stop although packets still come
    cdef int count, flags
    while last == 0 or clock_ns(CLOCK_MONOTONIC) < last:
        if last == 0 and load32(&r.bell.stop):
            last = clock_ns(CLOCK_MONOTONIC) + DRAIN_NS
        if last == 0 and gives_way(r):
            pause(GIVE_WAY_NS)
            continue
        if not armed:
            arm(r)
            armed = True
        flags = MSG_WAITFORONE if flowing and last == 0 and not r.spin else MSG_DONTWAIT
        count = recvmmsg(r.fd, r.parts.messages, r.batch_size, flags, NULL)  # <= BATCH
        flowing = count > 0
        if flowing:
            take_batch(r)
            armed = False
            failures = 0
        elif errno != EAGAIN and errno != EINTR:
            failures += 1
            if failures > MAX_FAILURES:
                r.error = errno
                break
        elif last:
            break
        if watch_age(r):
            # That left the batch DONE: what recvmmsg takes from now on must find it ARMED.
            armed = False
        elif not flowing:
            if not r.spin:
                wait(r)
            store64(&r.parts.head.beats, r.parts.head.beats + 1)
    if current_state(&r.parts, r.parts.head.commit).books.building.open:
        turn_block(r)


cdef void wait(Receiving *r) noexcept nogil:
    """Sleep until a packet, a ring, the age of the block being built, or the next sign of life."""
    cdef int64_t timeout = BEAT_NS
    if r.open_serial:
        timeout = max(0, min(timeout, r.age_ns - (clock_ns(CLOCK_MONOTONIC) - r.opened_ns)))
    sleep(r.bell, r.fd, timeout)


cdef int set_plans(Receiving *r, list plans) except -1:
    """Compiled versions of the schema; the caller keeps them alive."""
    cdef Plan plan
    assert 0 < len(plans) <= MAX_VERSIONS, "at least one version of the schema"
    for plan in plans:
        r.plans[r.versions] = &plan.c
        r.versions += 1
    return 0


cdef int set_networks(Receiving *r, list networks) except -1:
    """Networks that packets are taken from: address and mask, as on the wire; none for everywhere."""
    assert len(networks) <= MAX_NETWORKS, "as many as there is room for"
    for address, mask in networks:
        r.networks[r.allowed] = Network(address, mask)
        r.allowed += 1
    return 0


cdef class Receiver:
    """Receives one channel's packets into its mapping; `run` is the body of a thread.

    `plans` are the versions of the schema, of which framed packets say which they are of. `socket` is bound and has SO_TIMESTAMPNS on; `joined` says that it has UDP_GRO too; with `spin` it is asked without a
    pause. `forward` is connected to the full-rate group, or -1. `networks` are pairs of address and mask as on the wire, from which packets
    are taken; none for everywhere. `signatures`, where there are any, must packets bear; their keys are in the mapping.
    """
    cdef Receiving r
    cdef object keep

    def __cinit__(self, Mapping mapping, list plans, int socket, int forward, bint single_object, bint joined, bint spin,
                  double age_s, list networks, Doorbell bell, Doorbell writer, Doorbell decimator, Doorbell clerk,
                  Signatures signatures=None):
        cdef Receiving *r = &self.r
        cdef timeval stay = timeval(0, STAY_US)
        if mapping.parts.head.block_bytes < SLOT_BYTES:
            raise ValueError(f"block_bytes is {mapping.parts.head.block_bytes}, a block must hold {SLOT_BYTES}")
        self.keep = (mapping, plans, bell, writer, decimator, clerk, signatures)
        memset(r, 0, sizeof(Receiving))
        r.parts = mapping.parts
        set_plans(r, plans)
        set_networks(r, networks)
        if signatures is not None:
            signatures.find_places(mapping)
            r.keys, r.key_count = signatures.keys, signatures.count
        r.ring.parts = &r.parts
        r.fd, r.single_object = socket, single_object
        if setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &stay, sizeof(stay)) < 0:
            raise OSError(errno, f"SO_RCVTIMEO: {os.strerror(errno)}")
        r.batch_size = r.largest_batch = JOINED_BATCH if joined else BATCH
        r.spin = spin
        r.reserve = max(r.parts.head.block_count // 8, BATCH_BYTES // r.parts.head.block_bytes + 2)  # a batch, at least
        r.written = ~<uint64_t>0  # none was seen
        outlet_init(&r.forward, forward)
        r.age_ns = <int64_t>(age_s * 1e9)
        r.bell, r.writer, r.decimator, r.clerk = &bell.bell, &writer.bell, &decimator.bell, &clerk.bell

    def resume(self, int unit) -> None:
        """Take over the mapping; `unit` is the TimeUnit known so far, for a mapping that knows none yet."""
        cdef State *state = current_state(&self.r.parts, self.r.parts.head.commit)
        if state.books.guessed == UNIT_UNKNOWN:
            state.books.guessed = <uint64_t>unit
        if self.r.forward.fd < 0:
            state.forward_error = 0  # what is not to be sent does not fail
        self.r.forward.error = <int>state.forward_error
        use_version(&self.r, &state.books, <uint32_t>state.books.version)
        with nogil:
            resume(&self.r)

    def run(self) -> None:
        """Receive until the doorbell says stop and the socket is empty. OSError when receiving fails for good."""
        with nogil:
            receive(&self.r)
        if self.r.error:
            raise OSError(self.r.error, f"receiving: {os.strerror(self.r.error)}")
