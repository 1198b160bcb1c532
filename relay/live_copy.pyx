# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The live streams of records that came by HTTP: the work of a relay's receiver and decimator, done at once, in one thread.

What is sent live is held against the signals' limits too.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from speeddata.plan cimport CPlan, Plan, Walk, pass_record
from speeddata.relay.c_system cimport CLOCK_MONOTONIC, clock_ns
from speeddata.relay.decimator cimport (
    Decimating,
    check_limits,
    deadline,
    decimating_free,
    decimating_init,
    how_of,
    send_bucket,
    send_staged,
    take_records,
    use_version,
)
from speeddata.relay.ingest_records cimport Records
from speeddata.relay.limit_check cimport LimitCheck
from speeddata.relay.mapping cimport FRAME_BYTES, MAX_VERSIONS, Block, Head
from speeddata.relay.outlet cimport Outlet, outlet_init, queue_packet, send_queued
from speeddata.relay.standings cimport acknowledge_rises, read_standings, restore_standings

cdef enum:
    PACKET_BYTES = 1400      # records are gathered up to that
    LARGEST = 65507          # what a datagram can hold
    STAGING = 262144

# Packets of whole records on their way to the full-rate group.
cdef struct Full:
    Outlet out
    uint8_t *staging         # of packets with frames; NULL = records are sent from where they lie
    uint32_t staged
    uint8_t *packet          # the one being gathered
    uint32_t length
    uint64_t too_large       # records that no packet can hold


cdef void flush_full(Full *f) noexcept nogil:
    """Queue the packet that is gathered."""
    if f.length:
        queue_packet(&f.out, f.packet, f.length)
    f.length = 0


cdef void add_record(Full *f, const CPlan *plan, const uint8_t *record, uint32_t length) noexcept nogil:
    """Bring a record into the packet being gathered, or begin another."""
    cdef uint32_t whole = length + (FRAME_BYTES if f.staging != NULL else 0)
    if f.length and f.length + whole > PACKET_BYTES:
        flush_full(f)
    if f.staging != NULL:
        if f.staged + whole > STAGING:  # whole <= LARGEST
            flush_full(f)
            send_queued(&f.out)
            f.staged = 0
        if f.length == 0:
            f.packet = f.staging + f.staged
        f.staging[f.staged], f.staging[f.staged + 1] = 0xC3, 0x01
        memcpy(f.staging + f.staged + 2, plan.fingerprint, 8)
        memcpy(f.staging + f.staged + FRAME_BYTES, record, length)
        f.staged += whole
    elif f.length == 0:
        f.packet = <uint8_t *>record
    f.length += whole


cdef void send_all(Full *f, Decimating *d, const Block *block, const CPlan *plan, const uint8_t *p,
                   const uint8_t *end) noexcept nogil:
    """Send records, that are validated, on both streams."""
    cdef const uint8_t *run = p
    cdef Walk walk
    while p < end and pass_record(plan, p, end, &walk):
        if walk.end - p > LARGEST - FRAME_BYTES:
            f.too_large += 1
            flush_full(f)
            take_records(d, block, run, p)
            if d.limits != NULL:
                check_limits(d, block, p, &walk, 0)
            run = walk.end
        elif f.out.fd >= 0:
            add_record(f, plan, p, <uint32_t>(walk.end - p))
        p = walk.end
    flush_full(f)
    if f.out.fd >= 0:
        send_queued(&f.out)
    f.staged = 0
    take_records(d, block, run, end)
    send_staged(d)


cdef class LiveCopy:
    cdef Decimating d
    cdef Full full
    cdef Head *head          # of a mapping that is ours alone: what the decimator counts is there
    cdef Block block
    cdef list plans
    cdef LimitCheck limits

    def __cinit__(self, list plans not None, bint framed, int full_rate, int decimated, str algorithm not None, int every,
                  width_ns, list standings=None):
        cdef Plan plan
        cdef Plan largest = max(plans, key=leaf_count)
        assert 0 < len(plans) <= MAX_VERSIONS, "at least one version of the schema"
        memset(&self.d, 0, sizeof(Decimating))
        memset(&self.full, 0, sizeof(Full))
        memset(&self.block, 0, sizeof(Block))
        self.plans = plans
        self.head = <Head *>calloc(1, sizeof(Head))
        if self.head == NULL:
            raise MemoryError
        self.d.parts.head = self.head
        for number, plan in enumerate(plans):
            self.d.plans[<uint32_t>number] = &plan.c
        outlet_init(&self.full.out, full_rate)
        if framed and full_rate >= 0:
            self.full.staging = <uint8_t *>malloc(STAGING)
            if self.full.staging == NULL:
                raise MemoryError
        if decimating_init(&self.d, &largest.c, how_of(algorithm, every, width_ns), framed, decimated) < 0:
            raise MemoryError
        self.d.plan = self.d.bucket.plan = self.d.plans[0]
        restore_standings(self.head.limited, standings or [])
        self.limits = LimitCheck(plans)
        if self.limits.names:
            self.limits.attach(self.head.limited, &self.head.turns, NULL)
            self.d.limits = &self.limits.c

    def __dealloc__(self):
        decimating_free(&self.d)
        free(self.full.staging)
        free(self.head)

    def send(self, Records records not None):
        cdef uint32_t version = self.plans.index(records.plan)
        cdef Plan plan = records.plan
        self.head.states[0].books.guessed = records.time_unit
        with nogil:
            use_version(&self.d, version)
            send_all(&self.full, &self.d, &self.block, &plan.c, records.data, records.data + records.length)

    def tick(self):
        cdef int64_t due = deadline(&self.d)
        cdef int64_t now = clock_ns(CLOCK_MONOTONIC)
        if due and now >= due:
            send_bucket(&self.d)
            send_staged(&self.d)
            due = 0
        return (due - now) / 1e9 if due else None

    def flush(self):
        send_bucket(&self.d)
        send_staged(&self.d)

    def take_counts(self):
        cdef Outlet *out = &self.full.out
        sent = out.sent + self.head.trail.decimated
        failed = out.failed + self.head.trail.failed + self.full.too_large
        out.sent = out.failed = self.full.too_large = 0
        self.head.trail.decimated = self.head.trail.failed = 0
        return sent, failed

    @property
    def errors(self):
        return self.full.out.error, self.head.trail.error

    @property
    def turns(self):
        return self.head.turns

    @property
    def signals(self):
        return self.limits.names

    def standings(self):
        return read_standings(self.head.limited)

    def acknowledge(self, str signal, str side, epoch, rises):
        return acknowledge_rises(self.head.limited, signal, side, epoch, rises)


cdef int leaf_count(Plan plan):
    return plan.c.leaf_count
