# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The receiver thread of a relay.

    arm -> recvmmsg -> walk each packet -> copy into the block -> re-send -> commit -> publish

What a batch does to the books is worked out in the State that does not count, from the slots and the State that does,
and one store makes it count. A relay killed anywhere leaves either a batch that is ARMED, which its successor walks
again from the slots with the same result, or one that is DONE. `msg_len`, set to MSG_EMPTY before, tells which slots
the kernel had filled.
"""

import os

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from speeddata.plan cimport (
    KIND_INT,
    NO_LEAF,
    REASON_EMPTY,
    REASON_OK,
    REASON_SCHEMA,
    REASON_SHORT,
    REASON_TRAILING,
    REASON_TRUNCATED,
    UNIT_UNKNOWN,
    Plan,
    Reason,
    TimeUnit,
    Walk,
    guess_unit,
    time_ns,
    walk_record,
)
from speeddata.relay.atomics cimport fence, load32, store64
from speeddata.relay.c_system cimport (
    CLOCK_MONOTONIC, CLOCK_REALTIME, CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, EAGAIN, EINTR, MSG_DONTWAIT, MSG_TRUNC,
    SCM_TIMESTAMPNS, SOL_SOCKET, SOL_UDP, UDP_GRO, clock_ns, cmsghdr, errno, mmsghdr, msghdr, recvmmsg, sockaddr_in,
    timespec,
)
from speeddata.relay.doorbell cimport Bell, Doorbell, ring, sleep
from speeddata.relay.aside cimport put_aside
from speeddata.relay.mapping cimport (
    BATCH, CONTROL_BYTES, FLAG_BAD_TIME, FLAG_UNSORTED, MSG_EMPTY, SENDERS, SLOT_BYTES, SLOT_STRIDE, Aside,
    Books, Building, Head, Mapping, Parts, Sender, State, block_data, current_state,
)
from speeddata.relay.outlet cimport outlet_init, queue_packet, send_queued
from speeddata.relay.ring cimport close_block, free_block, make_room, publish, recover_ring
from speeddata.relay.sequence cimport find_sender, follow

cdef enum:
    FRAME_BYTES = 10         # C3 01 and the fingerprint, before each record of single-object framing
    MAX_FAILURES = 1000      # of recvmmsg, one after the other
    JOINED_BATCH = 16        # messages of up to 64 KiB: what they fill stays in the cache
    DRAIN_NS = 1_000_000_000 # how long to empty the socket when told to stop


cdef void point_messages(Receiving *r) noexcept nogil:
    """Set the pointers of the message headers to this process's addresses, and nothing else in them."""
    cdef Parts *parts = &r.parts
    cdef unsigned int i
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
    cdef size_t size = sizeof(State) if r.numbered else sizeof(State) - sizeof(Sender) * SENDERS
    memcpy(new, old, size)
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


cdef void set_aside(Receiving *r, const Datagram *d, Reason reason, uint32_t offset) noexcept nogil:
    """Hand a refused packet to the main thread, to be filed in quarantine."""
    cdef Aside aside
    memset(&aside, 0, sizeof(aside))
    aside.arrival_ns, aside.address, aside.port = d.arrival_ns, d.sender.sin_addr.s_addr, d.sender.sin_port
    aside.reason, aside.length, aside.offset = reason, d.length, offset
    if put_aside(&r.parts, &aside, d.data):
        ring(r.clerk)


cdef uint32_t read_control(const mmsghdr *message, int64_t *arrival_ns) noexcept nogil:
    """When the kernel took a message (CLOCK_REALTIME); gives the size of the packets that it is made of, 0 = it is one."""
    cdef cmsghdr *control = CMSG_FIRSTHDR(<msghdr *>&message.msg_hdr)
    cdef timespec stamp
    cdef int size = 0
    arrival_ns[0] = 0
    while control != NULL:
        if control.cmsg_level == SOL_SOCKET and control.cmsg_type == SCM_TIMESTAMPNS:
            memcpy(&stamp, CMSG_DATA(control), sizeof(stamp))
            arrival_ns[0] = <int64_t>stamp.tv_sec * 1_000_000_000 + stamp.tv_nsec
        elif control.cmsg_level == SOL_UDP and control.cmsg_type == UDP_GRO:
            memcpy(&size, CMSG_DATA(control), sizeof(size))
        control = CMSG_NXTHDR(<msghdr *>&message.msg_hdr, control)
    if arrival_ns[0] == 0:
        arrival_ns[0] = clock_ns(CLOCK_REALTIME)
    return <uint32_t>size


