"""A file that HDF5 writes to, and that takes everything even when its disk is full.

The HDF5 library does not survive a write that fails: it may crash the process, or keep the file open for good. So it
never sees one: what the disk does not take is held in memory for as long as the file is, and `check` tells.
"""

import io
import os
from collections.abc import Callable

__all__ = ["Spool"]


class Spool:
    """What h5py needs of a file object, over an empty file that belongs to the caller."""

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        # Where the next byte is read or written, and the end of the file.
        self._at = self._size = 0
        # Why the disk does not take more, and what it did not take: (offset, bytes), oldest first.
        self._failure: OSError | None = None
        self._held: list[tuple[int, bytes]] = []

    def check(self) -> None:
        """Raise the OSError of the first write that failed."""
        if self._failure is not None:
            raise self._failure

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        data = bytearray(size)
        return bytes(data[: self.readinto(data)])

    def readinto(self, out: bytearray | memoryview) -> int:
        """Read what was written here, zeros where nothing was."""
        wanted = max(0, min(len(out), self._size - self._at))
        data = bytearray(os.pread(self._fd, wanted, self._at).ljust(wanted, b"\0"))
        for offset, held in self._held:
            low, high = max(offset, self._at), min(offset + len(held), self._at + wanted)
            if low < high:
                data[low - self._at : high - self._at] = held[low - offset : high - offset]
        out[:wanted] = data
        self._at += wanted
        return wanted

    def write(self, data: bytes | memoryview) -> int:
        self._attempt(self._pwrite, data)
        if self._failure is not None:
            self._held.append((self._at, bytes(data)))
        self._at += len(data)
        self._size = max(self._size, self._at)
        return len(data)

    def truncate(self, size: int) -> int:
        self._attempt(os.ftruncate, self._fd, size)
        self._size = size
        return size

    def _attempt(self, call: Callable[..., object], *args: object) -> None:
        if self._failure is None:
            try:
                call(*args)
            except OSError as error:
                self._failure = error

    def _pwrite(self, data: bytes | memoryview) -> None:
        view, done = memoryview(data), 0
        while done < len(view):
            done += os.pwrite(self._fd, view[done:], self._at + done)

    def flush(self) -> None:
        """Nothing is held back but what the disk did not take."""
