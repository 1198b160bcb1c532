"""Packets to a multicast group. Runs of equal size go in one piece, which the kernel cuts apart (UDP_SEGMENT).

A packet on its own costs twice what receiving it does; cut from a run it costs a fraction. The bytes of queued packets
must stay where they are until `send_queued` has returned. Nothing waits: what cannot go at once is counted and gone.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from speeddata.relay.c_system cimport iovec, mmsghdr

cdef enum:
    RUNS = 64                # messages in one sendmmsg
    PARTS = 256              # pieces of memory that they are in
    RUN_PACKETS = 64         # packets that every Linux cuts from one message
    RUN_BYTES = 65507        # in one message
    SEGMENT_CONTROL = 24     # CMSG_SPACE of the segment's size

# Packets in one message: all of one size, the last may be shorter.
cdef struct Run:
    uint32_t size
    uint32_t count
    uint32_t bytes
    uint32_t ended           # no more can follow

cdef struct Outlet:
    int fd                   # connected to the group; -1 = nothing is sent
    uint32_t largest         # packet that may be in a run: the kernel refuses to cut larger ones for this interface
    uint64_t sent            # since the caller looked last: packets
    uint64_t failed
    uint64_t cut             # those of the sent that the kernel cut from runs
    int error                # errno of the last packet, or run, that could not go; 0 = the last one went
    unsigned int runs        # that are queued
    unsigned int parts
    Run run[RUNS]
    mmsghdr messages[RUNS]
    iovec iovecs[PARTS]
    uint8_t control[RUNS][SEGMENT_CONTROL]

cdef void outlet_init(Outlet *o, int fd) noexcept nogil

# Queue a packet. When the queue is full, what was in it is sent first.
cdef void queue_packet(Outlet *o, uint8_t *packet, uint32_t length) noexcept nogil

# Send all that is queued.
cdef void send_queued(Outlet *o) noexcept nogil
