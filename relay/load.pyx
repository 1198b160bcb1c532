# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Load and the plainest receiver there is, for benchmarks: no part of a system that runs."""

import os

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset

from speeddata.relay.c_system cimport (
    CLOCK_MONOTONIC, EAGAIN, EINTR, MSG_DONTWAIT, POLLIN, clock_ns, errno, iovec, mmsghdr, pollfd, ppoll, recvmmsg,
    sendmmsg, timespec,
)

cdef enum:
    BURST = 64               # packets in one call
    SLOT = 65536
    SECOND = 1_000_000_000
    LATE_NS = 300_000        # a sender that was held up longer does not catch up


cdef void rest(int64_t until) noexcept nogil:
    """Wait for a moment, asleep as long as it is far."""
    cdef int64_t left = until - clock_ns(CLOCK_MONOTONIC)
    cdef timespec nap
    if left > 100_000:
        nap.tv_sec, nap.tv_nsec = (left - 50_000) // SECOND, (left - 50_000) % SECOND
        ppoll(NULL, 0, &nap, NULL)
    while clock_ns(CLOCK_MONOTONIC) < until:
        pass


cdef int64_t send_paced(int fd, mmsghdr *messages, unsigned int calls, unsigned int packets, double rate,
                        int64_t duration) noexcept nogil:
    """Send bursts of `calls` messages that hold `packets` packets; gives the packets sent, or -errno."""
    cdef int64_t start = clock_ns(CLOCK_MONOTONIC)
    cdef int64_t end = start + duration
    cdef int64_t due, now, sent = 0
    cdef int done
    while True:
        now = clock_ns(CLOCK_MONOTONIC)
        if rate > 0:
            due = start + <int64_t>(sent / rate * 1e9)
            if now < due:
                rest(due)
            elif now - due > LATE_NS:
                start, end = start + (now - due), end + (now - due)
        if now >= end:
            return sent
        done = sendmmsg(fd, messages, calls, 0)
        if done > 0:
            sent += packets * done // calls
        elif errno != EINTR and errno != EAGAIN:
            return -errno


def send_load(int fd, const uint8_t[::1] packets not None, int size, bint joined, double rate, double seconds) -> int:
    """Send `packets`, which are of one `size`, over and over by a connected socket; gives how many were sent.

    `joined`: the socket has UDP_SEGMENT set, so that one message holds them all. `rate` 0: as fast as it goes.
    """
    cdef mmsghdr[BURST] messages
    cdef iovec[BURST] parts
    cdef unsigned int count = <unsigned int>(packets.shape[0] // size)
    cdef unsigned int calls = 1 if joined else count
    cdef unsigned int k
    cdef int64_t sent
    if not 1 <= count <= BURST:
        raise ValueError(f"{count} packets, wanted 1 to {BURST}")
    memset(messages, 0, sizeof(messages))
    for k in range(calls):  # calls <= count <= BURST
        parts[k].iov_base = <uint8_t *>&packets[k * size]
        parts[k].iov_len = packets.shape[0] if joined else size
        messages[k].msg_hdr.msg_iov, messages[k].msg_hdr.msg_iovlen = &parts[k], 1
    with nogil:
        sent = send_paced(fd, messages, calls, count, rate, <int64_t>(seconds * 1e9))
    if sent < 0:
        raise OSError(-sent, os.strerror(-sent))
    return sent


def count_packets(int fd, int stop, bytearray slots not None) -> int:
    """Receive and count packets until `stop` is readable and the socket empty; `slots` is room for a burst of them."""
    cdef mmsghdr[BURST] messages
    cdef iovec[BURST] parts
    cdef pollfd[2] polled
    cdef uint8_t *room = slots
    cdef uint64_t count = 0
    cdef int k
    cdef int done
    if len(slots) < BURST * SLOT:
        raise ValueError(f"{len(slots)} bytes of room, wanted {BURST * SLOT}")
    memset(messages, 0, sizeof(messages))
    memset(polled, 0, sizeof(polled))
    for k in range(BURST):
        parts[k].iov_base, parts[k].iov_len = room + k * SLOT, SLOT
        messages[k].msg_hdr.msg_iov, messages[k].msg_hdr.msg_iovlen = &parts[k], 1
    polled[0].fd, polled[1].fd = fd, stop
    polled[0].events = polled[1].events = POLLIN
    with nogil:
        while True:
            done = recvmmsg(fd, messages, BURST, MSG_DONTWAIT, NULL)
            if done > 0:
                count += done
                continue
            if polled[1].revents:
                break
            ppoll(polled, 2, NULL, NULL)
    return count
