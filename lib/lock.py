"""Locks that say who acts: a file locked by a living process, with its pid in it."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from speeddata.errors import RelayError

__all__ = ["is_locked", "lock_holder", "sign_lock", "take_lock", "wait_for_lock"]

SIGNATURE_BYTES = 16
REST_S = 0.05  # between two looks


def take_lock(path: Path, refusal: str) -> int:
    """Take a lock and sign it; it is ours as long as the descriptor is open.

    RelayError when another process has it: `refusal`, in which `{pid}` stands for the holder.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = _signature(fd)
        os.close(fd)
        if isinstance(error, BlockingIOError):
            raise RelayError(refusal.format(pid=holder or "unknown")) from None
        raise
    with contextlib.suppress(OSError):  # on a full disk it holds without a signature, too
        sign_lock(fd)
    return fd


def wait_for_lock(path: Path, limit_s: float) -> int | None:
    """Take a lock, waiting for who has it; None when that took longer than the limit."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return take_lock(path, "process {pid} has it")
        except RelayError:
            if time.monotonic() > deadline:
                return None
            time.sleep(REST_S)


def sign_lock(fd: int) -> None:
    """Write our pid into a lock that we hold; always as many bytes, so that it takes no other place on the disk."""
    os.pwrite(fd, f"{os.getpid():<{SIGNATURE_BYTES - 1}}\n".encode(), 0)


def is_locked(path: Path) -> bool:
    """Whether a process holds a lock, as far as we may look."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def lock_holder(path: Path) -> int | None:
    """The process that holds a lock."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _signature(fd)
        return int(holder) if holder.isdigit() else None
    finally:
        os.close(fd)
    return None


def _signature(fd: int) -> str:
    return os.pread(fd, SIGNATURE_BYTES, 0).decode().strip()
