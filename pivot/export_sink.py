"""What the writers of files write to: it takes everything even when the disk is full, and tells afterwards.

Writers of libraries write on when they are closed after an error, which must not hide what the error was.
"""

import os
from collections.abc import Callable

__all__ = ["Sink", "table_rows"]

BYTES = 1 << 23  # of records that are turned into another form at a time
MOST = 1 << 16  # rows


class Sink:
    """A file object over a descriptor that belongs to the caller; what is written is written whole."""

    def __init__(self, descriptor: int, check: Callable[[], None] = lambda: None) -> None:
        self._fd = descriptor
        self._check = check
        self._failure: OSError | None = None
        self.closed = False

    def check(self) -> None:
        """Raise the OSError of the first write that failed, or what ends the export."""
        if self._failure is not None:
            raise self._failure
        self._check()

    def write(self, data: bytes | memoryview) -> int:
        view = memoryview(data).cast("B")
        done = 0
        while self._failure is None and done < len(view):
            try:
                done += os.write(self._fd, view[done:])
            except OSError as error:
                self._failure = error
        return len(view)

    def tell(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def fileno(self) -> int:
        return self._fd

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The descriptor is the caller's."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def table_rows(row_bytes: int, most: int = MOST, size: int = BYTES) -> int:
    """How many rows of a size are turned into another form at a time: a power of two."""
    return 1 << max(0, min(most, size // max(1, row_bytes)).bit_length() - 1)
