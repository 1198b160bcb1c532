"""How much processor and memory processes and the machine use: looked at again and again, as a share since the look before."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from speeddata.relay.proc_files import ProcessReading, machine_memory, machine_times, read_process

__all__ = ["Vitals"]

Json = dict[str, Any]
LONGEST_S = 10.0  # between two looks that a share is reckoned from; what was longer ago says nothing of now


class Vitals:
    """What was seen at the last look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._at = -LONGEST_S
        self._machine = 0, 0
        self._processes: dict[int, ProcessReading] = {}

    def look(self, pids: Iterable[int]) -> tuple[Json, dict[int, Json]]:
        """The machine, and each of these processes that lives. Shares are null at a first look, and a long while after one."""
        now = self.clock()
        span = now - self._at if now - self._at <= LONGEST_S else None
        readings = {pid: reading for pid in pids if (reading := read_process(pid))}
        processes = {
            pid: {
                "cpu_percent": self._share(pid, reading, span),
                "cpu_s": reading.cpu_s,
                "threads": reading.threads,
                "memory": {"resident": reading.resident, "own": reading.own, "shared": reading.shared},
            }
            for pid, reading in readings.items()
        }
        machine = self._look_at_machine(span)
        self._at, self._processes = now, readings
        return machine, processes

    def _share(self, pid: int, reading: ProcessReading, span: float | None) -> float | None:
        """Percent of one processor."""
        former = self._processes.get(pid)
        if not span or former is None or former.begun != reading.begun:
            return None
        return round(100 * max(0.0, reading.cpu_s - former.cpu_s) / span, 1)

    def _look_at_machine(self, span: float | None) -> Json:
        (was_busy, was_all), self._machine = self._machine, machine_times()
        busy, every = self._machine[0] - was_busy, self._machine[1] - was_all
        return {
            "cpus": os.cpu_count(),
            "cpu_percent": round(100 * busy / every, 1) if span and every > 0 else None,
            "load": [round(load, 2) for load in os.getloadavg()],
            "uptime_s": int(time.clock_gettime(time.CLOCK_BOOTTIME)),
            "memory": machine_memory(),
        }
