# cython: language_level=3
"""How much a process may be in the way of others."""

import os

cdef extern from "sys/syscall.h" nogil:
    enum:
        SYS_ioprio_set

cdef extern from "unistd.h" nogil:
    long syscall(long number, ...)

cdef enum:
    IOPRIO_WHO_PROCESS = 1
    IOPRIO_CLASS_IDLE = 3    # << 13: uses the disk only when nobody else does; without meaning to some schedulers
    CLASS_SHIFT = 13

NICEST = 19


def step_back() -> None:
    """Let this process have what others leave of processor and disk; what the system refuses is left as it is."""
    os.nice(NICEST)
    syscall(SYS_ioprio_set, <int>IOPRIO_WHO_PROCESS, 0, <int>IOPRIO_CLASS_IDLE << <int>CLASS_SHIFT)
