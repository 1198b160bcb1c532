"""Memory, descriptors and zombies of a system's processes, looked at again and again."""

import contextlib
import os
import re
import statistics
from collections import defaultdict
from pathlib import Path

PART = re.compile(r"^(Rss|Pss|Anonymous|Pss_Shmem):\s+(\d+) kB", re.MULTILINE)
GROWTH, GROWTH_MIB, GROWTH_FDS = 0.05, 3.0, 2.0  # that is still flat
SHARED_MIB = 80  # most of a relay's mapping that is in memory: slots, ring, spare blocks

Sample = dict[str, float]


class Vitals:
    """Samples by role, in the order of time."""

    def __init__(self) -> None:
        self.samples: dict[str, list[Sample]] = defaultdict(list)
        # Processes that had ended and were not waited for when last looked at.
        self.zombies: set[int] = set()

    def look(self, pids: dict[str, int]) -> None:
        """Take a sample of processes by role; fails when a zombie has been left since the last look."""
        for role, pid in pids.items():
            with contextlib.suppress(OSError):  # it has just been killed
                self.samples[role].append(vital(pid))
        left = zombies_of(set(pids.values()))
        assert not left & self.zombies, f"zombies: {left & self.zombies}"
        self.zombies = left

    def figures(self) -> dict[str, dict[str, tuple[float, float]]]:
        """By role: each measure's mean in the second quarter and in the last."""
        return {
            role: {key: quarters(samples, key) for key in samples[0]}
            for role, samples in self.samples.items()
        }

    def check_flat(self) -> None:
        """Fail where anything has grown. The proportional size will not do: it is another after each fork from another keeper."""
        for role, measures in self.figures().items():
            memory = "anonymous_mib" if role.startswith("relay") else "rss_mib"
            before, after = measures[memory]
            assert after <= before * (1 + GROWTH) + GROWTH_MIB, (
                f"{role} grows: {before:.1f} to {after:.1f} MiB"
            )
            before, after = measures["fds"]
            assert after <= before + GROWTH_FDS, f"{role}: {before:.1f} descriptors, then {after:.1f}"
            assert max(s["shared_mib"] for s in self.samples[role]) <= SHARED_MIB, role


def vital(pid: int) -> Sample:
    parts = dict(PART.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))
    return {
        "pss_mib": int(parts["Pss"]) / 1024,
        "rss_mib": int(parts["Rss"]) / 1024,
        "anonymous_mib": int(parts["Anonymous"]) / 1024,
        "shared_mib": int(parts["Pss_Shmem"]) / 1024,
        "fds": float(len(os.listdir(f"/proc/{pid}/fd"))),
    }


def quarters(samples: list[Sample], key: str) -> tuple[float, float]:
    size = max(1, len(samples) // 4)
    second, last = samples[size : 2 * size] or samples, samples[-size:]
    return tuple(round(statistics.mean(sample[key] for sample in some), 1) for some in (second, last))  # type: ignore[return-value]


def zombies_of(parents: set[int]) -> set[int]:
    """Children of some processes that have ended and were not waited for."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and int(parent) in parents:
                found.add(int(path.parent.name))
    return found


def processes_of(data: Path) -> dict[int, str]:
    """Processes whose command line names a data folder."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if any(str(data) in word for word in words) and int(path.parent.name) != os.getpid():
                found[int(path.parent.name)] = " ".join(words)
    return found
