"""Processes stopped for a while."""

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
        wait_until(lambda: all(state in "TtZX" for pid in pids for state in thread_states(pid)), "the stop")
        yield
    finally:
        send(signal.SIGCONT, pids)


def send(number, pids):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def thread_states(pid):
    """The letters by which the kernel tells what each thread does."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield (task / "stat").read_text().rpartition(") ")[2][0]
