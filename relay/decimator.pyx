# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The decimator thread of a relay: blocks as they grow -> the decimated stream, and what is beyond limits.

It walks records where they lie, copies those that it needs, and believes a copy only when the block was not taken for
another meanwhile. Coming too late it skips blocks and counts them; nobody waits for it.

    downsample   records N, 2N, 3N ...
    minmax       per bucket of N records, or of 1/rate of record time, two packets: minima, maxima
    average, rms the same with one packet
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from speeddata.plan cimport UNIT_UNKNOWN, CPlan, Plan, TimeUnit, Walk, pass_record, time_ns
from speeddata.relay.atomics cimport fence, load32, load64, store32
from speeddata.relay.bucket cimport (
    AGGREGATE_NONE,
    Aggregate,
    CBucket,
    bucket_add,
    bucket_bound,
    bucket_clear,
    bucket_free,
    bucket_init,
    bucket_packet,
    bucket_packets,
)
from speeddata.relay.c_system cimport (
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    clock_ns,
)
from speeddata.relay.doorbell cimport Bell, Doorbell, lie_down, ring, sleep
from speeddata.relay.limit_check cimport LimitCheck
from speeddata.relay.limits cimport is_calm, note_readings
from speeddata.relay.mapping cimport (
    FRAME_BYTES,
    MAX_BLOCKS,
    MAX_VERSIONS,
    SLOT_BYTES,
    Block,
    Head,
    Mapping,
    Parts,
    Trail,
    block_data,
    current_state,
)
from speeddata.relay.outlet cimport Outlet, outlet_init, queue_packet, send_queued

from speeddata.relay.bucket import AGGREGATES

cdef enum:
    SECOND = 1_000_000_000
    REST_NS = 5_000_000         # rest between two looks at a busy block, so that packets gather
    SHORT_REST_NS = 1_000_000   # the same where whole blocks come meanwhile
    NO_BUCKET = -0x7FFF_FFFF_FFFF_FFFF


cdef int decimating_init(Decimating *d, const CPlan *largest, How how, bint framed, int socket) noexcept nogil:
    d.frame_bytes = FRAME_BYTES if framed else 0
    d.how = how
    outlet_init(&d.out, socket)
    d.staging_bytes = 4 * SLOT_BYTES + 11 * largest.leaf_count
    d.staging = <uint8_t *>malloc(d.staging_bytes)
    d.record = <uint8_t *>malloc(SLOT_BYTES)
    if d.record == NULL or d.staging == NULL:
        return -1
    return bucket_init(&d.bucket, largest, how.aggregate, SLOT_BYTES)


cdef void decimating_free(Decimating *d) noexcept nogil:
    bucket_free(&d.bucket)
    free(d.staging)
    free(d.record)


cdef void send_staged(Decimating *d) noexcept nogil:
    cdef Trail *trail = &d.parts.head.trail
    send_queued(&d.out)
    trail.decimated += d.out.sent
    trail.failed += d.out.failed
    trail.cut += d.out.cut
    trail.error = <uint64_t>d.out.error
    d.out.sent = d.out.failed = d.out.cut = 0
    d.staged = 0


cdef uint8_t *stage(Decimating *d, uint32_t bound) noexcept nogil:
    """Room for one packet of at most `bound` bytes; the staging area holds the largest."""
    if d.staged + d.frame_bytes + bound > d.staging_bytes:
        send_staged(d)
    return d.staging + d.staged + d.frame_bytes


cdef void staged(Decimating *d, uint32_t length) noexcept nogil:
    """The room given by `stage` now holds a packet, that says what it is of where packets are framed."""
    cdef uint8_t *packet = d.staging + d.staged
    if d.frame_bytes:
        packet[0], packet[1] = 0xC3, 0x01
        memcpy(packet + 2, d.plan.fingerprint, 8)
    queue_packet(&d.out, packet, d.frame_bytes + length)
    d.staged += d.frame_bytes + length


cdef void send_record(Decimating *d, const uint8_t *record, uint32_t length) noexcept nogil:
    memcpy(stage(d, length), record, length)  # length <= SLOT_BYTES
    staged(d, length)


cdef bint still_there(const Decimating *d, const Block *block) noexcept nogil:
    """Whether what was read of the block that the trail is at was what it says: a block is numbered anew before it is filled."""
    fence()
    return load64(&block.serial) == d.parts.head.trail.serial


cdef void send_bucket(Decimating *d) noexcept nogil:
    cdef unsigned int number
    if d.bucket.count == 1:
        send_record(d, d.bucket.last, d.bucket.last_length)
    elif d.bucket.count:
        for number in range(bucket_packets(&d.bucket)):
            staged(d, bucket_packet(&d.bucket, number, stage(d, bucket_bound(&d.bucket))))
    bucket_clear(&d.bucket)


cdef int64_t floor_div(int64_t a, int64_t b) noexcept nogil:
    return a // b - (a % b < 0)


