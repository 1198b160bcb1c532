"""Processes that hear nothing, as if they hung: held by ptrace, so that only SIGKILL moves them, and SIGCONT does not."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

TRACER = """
import ctypes, os, sys
SEIZE, INTERRUPT = 0x4206, 0x4207
libc = ctypes.CDLL(None, use_errno=True)
for pid in map(int, sys.argv[1:]):
    for request in (SEIZE, INTERRUPT):
        if libc.ptrace(request, pid, None, None) < 0:
            sys.exit(f"ptrace of {pid}: {os.strerror(ctypes.get_errno())}")
    os.waitpid(pid, 0x40000000)
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def deaf(*pids: int) -> Iterator[None]:
    """Hold the main threads of processes for as long as the context lasts."""
    with subprocess.Popen(
        [sys.executable, "-c", TRACER, *map(str, pids)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tracer:
        assert tracer.stdin is not None
        assert tracer.stdout is not None
        try:
            assert tracer.stdout.readline() == b"held\n"
            yield
        finally:
            tracer.stdin.close()
            tracer.wait(20)
