"""How the service's memory is had from the kernel: what is freed is kept for the next answer, up to a bound.

Answers are made in arrays of megabytes. By default the C library gives each back at once, and a page that is had anew has to be
emptied by the kernel first: a third of the time of an answer.
"""

import ctypes
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

__all__ = ["give_way", "keep_memory"]

# Of glibc's <malloc.h>; other C libraries have no `mallopt`.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
KEPT = 48 << 20  # free bytes that are kept, of each arena
LARGE = 32 << 20  # bytes of an array that is had by itself, and given back: the most that glibc takes
ARENAS = 2


def keep_memory() -> bool:
    """Set it for this process, before there are threads; False where the C library has no such settings."""
    # Arrow's own allocator gives memory back by the clock.
    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((ARENA_MAX, ARENAS), (MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, KEPT))
    return all(mallopt(name, value) == 1 for name, value in settings)


def give_way(score: int) -> None:
    """Where memory runs out the kernel ends this process before others, as relays, whose score is lower; at most 1000."""
    path = Path("/proc/self/oom_score_adj")
    with suppress(OSError, ValueError):
        path.write_text(str(max(score, int(path.read_text()))))
