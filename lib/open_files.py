"""Whether anybody has a file open for writing, as the kernel knows it: a read lease is granted only where nobody has."""

import fcntl
import os
import signal
from pathlib import Path

__all__ = ["open_for_writing"]


def open_for_writing(path: Path) -> bool | None:
    """Whether a process has a file open for writing; None where that is not told: no leases there, or another's file."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        # Who opens the file for writing while we have the lease waits until we let go, and we get this signal, which
        # does nothing where nobody handles it; SIGIO, the one sent otherwise, would end us.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(fd)
    return False
