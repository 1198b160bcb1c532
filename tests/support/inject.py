"""Faults at the border to the kernel, by strace: errors, kills and delays at system calls of a running process."""

import contextlib
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

LIMIT_S = 10.0


@contextlib.contextmanager
def injecting(pid: int, *faults: str) -> Iterator[subprocess.Popen[str]]:
    """Inject faults, such as "fdatasync:error=EIO:when=1", into all threads of a process as long as the context lasts."""
    calls = ",".join(fault.split(":")[0] for fault in faults)
    argv = ["strace", "-f", "-p", str(pid), "-e", f"trace={calls}"]
    argv += [part for fault in faults for part in ("-e", f"inject={fault}")]
    tracer = subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert tracer.stderr is not None
        deadline = time.monotonic() + LIMIT_S
        said = ""
        while "attached" not in said:
            ready, _, _ = select.select([tracer.stderr], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"strace did not attach: {said}"
            line = tracer.stderr.readline()
            assert line, f"strace ended: {said}"
            said += line
        yield tracer
    finally:
        tracer.terminate()
        try:
            tracer.communicate(timeout=1.0)
        except subprocess.TimeoutExpired:
            # Where the process was killed, strace may wait for ever for a thread of it.
            tracer.kill()
            tracer.communicate(timeout=LIMIT_S)


def has_died(pid: int) -> bool:
    """Whether a process has been killed, its parent may not know yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"
