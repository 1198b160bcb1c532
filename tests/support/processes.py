"""Processes stopped for a while, and what the kernel tells of them while they change."""

import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path

from line import wait_until


@contextmanager
def stopped(*pids):
    """Each thread of some processes stopped, none in a system call; then they go on. Those that have ended are no matter."""
    try:
        send(signal.SIGSTOP, pids)
        wait_until(
            lambda: all(state in "TtZX" for pid in pids for state in thread_states(pid).values()), "the stop"
        )
        yield
    finally:
        send(signal.SIGCONT, pids)


def send(number, pids):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def thread_states(pid):
    """By number of each thread, the letter by which the kernel tells what it does."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found[int(task.name)] = (task / "stat").read_text().rpartition(") ")[2][0]
    return found


def open_files(pid):
    """What each descriptor of a process leads to. One that is closed while we look is not there."""
    found = {}
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found[path] = os.readlink(path)
    return found
