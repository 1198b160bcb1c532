# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Packets to a multicast group, in runs where they are of equal size (see outlet.pxd)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from speeddata.relay.c_system cimport (
    CMSG_DATA,
    CMSG_FIRSTHDR,
    CMSG_LEN,
    EINTR,
    EINVAL,
    EIO,
    EMSGSIZE,
    MSG_DONTWAIT,
    SOL_UDP,
    UDP_SEGMENT,
    cmsghdr,
    errno,
    iovec,
    mmsghdr,
    sendmmsg,
)


cdef void outlet_init(Outlet *o, int fd) noexcept nogil:
    memset(o, 0, sizeof(Outlet))
    o.fd, o.largest = fd, RUN_BYTES


cdef bint joins(const Outlet *o, const Run *run, uint32_t length) noexcept nogil:
    """Whether a packet can follow those of a run."""
    return (not run.ended and length <= run.size <= o.largest and run.count < RUN_PACKETS
            and run.bytes + length <= RUN_BYTES)


cdef void queue_packet(Outlet *o, uint8_t *packet, uint32_t length) noexcept nogil:
    cdef Run *run
    cdef iovec *last
    if o.runs == RUNS or o.parts == PARTS:
        send_queued(o)
    if o.runs == 0 or not joins(o, &o.run[o.runs - 1], length):
        run = &o.run[o.runs]  # o.runs < RUNS: each run has a part at least, and there was room
        run.size, run.count, run.bytes, run.ended = length, 0, 0, 0
        memset(&o.messages[o.runs], 0, sizeof(mmsghdr))
        o.messages[o.runs].msg_hdr.msg_iov = &o.iovecs[o.parts]
        o.runs += 1
    run = &o.run[o.runs - 1]
    last = &o.iovecs[o.parts - 1] if run.count else NULL
    if last != NULL and <uint8_t *>last.iov_base + last.iov_len == packet:
        last.iov_len += length
    else:
        o.iovecs[o.parts].iov_base, o.iovecs[o.parts].iov_len = packet, length  # o.parts < PARTS
        o.parts += 1
        o.messages[o.runs - 1].msg_hdr.msg_iovlen += 1
    run.count += 1
    run.bytes += length
    run.ended = length < run.size


cdef void have_cut(Outlet *o, unsigned int k) noexcept nogil:
    """Have the kernel cut message k into packets of its run's size."""
    cdef cmsghdr *control
    cdef uint16_t size = <uint16_t>o.run[k].size
    o.messages[k].msg_hdr.msg_control = o.control[k]
    o.messages[k].msg_hdr.msg_controllen = SEGMENT_CONTROL
    control = CMSG_FIRSTHDR(&o.messages[k].msg_hdr)
    control.cmsg_level, control.cmsg_type, control.cmsg_len = SOL_UDP, UDP_SEGMENT, CMSG_LEN(sizeof(size))
    memcpy(CMSG_DATA(control), &size, sizeof(size))


cdef void send_apart(Outlet *o, unsigned int k) noexcept nogil:
    """Send the packets of a run one by one; a part of it holds whole packets."""
    cdef mmsghdr message
    cdef iovec piece
    cdef const Run *run = &o.run[k]
    cdef const iovec *part = o.messages[k].msg_hdr.msg_iov
    cdef size_t done = 0
    cdef uint32_t left = run.count
    memset(&message, 0, sizeof(message))
    message.msg_hdr.msg_iov, message.msg_hdr.msg_iovlen = &piece, 1
    while left:
        if done == part.iov_len:
            part += 1  # there is one more, for there is one more packet
            done = 0
        piece.iov_base = <uint8_t *>part.iov_base + done
        piece.iov_len = min(<size_t>run.size, part.iov_len - done)
        if sendmmsg(o.fd, &message, 1, MSG_DONTWAIT) == 1:
            o.sent += 1
            o.error = 0
        elif errno == EINTR:
            continue
        else:
            o.failed += 1
            o.error = errno
        done += piece.iov_len
        left -= 1


cdef void refused(Outlet *o, unsigned int k) noexcept nogil:
    """Message k cannot go as it is."""
    cdef int error = errno
    cdef uint64_t sent = o.sent
    if o.run[k].count > 1 and error in (EINVAL, EMSGSIZE, EIO):
        send_apart(o, k)
        if o.sent > sent:  # else it was not for being cut that they could not go
            # EIO: this interface cuts nothing. The others: nothing as large, a packet must fit into its MTU.
            o.largest = 0 if error == EIO else min(o.largest, o.run[k].size - 1)
    else:
        o.failed += o.run[k].count
        o.error = error


cdef void send_queued(Outlet *o) noexcept nogil:
    cdef unsigned int done = 0, k
    cdef int taken
    for k in range(o.runs):
        if o.run[k].count > 1:
            have_cut(o, k)
    while done < o.runs:
        taken = sendmmsg(o.fd, &o.messages[done], o.runs - done, MSG_DONTWAIT)
        if taken > 0:
            o.error = 0
            for k in range(done, done + <unsigned int>taken):
                o.sent += o.run[k].count
                if o.run[k].count > 1:
                    o.cut += o.run[k].count
            done += taken
        elif errno != EINTR:
            refused(o, done)
            done += 1
    o.runs = o.parts = 0