cdef void note_time(Books *books, const Walk *walk, int64_t arrival) noexcept nogil:
    """Bring the time of one record into the index entry of its block."""
    cdef Building *b = &books.building
    cdef int64_t ns
    if books.unit == UNIT_UNKNOWN:
        books.unit = guess_unit(&walk.time)
    if not time_ns(&walk.time, <TimeUnit>books.unit, &ns):
        ns = arrival
        b.flags |= FLAG_BAD_TIME
        books.bad_time += 1
    if b.count == 0:
        b.first_ns = b.min_ns = b.max_ns = b.last_ns = ns
        b.arrival_ns = arrival
    elif ns < b.last_ns:
        b.flags |= FLAG_UNSORTED
    b.last_ns = ns
    b.min_ns = min(b.min_ns, ns)
    b.max_ns = max(b.max_ns, ns)
    b.count += 1


cdef Reason open_frame(Receiving *r, const uint8_t **p, const uint8_t *end) noexcept nogil:
    """Step over what single-object framing puts before a record."""
    if end - p[0] < FRAME_BYTES:
        return REASON_SHORT
    if p[0][0] != 0xC3 or p[0][1] != 0x01 or memcmp(p[0] + 2, r.plan.fingerprint, 8) != 0:
        return REASON_SCHEMA
    p[0] += FRAME_BYTES
    return REASON_OK


cdef Reason walk_records(Receiving *r, State *state, const Datagram *d, Sender *sender, uint32_t *offset) noexcept nogil:
    """Validate a packet record by record and copy them into the block, which has room for all of it.

    On refusal `offset` is that of the record at fault, and the caller undoes what was done.
    """
    cdef Books *books = &state.books
    cdef uint8_t *out = block_data(&r.parts, books.building.block)
    cdef const uint8_t *p = d.data
    cdef const uint8_t *end = d.data + d.length
    cdef Reason reason
    cdef Walk walk
    while p < end:
        offset[0] = <uint32_t>(p - d.data)
        reason = open_frame(r, &p, end) if r.single_object else REASON_OK
        if reason == REASON_OK:
            reason = walk_record(r.plan, p, end, &walk)
        if reason != REASON_OK:
            return REASON_TRAILING if offset[0] else reason
        note_time(books, &walk, d.arrival_ns)
        if sender != NULL and not walk.sequence.is_null:
            follow(sender, walk.sequence.whole, r.narrow, books)
        if r.single_object:
            memcpy(out + books.building.length, p, walk.end - p)  # walk.end <= end: fits by make_room
            books.building.length += <uint32_t>(walk.end - p)
        books.records += 1
        books.ring_full += books.building.spare
        p = walk.end
    if not r.single_object:
        memcpy(out + books.building.length, d.data, d.length)  # fits by make_room
        books.building.length += d.length
    return REASON_OK


cdef Reason take_records(Receiving *r, State *state, const Datagram *d, uint32_t *offset) noexcept nogil:
    """Bring the records of a packet into the block and the books, all of them or none."""
    cdef Sender *sender = NULL
    cdef Sender sender_before
    cdef Books before
    cdef Reason reason
    make_room(&r.ring, state, d.length)
    before = state.books
    if r.numbered:
        sender = find_sender(state.senders, d.sender.sin_addr.s_addr, d.sender.sin_port, r.batch)
        sender_before = sender[0]
    reason = walk_records(r, state, d, sender, offset)
    if reason != REASON_OK:
        state.books = before
        if sender != NULL:
            sender[0] = sender_before
    return reason


cdef void take_packet(Receiving *r, State *state, const Datagram *d) noexcept nogil:
    """Account for one packet: into the block and the full-rate stream, or refused and set aside."""
    cdef uint32_t offset = 0
    cdef Reason reason
    if d.length == 0:
        reason = REASON_EMPTY
    elif d.truncated:
        reason = REASON_TRUNCATED
    else:
        reason = take_records(r, state, d, &offset)
    if reason != REASON_OK:
        state.rejected[<int>reason] += 1
        set_aside(r, d, reason, offset)
        return
    state.books.packets += 1
    state.books.bytes += d.length
    if r.forward.fd >= 0:
        forward(r, state, d)


cdef void take_message(Receiving *r, State *state, unsigned int i) noexcept nogil:
    """Take the packet that is in a slot, or the packets of equal size that the kernel joined there (UDP_GRO)."""
    cdef const mmsghdr *message = &r.parts.messages[i]
    cdef uint32_t rest = min(message.msg_len, <uint32_t>SLOT_BYTES)
    cdef uint32_t size
    cdef Datagram d
    size = read_control(message, &d.arrival_ns)
    d.sender = &r.parts.names[i]
    d.data = r.parts.slots + i * SLOT_STRIDE
    d.truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0
    if size == 0 or d.truncated:
        size = rest
    while True:
        d.length = min(size, rest)
        take_packet(r, state, &d)
        d.data += d.length
        rest -= d.length
        if rest == 0:
            break


