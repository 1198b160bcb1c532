"""How one thread of a relay wakes another: a system call only when the other really sleeps."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from speeddata.relay.atomics cimport fence, load32, store32
from speeddata.relay.c_system cimport POLLIN, eventfd_read, eventfd_write, pollfd, ppoll, timespec

cdef struct Bell:
    int fd              # eventfd
    uint32_t sleeps     # its owner is about to wait, or waits
    uint32_t stop       # its owner shall finish what there is and return

cdef inline void ring(Bell *bell) noexcept nogil:
    """Wake the owner if it sleeps. What it shall find must be stored before."""
    fence()
    if load32(&bell.sleeps):
        store32(&bell.sleeps, 0)
        eventfd_write(bell.fd, 1)

cdef inline void lie_down(Bell *bell) noexcept nogil:
    """Announce sleep. The owner looks once more for work after this, and then calls `sleep`."""
    store32(&bell.sleeps, 1)
    fence()

cdef inline bint sleep(Bell *bell, int also, int64_t timeout_ns) noexcept nogil:
    """Wait for a ring, for input on the descriptor `also` (-1: none), or for a time (negative: for ever)."""
    cdef pollfd fds[2]
    cdef timespec timeout
    cdef uint64_t rings
    fds[0].fd, fds[0].events, fds[0].revents = bell.fd, POLLIN, 0
    fds[1].fd, fds[1].events, fds[1].revents = also, POLLIN, 0
    timeout.tv_sec, timeout.tv_nsec = timeout_ns // 1_000_000_000, timeout_ns % 1_000_000_000
    ppoll(fds, 1 if also < 0 else 2, NULL if timeout_ns < 0 else &timeout, NULL)
    store32(&bell.sleeps, 0)
    if fds[0].revents:
        eventfd_read(bell.fd, &rings)
        return True
    return False

cdef class Doorbell:
    cdef Bell bell
