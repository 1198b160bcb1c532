"""Sending packets into a multicast stream: live, so nothing waits and nothing is sent twice."""

from libc.stdint cimport uint64_t

from speeddata.relay.c_system cimport EINTR, MSG_DONTWAIT, errno, mmsghdr, sendmmsg

cdef inline void send_packets(int fd, mmsghdr *packets, unsigned int count, uint64_t *sent,
                              uint64_t *failed) noexcept nogil:
    """Send `count` packets to the group that the socket is connected to; adds to `sent` and `failed`."""
    cdef unsigned int done = 0
    cdef int taken
    while done < count:
        taken = sendmmsg(fd, &packets[done], count - done, MSG_DONTWAIT)
        if taken > 0:
            done += taken
            sent[0] += taken
        elif errno != EINTR:
            # The first of them cannot go now, so it is gone.
            done += 1
            failed[0] += 1