cdef void forward(Receiving *r, const State *state, const Datagram *d) noexcept nogil:
    """Queue a packet to be re-sent: from the block, where it follows the one before, or with its frames from the slot."""
    cdef const Building *b = &state.books.building
    if r.single_object:
        queue_packet(&r.forward, d.data, d.length)
        return
    if b.block != r.forward_block:
        # A block of the spares may be taken again within this batch.
        send_queued(&r.forward)
        r.forward_block = b.block
    queue_packet(&r.forward, block_data(&r.parts, b.block) + b.length - d.length, d.length)


cdef void send_forward(Receiving *r, State *state) noexcept nogil:
    """Re-send what is queued, byte for byte; never waits."""
    send_queued(&r.forward)
    state.forwarded += r.forward.sent
    state.forward_failed += r.forward.failed
    state.forward_cut += r.forward.cut
    r.forward.sent = r.forward.failed = r.forward.cut = 0


cdef void take_batch(Receiving *r) noexcept nogil:
    """Walk what the slots hold, up to the first that the kernel did not fill, and commit it."""
    cdef State *state = begin(r)
    cdef Building *b = &state.books.building
    cdef unsigned int i
    if b.open and b.spare and free_block(&r.ring) >= 0:
        close_block(&r.ring, state)
    for i in range(BATCH):
        if r.parts.messages[i].msg_len == MSG_EMPTY:
            break
        take_message(r, state, i)
        r.used = i + 1
    send_forward(r, state)
    commit(r, state)


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


cdef void receive(Receiving *r) noexcept nogil:
    """The loop of the thread: until told to stop, and then until the socket is empty."""
    cdef bint armed = False
    cdef unsigned int failures = 0
    cdef int64_t last = 0  # when to stop although packets still come
    cdef int count
    while last == 0 or clock_ns(CLOCK_MONOTONIC) < last:
        if last == 0 and load32(&r.bell.stop):
            last = clock_ns(CLOCK_MONOTONIC) + DRAIN_NS
        if not armed:
            arm(r)
            armed = True
        count = recvmmsg(r.fd, r.parts.messages, r.batch_size, MSG_DONTWAIT, NULL)  # <= BATCH
        if count > 0:
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
        elif count <= 0 and not r.spin:
            wait(r)
    if current_state(&r.parts, r.parts.head.commit).books.building.open:
        turn_block(r)


cdef void wait(Receiving *r) noexcept nogil:
    """Sleep until a packet, a ring, or the age of the block being built; for ever when there is none."""
    cdef int64_t timeout = -1
    if r.open_serial:
        timeout = max(0, r.age_ns - (clock_ns(CLOCK_MONOTONIC) - r.opened_ns))
    sleep(r.bell, r.fd, timeout)


cdef class Receiver:
    """Receives one channel's packets into its mapping; `run` is the body of a thread.

    `socket` is bound and has SO_TIMESTAMPNS on; `joined` says that it has UDP_GRO too; with `spin` it is asked without a pause; `forward` is connected to the full-rate group, or -1.
    """
    cdef Receiving r
    cdef object keep

    def __cinit__(self, Mapping mapping, Plan plan, int socket, int forward, bint single_object, bint joined, bint spin, double age_s,
                  Doorbell bell, Doorbell writer, Doorbell decimator, Doorbell clerk):
        cdef Receiving *r = &self.r
        if mapping.parts.head.block_bytes < SLOT_BYTES:
            raise ValueError(f"block_bytes is {mapping.parts.head.block_bytes}, a block must hold {SLOT_BYTES}")
        self.keep = (mapping, plan, bell, writer, decimator, clerk)
        memset(r, 0, sizeof(Receiving))
        r.parts, r.plan = mapping.parts, &plan.c
        r.ring.parts = &r.parts
        r.fd, r.single_object = socket, single_object
        r.batch_size, r.spin = JOINED_BATCH if joined else BATCH, spin
        outlet_init(&r.forward, forward)
        r.numbered = plan.c.sequence != NO_LEAF
        r.narrow = r.numbered and plan.c.leaves[plan.c.sequence].number == KIND_INT
        r.age_ns = <int64_t>(age_s * 1e9)
        r.bell, r.writer, r.decimator, r.clerk = &bell.bell, &writer.bell, &decimator.bell, &clerk.bell

    def resume(self, int unit) -> None:
        """Take over the mapping; `unit` is the TimeUnit known so far, for a mapping that knows none yet."""
        cdef State *state = current_state(&self.r.parts, self.r.parts.head.commit)
        if self.r.plan.unit != UNIT_UNKNOWN:
            state.books.unit = self.r.plan.unit
        elif state.books.unit == UNIT_UNKNOWN:
            state.books.unit = <uint64_t>unit
        with nogil:
            resume(&self.r)

    def run(self) -> None:
        """Receive until the doorbell says stop and the socket is empty. OSError when receiving fails for good."""
        with nogil:
            receive(&self.r)
        if self.r.error:
            raise OSError(self.r.error, f"receiving: {os.strerror(self.r.error)}")
