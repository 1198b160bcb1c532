"""Processes that an orchestrator started, found again by what they carry in their environment, and ended.

It is the path of their pid file. The file itself would not do: an orchestrator may be killed before it has written it, and
a pid may have gone to another process since.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MARK", "Stray", "end", "find_all_strays", "find_strays", "open_process", "wait_end", "wake"]

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


def find_strays(pidfiles: Iterable[Path]) -> list[Stray]:
    """The living processes of some pid files, whether these are there or not."""
    wanted = {str(path): path.stem for path in pidfiles}
    return _marked(wanted.get)


def find_all_strays(run: Path) -> list[Stray]:
    """The living processes whose pid files belong into a folder."""
    return _marked(lambda path: Path(path).stem if Path(path).parent == run else None)


def _marked(name_of: Callable[[str], str | None]) -> list[Stray]:
    """Processes that carry the path of a pid file that has a name; sorted by it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (name := name_of(_mark(entry))):
            stray = open_process(name, int(entry.name))
            if stray is not None and name_of(_mark(entry)) == name:
                found.append(stray)
            elif stray is not None:
                stray.close()  # another has taken the pid meanwhile
    return sorted(found, key=lambda stray: (stray.name, stray.pid))


def _mark(process: Path) -> str:
    """The path of a pid file that a process carries; empty when it carries none."""
    try:
        environment = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    prefix = f"{MARK}=".encode()
    return next((os.fsdecode(one[len(prefix) :]) for one in environment if one.startswith(prefix)), "")


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
    """Ask processes to end, also those that somebody has stopped; kill those that do not; those that were killed."""
    for stray in strays:
        _signal(stray, signal.SIGTERM)
        wake(stray)
    deadline = time.monotonic() + grace_s
    stubborn = [stray for stray in strays if not wait_end(stray, deadline - time.monotonic())]
    for stray in stubborn:
        _signal(stray, signal.SIGKILL)
        wait_end(stray, grace_s)
    return stubborn


def wake(stray: Stray) -> None:
    """Let a process go on that somebody has stopped (SIGSTOP)."""
    _signal(stray, signal.SIGCONT)


def _signal(stray: Stray, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(stray.pidfd, number)
