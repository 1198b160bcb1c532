# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""One message of a batch: from its slot into the block, the books and the full-rate stream (see intake.pxd)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from speeddata.plan cimport (
    KIND_INT,
    NO_LEAF,
    REASON_EMPTY,
    REASON_OK,
    REASON_SCHEMA,
    REASON_SHORT,
    REASON_SOURCE,
    REASON_TRAILING,
    REASON_TRUNCATED,
    UNIT_UNKNOWN,
    Reason,
    TimeUnit,
    Walk,
    guess_unit,
    time_ns,
    walk_record,
)
from speeddata.relay.aside cimport put_aside
from speeddata.relay.c_system cimport (
    CLOCK_REALTIME, CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, MSG_TRUNC, SCM_TIMESTAMPNS, SOL_SOCKET, SOL_UDP, UDP_GRO,
    clock_ns, cmsghdr, mmsghdr, msghdr, sockaddr_in, timespec,
)
from speeddata.relay.doorbell cimport ring
from speeddata.relay.mapping cimport (
    FLAG_BAD_TIME, FLAG_UNSORTED, FRAME_BYTES, SLOT_BYTES, SLOT_STRIDE, Aside, Books, Building, Sender, State, block_data,
)
from speeddata.relay.outlet cimport queue_packet, send_queued
from speeddata.relay.receiver cimport Receiving
from speeddata.relay.ring cimport close_block, make_room
from speeddata.relay.sequence cimport find_sender, follow
from speeddata.relay.signature cimport TRAILER_BYTES, check_signature

# A packet in its slot.
cdef struct Datagram:
    uint8_t *data
    uint32_t length
    bint truncated           # it was larger
    int64_t arrival_ns
    const sockaddr_in *sender
    bint admitted            # it comes from where packets may come from
    Sender *source           # what is known of who sent it; NULL: nobody whose packets are taken, as far as is known


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
        books.unit = books.guessed = guess_unit(&walk.time)
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


cdef void use_version(Receiving *r, Books *books, uint32_t version) noexcept nogil:
    """Walk packets by a version of the schema from here on."""
    r.plan = r.plans[version]
    r.narrow = r.plan.sequence != NO_LEAF and r.plan.leaves[r.plan.sequence].number == KIND_INT
    books.version = version
    books.unit = r.plan.unit if r.plan.unit != UNIT_UNKNOWN else books.guessed


cdef Reason choose_version(Receiving *r, State *state, const Datagram *d) noexcept nogil:
    """Go over to the version that a framed packet is of, and to another block, for none holds records of two."""
    cdef uint32_t version = 0
    if d.length < FRAME_BYTES:
        return REASON_SHORT
    while memcmp(d.data + 2, r.plans[version].fingerprint, 8) != 0:
        version += 1
        if version == r.versions:
            return REASON_SCHEMA
    if version != state.books.version:
        if state.books.building.open:
            close_block(&r.ring, state)
        use_version(r, &state.books, version)
    return REASON_OK


cdef Reason open_frame(Receiving *r, const uint8_t **p, const uint8_t *end) noexcept nogil:
    """Step over what single-object framing puts before a record."""
    if end - p[0] < FRAME_BYTES:
        return REASON_SHORT
    if p[0][0] != 0xC3 or p[0][1] != 0x01 or memcmp(p[0] + 2, r.plan.fingerprint, 8) != 0:
        return REASON_SCHEMA
    p[0] += FRAME_BYTES
    return REASON_OK


cdef Reason walk_records(Receiving *r, State *state, const Datagram *d, uint32_t *offset) noexcept nogil:
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
        if r.plan.sequence != NO_LEAF and not walk.sequence.is_null:
            follow(d.source, walk.sequence.whole, r.narrow, books)
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
    cdef Sender source_before
    cdef Books before
    cdef Reason reason = choose_version(r, state, d) if r.single_object else REASON_OK
    if reason != REASON_OK:
        return reason
    make_room(&r.ring, state, d.length)
    before = state.books
    source_before = d.source[0]
    reason = walk_records(r, state, d, offset)
    if reason != REASON_OK:
        state.books = before
        d.source[0] = source_before
    return reason


cdef bint admits(const Receiving *r, uint32_t address) noexcept nogil:
    """Whether packets are taken from an address, as on the wire."""
    cdef uint32_t i
    for i in range(r.allowed):  # r.allowed <= MAX_NETWORKS
        if address & r.networks[i].mask == r.networks[i].address:
            return True
    return r.allowed == 0


cdef void know_source(Receiving *r, State *state, Datagram *d) noexcept nogil:
    """Follow the sender of a packet. One that nobody may send, or that is not signed, takes nobody's place."""
    if d.source == NULL:
        d.source = find_sender(state, d.sender.sin_addr.s_addr, d.sender.sin_port, r.batch)
        d.source.last_ns = d.arrival_ns


cdef Reason take_signed(Receiving *r, State *state, Datagram *d, uint32_t *offset) noexcept nogil:
    """Bring the records of a packet that must be signed into the block and the books: what is before its trailer."""
    cdef Reason reason = check_signature(r.keys, r.key_count, state.signers, d.data, d.length)
    if reason != REASON_OK:
        return reason
    know_source(r, state, d)
    d.length -= TRAILER_BYTES
    reason = take_records(r, state, d, offset) if d.length else REASON_EMPTY
    d.length += TRAILER_BYTES
    return reason


cdef void take_packet(Receiving *r, State *state, Datagram *d) noexcept nogil:
    """Account for one packet: into the block and the full-rate stream, or refused and set aside."""
    cdef uint64_t records = state.books.records
    cdef uint32_t offset = 0
    cdef Reason reason
    if not d.admitted:
        reason = REASON_SOURCE
    elif d.length == 0:
        reason = REASON_EMPTY
    elif d.truncated:
        reason = REASON_TRUNCATED
    elif r.key_count:
        reason = take_signed(r, state, d, &offset)
    else:
        reason = take_records(r, state, d, &offset)
    if reason != REASON_OK:
        state.rejected[<int>reason] += 1
        if d.source != NULL:
            d.source.refused += 1
        set_aside(r, d, reason, offset)
        return
    state.books.packets += 1
    state.books.bytes += d.length
    state.books.building.newest_ns = d.arrival_ns
    d.source.packets += 1
    d.source.records += state.books.records - records
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
    d.source = NULL
    d.admitted = admits(r, d.sender.sin_addr.s_addr)
    if d.admitted and not r.key_count:
        know_source(r, state, &d)
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
    """Queue a packet to be re-sent: from the block, where it follows the one before, or with its frames or trailer from the slot."""
    cdef const Building *b = &state.books.building
    if r.single_object or r.key_count:
        queue_packet(&r.forward, d.data, d.length)
        return
    if b.block != r.forward_block:
        # A block of the spares may be taken again within this batch.
        send_queued(&r.forward)
        r.forward_block = b.block
    queue_packet(&r.forward, block_data(&r.parts, b.block) + b.length - d.length, d.length)