cdef int64_t stamp_of(Decimating *d, const Walk *walk) noexcept nogil:
    """The time of a record; by the clock where its own cannot be right."""
    cdef uint64_t unit = d.plan.unit
    cdef int64_t ns
    if unit == UNIT_UNKNOWN:
        unit = current_state(&d.parts, load64(&d.parts.head.commit)).books.guessed
    if not time_ns(&walk.time, <TimeUnit>unit, &ns):
        ns = clock_ns(CLOCK_REALTIME)
    return ns


cdef bint check_limits(Decimating *d, const Block *block, const uint8_t *record, const Walk *walk,
                       uint64_t done) noexcept nogil:
    if is_calm(d.limits, d.version, record, walk.end):
        return True  # or the block was taken meanwhile, which is looked at before the next are
    if not still_there(d, block):
        return False
    note_readings(d.limits, d.version, stamp_of(d, walk))
    d.parts.head.trail.offset = done  # so that who follows us if we are killed does not note it again
    return True


cdef bint add_to_bucket(Decimating *d, const Block *block, const uint8_t *record, const Walk *walk,
                        int64_t now) noexcept nogil:
    """Bring a record into the bucket, sending first the one that it ends; False when the block was taken meanwhile."""
    cdef uint32_t length = <uint32_t>(walk.end - record)
    cdef int64_t number
    memcpy(d.record, record, length)  # length <= block_bytes
    if not still_there(d, block):
        return False
    if d.how.width_ns:
        number = floor_div(stamp_of(d, walk), d.how.width_ns)
        # A record that is a little late joins the bucket; one of a clock set back by over a second begins a new one.
        if d.bucket.count and (number > d.bucket_number or number < d.bucket_number - SECOND // d.how.width_ns):
            send_bucket(d)
        if d.bucket.count == 0:
            d.bucket_number = number
    if d.bucket.count == 0:
        d.opened_ns = now
    d.touched_ns = now
    bucket_add(&d.bucket, d.record, length)
    if d.how.every and d.bucket.count >= d.how.every:
        send_bucket(d)
    return True


cdef bint pick_record(Decimating *d, const Block *block, const uint8_t *record, uint32_t length) noexcept nogil:
    """Send every so-manyth record; False when the block was taken meanwhile."""
    cdef Trail *trail = &d.parts.head.trail
    if trail.phase + 1 < d.how.every:
        trail.phase += 1
        return True
    memcpy(stage(d, length), record, length)  # length <= SLOT_BYTES
    if not still_there(d, block):
        return False
    trail.phase = 0
    staged(d, length)
    return True


cdef bint take_records(Decimating *d, const Block *block, const uint8_t *p, const uint8_t *end) noexcept nogil:
    cdef int64_t now = clock_ns(CLOCK_MONOTONIC)
    cdef uint64_t begun = d.parts.head.trail.offset
    cdef const uint8_t *first = p
    cdef Walk walk
    while p < end:
        # What another thread writes meanwhile may be no record, and is then not believed; it is never read past `end`.
        if not pass_record(d.plan, p, end, &walk) or walk.end - p > SLOT_BYTES:
            return False
        if d.limits != NULL and not check_limits(d, block, p, &walk, begun + <uint64_t>(walk.end - first)):
            return False
        if d.how.aggregate:
            if not add_to_bucket(d, block, p, &walk, now):
                return False
        elif not pick_record(d, block, p, <uint32_t>(walk.end - p)):
            return False
        p = walk.end
    return still_there(d, block)


cdef void use_version(Decimating *d, uint32_t version) noexcept nogil:
    if d.plan != d.plans[version]:
        send_bucket(d)
        d.plan, d.version = d.plans[version], version
        d.bucket.plan = d.plan
        bucket_clear(&d.bucket)


cdef bint step(Decimating *d) noexcept nogil:
    """Take what is new of the block that the trail is at, or go to the next; False when there is nothing."""
    cdef Head *head = d.parts.head
    cdef Trail *trail = &head.trail
    cdef uint64_t newest = load64(&head.newest)
    cdef uint32_t place = head.order[trail.serial % MAX_BLOCKS]
    cdef Block *block = &d.parts.blocks[place]
    cdef uint32_t closed = load32(&block.closed)
    cdef uint64_t visible = min(load64(&block.visible), head.block_bytes)
    cdef uint64_t offset = trail.offset
    cdef uint32_t version
    cdef const uint8_t *data
    if trail.serial > newest:
        return False
    if trail.serial + MAX_BLOCKS <= newest or load64(&block.serial) != trail.serial:
        return skip_block(d)
    if visible > offset:
        version = block.version
        if not still_there(d, block):
            return skip_block(d)
        use_version(d, version)
        data = block_data(&d.parts, place)
        if not take_records(d, block, data + offset, data + visible):  # visible <= block_bytes
            return skip_block(d)
        d.taken += visible - offset
        trail.offset = visible
        return True
    if not closed or trail.serial == newest:
        return False
    trail.serial += 1
    trail.offset = 0
    return True


cdef bint skip_block(Decimating *d) noexcept nogil:
    """The block was taken for another before it was read to its end."""
    d.parts.head.trail.skipped += 1
    d.parts.head.trail.serial += 1
    d.parts.head.trail.offset = 0
    return True


cdef int64_t deadline(const Decimating *d) noexcept nogil:
    """Monotonic time at which the bucket is sent though it is not full; 0 when it is empty.

    After a second of silence; a lone record of a slow channel after one bucket's width; a bucket whose records' time
    stands still a second after it should have ended.
    """
    if d.bucket.count == 0:
        return 0
    if d.how.width_ns == 0:
        return d.touched_ns + SECOND
    if d.bucket.count == 1:
        return d.opened_ns + min(d.how.width_ns, <int64_t>SECOND)
    return min(d.touched_ns + SECOND, d.opened_ns + d.how.width_ns + SECOND)


cdef void decimate(Decimating *d) noexcept nogil:
    """The loop of the thread: until told to stop, and then until all blocks are read."""
    cdef int64_t due
    cdef int64_t now
    cdef bint stopping
    while True:
        stopping = load32(&d.bell.stop)
        if load32(&d.changed):
            change(d)
        while step(d):
            pass
        due, now = deadline(d), clock_ns(CLOCK_MONOTONIC)
        if due and now >= due:
            send_bucket(d)
            due = 0
        send_staged(d)
        if stopping:
            break
        lie_down(d.bell)
        if not something_new(d) and not load32(&d.bell.stop):
            sleep(d.bell, -1, max(due - now, <int64_t>0) if due else -1)
        store32(&d.bell.sleeps, 0)
        if not load32(&d.bell.stop):
            sleep(d.bell, -1, REST_NS if d.taken < d.parts.head.block_bytes else SHORT_REST_NS)
        d.taken = 0
    send_bucket(d)
    send_staged(d)


cdef void change(Decimating *d) noexcept nogil:
    """Decimate in another way from here on, after sending the bucket that is open."""
    send_bucket(d)
    d.how = d.next
    d.bucket.aggregate = d.how.aggregate
    d.parts.head.trail.phase = 0
    store32(&d.changed, 0)


cdef bint something_new(Decimating *d) noexcept nogil:
    cdef Head *head = d.parts.head
    cdef Trail *trail = &head.trail
    cdef Block *block = &d.parts.blocks[head.order[trail.serial % MAX_BLOCKS]]
    cdef uint64_t newest = load64(&head.newest)
    if trail.serial != newest:
        return trail.serial < newest
    return load64(&block.visible) > trail.offset


cdef class Decimator:
    """Sends one channel's decimated stream; `run` is the body of a thread.

    `every`: records a packet (downsample) or bucket (minmax). `width_ns`: width of a bucket by record time; 0 = by count.
    `plans` are the versions of the schema; `framed`: packets say which they are of. `socket` is connected to the decimated group.
    `clerk` is woken when a signal goes beyond its limits, or comes back.
    """
    cdef Decimating d
    cdef LimitCheck limits
    cdef object keep

    def __cinit__(self, Mapping mapping, list plans, bint framed, int socket, str algorithm, int every, width_ns,
                  Doorbell bell, Doorbell clerk):
        cdef Decimating *d = &self.d
        cdef Plan plan
        cdef Plan largest = max(plans, key=leaf_count)
        assert 0 < len(plans) <= MAX_VERSIONS, "at least one version of the schema"
        self.keep = (mapping, plans, bell, clerk)
        memset(d, 0, sizeof(Decimating))
        d.parts, d.bell = mapping.parts, &bell.bell
        for number, plan in enumerate(plans):
            d.plans[<uint32_t>number] = &plan.c
        if decimating_init(d, &largest.c, how_of(algorithm, every, width_ns), framed, socket) < 0:
            raise MemoryError("no memory for the decimator's buffers")
        d.plan = d.bucket.plan = d.plans[0]
        d.out.error = <int>mapping.parts.head.trail.error
        self.limits = LimitCheck(plans)
        if self.limits.names:
            self.limits.attach(mapping.parts.head.limited, &mapping.parts.head.turns, &clerk.bell)
            d.limits = &self.limits.c
        if mapping.parts.head.trail.serial == 0:
            mapping.parts.head.trail.serial = 1

    def __dealloc__(self):
        decimating_free(&self.d)

    def run(self) -> None:
        """Decimate until the doorbell says stop and all blocks are read."""
        with nogil:
            decimate(&self.d)

    def change(self, str algorithm, int every, width_ns) -> bool:
        """Decimate in another way from now on; False while an earlier change is still to be made."""
        if load32(&self.d.changed):
            return False
        self.d.next = how_of(algorithm, every, width_ns)
        store32(&self.d.changed, 1)
        ring(self.d.bell)
        return True


cdef int leaf_count(Plan plan):
    return plan.c.leaf_count


cdef How how_of(str algorithm, int every, width_ns) except *:
    cdef How how
    how.aggregate, how.every, how.width_ns = AGGREGATES.get(algorithm, AGGREGATE_NONE), every, width_ns
    assert (every > 0) != (width_ns > 0) and (how.aggregate or every), "a bucket has a count or a width"
    return how
