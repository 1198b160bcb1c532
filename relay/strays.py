"""Processes that an orchestrator started, found again by their pid files, and ended.

A pid may have gone to another process since: ours carry the path of their pid file in their environment.
"""

import contextlib
import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MARK", "Stray", "end", "find_stray", "open_process", "wait_end"]

MARK = "SPEEDDATA_PIDFILE"  # environment variable


@dataclass(frozen=True)
class Stray:
    """A living process, held by a pidfd so that no other can take its place."""

    name: str
    pid: int
    pidfd: int

    def close(self) -> None:
        """Let go of it."""
        os.close(self.pidfd)


def find_stray(pidfile: Path) -> Stray | None:
    """The living process of a pid file; None if it has ended."""
    try:
        pid = int(pidfile.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    stray = open_process(pidfile.stem, pid)
    if stray is not None and not _carries(pid, pidfile):
        stray.close()
        return None
    return stray


def open_process(name: str, pid: int) -> Stray | None:
    """Hold a process; None if there is none of this pid, or it is dead and not reaped yet."""
    try:
        stray = Stray(name, pid, os.pidfd_open(pid))
    except (OSError, OverflowError):
        return None
    if wait_end(stray, 0):
        stray.close()
        return None
    return stray


def wait_end(stray: Stray, limit_s: float) -> bool:
    """Wait for the end of a process; False if it has not come within the limit."""
    poll = select.poll()
    poll.register(stray.pidfd, select.POLLIN)
    return bool(poll.poll(max(0, limit_s) * 1000))


def end(strays: list[Stray], grace_s: float) -> list[Stray]:
    """Ask processes to end, kill those that do not within the grace; those that were killed."""
    for stray in strays:
        _signal(stray, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    stubborn = [stray for stray in strays if not wait_end(stray, deadline - time.monotonic())]
    for stray in stubborn:
        _signal(stray, signal.SIGKILL)
        wait_end(stray, grace_s)
    return stubborn


def _signal(stray: Stray, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(stray.pidfd, number)


def _carries(pid: int, pidfile: Path) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"{MARK}={pidfile}".encode() in environment
