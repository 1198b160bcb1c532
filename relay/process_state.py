"""What the kernel tells of a process: how it ended, whether it has been killed, which of its threads may still run."""

import contextlib
import os
import signal

__all__ = ["dying", "end_of", "threads"]


def end_of(pid: int) -> str:
    """How a dead relay ended; of one that was adopted only its parent is told."""
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return "ended"
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def dying(pid: int) -> bool:
    """Whether a process has been killed, though its end may not have come."""
    try:
        with open(f"/proc/{pid}/status") as file:
            status = {key: value.strip() for key, _, value in (line.partition(":") for line in file)}
    except OSError:
        return False
    return status["State"][0] in "ZX" or bool(int(status["SigPnd"], 16) >> signal.SIGKILL - 1 & 1)


def threads(pid: int) -> set[int]:
    """Threads of a process that may still run."""
    found: set[int] = set()
    try:
        listed = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return found
    for tid in listed:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{tid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] not in "ZX":
                found.add(int(tid))
    return found
