# cython: language_level=3
"""Owner of a `Bell` (see doorbell.pxd): the eventfd and the words beside it."""

import os


cdef class Doorbell:
    """Wakes one thread. `stop()` asks that thread to finish."""

    def __cinit__(self):
        self.bell.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.bell.sleeps = 0
        self.bell.stop = 0

    def stop(self) -> None:
        store32(&self.bell.stop, 1)
        eventfd_write(self.bell.fd, 1)

    def __dealloc__(self):
        if self.bell.fd > 0:
            os.close(self.bell.fd)

    # For the main thread, which waits for other things too: poll `fd` between `lie_down` and `get_up`.

    @property
    def fd(self) -> int:
        return self.bell.fd

    def lie_down(self) -> None:
        lie_down(&self.bell)

    def get_up(self) -> None:
        cdef uint64_t rings
        store32(&self.bell.sleeps, 0)
        eventfd_read(self.bell.fd, &rings)
