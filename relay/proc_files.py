"""What the kernel tells in /proc of a process and of the machine: read and parsed, no state."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "ProcessReading",
    "Usage",
    "machine_memory",
    "machine_times",
    "read_process",
    "read_usage",
    "udp_counters",
]

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
KIB = 1024
PAGE = os.sysconf("SC_PAGE_SIZE")
IDLE = (3, 4)  # places in the processor's times of idle and of waiting for a disk


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used, as far as one file tells it."""

    cpu_s: float  # processor time of all its threads
    resident: int  # bytes in memory, shared ones among them


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """A process at one time."""

    begun: int  # ticks after boot; with the pid it tells a process from all others
    cpu_s: float  # processor time of all its threads
    threads: int
    resident: int  # bytes in memory, shared ones among them
    own: int  # of these, anonymous memory
    shared: int  # of these, mappings that are shared with others


def read_process(pid: int) -> ProcessReading | None:
    """What is known of a process; None when there is none."""
    try:
        # Not by Path, which would take longer than all the rest: there may be hundreds of relays.
        with open(f"{PROC}/{pid}/stat", "rb") as stat, open(f"{PROC}/{pid}/status", "rb") as status:
            fields, sizes = stat.read().rpartition(b")")[2].split(), status.read()
    except OSError:
        return None
    return ProcessReading(
        begun=int(fields[19]),
        cpu_s=(int(fields[11]) + int(fields[12])) / TICKS,
        threads=int(fields[17]),
        resident=_size(sizes, b"VmRSS"),
        own=_size(sizes, b"RssAnon"),
        shared=_size(sizes, b"RssShmem"),
    )


def read_usage(pid: int) -> Usage | None:
    """The processor time and memory of a process, in a third of the time that all of it takes; None when there is none."""
    try:
        with open(f"{PROC}/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return Usage((int(fields[11]) + int(fields[12])) / TICKS, int(fields[21]) * PAGE)


def machine_times() -> tuple[int, int]:
    """Ticks that all processors were busy, and all their ticks, since boot."""
    first = (PROC / "stat").read_text().partition("\n")[0]
    times = [int(field) for field in first.split()[1:9]]
    return sum(times) - sum(times[place] for place in IDLE), sum(times)


def machine_memory() -> dict[str, int]:
    """Bytes of memory: all, and what may still be had without swapping; the same of swap."""
    sizes = _sizes((PROC / "meminfo").read_text())
    return {
        "total": sizes["MemTotal"],
        "available": sizes.get("MemAvailable", sizes["MemFree"]),
        "swap_total": sizes["SwapTotal"],
        "swap_free": sizes["SwapFree"],
    }


def udp_counters() -> dict[str, Any]:
    """Datagrams of the whole machine since boot: received, for a port of nobody, dropped for want of a socket's buffer."""
    told = [
        line.split() for line in (PROC / "net" / "snmp").read_text().splitlines() if line.startswith("Udp: ")
    ]
    counters = dict(zip(told[0][1:], map(int, told[1][1:]), strict=True))
    return {
        "received": counters["InDatagrams"],
        "no_port": counters["NoPorts"],
        "buffer_errors": counters["RcvbufErrors"],
    }


def _size(status: bytes, key: bytes) -> int:
    """One of the sizes of a process in bytes; 0 for a zombie, which has no memory."""
    found = status.partition(b"\n" + key + b":")[2]
    return int(found.partition(b"kB")[0] or 0) * KIB


def _sizes(text: str) -> dict[str, int]:
    """Sizes in bytes of lines such as `VmRSS: 12 kB`."""
    parts = [line.split() for line in text.splitlines() if line.endswith(" kB")]
    return {part[0].rstrip(":"): int(part[1]) * KIB for part in parts}
