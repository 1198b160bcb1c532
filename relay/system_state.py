"""What the system page shows: every process with what it uses, the machine, the kernel's receive buffers, the doctor's findings.

Looked at when somebody asks, and once a second at most, whoever asks.
"""

import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from speeddata.relay import doctor
from speeddata.relay.disk_space import measure
from speeddata.relay.doctor_check import Subject
from speeddata.relay.proc_files import read_usage, udp_counters
from speeddata.relay.vitals import Vitals
from speeddata.times import format_time

__all__ = ["SystemState"]

Json = dict[str, Any]
FRESH_S = 0.9  # a page that asks once a second is not to be told the same twice
UNUSED = ("cpu_percent", "cpu_s", "threads", "memory")  # what nobody knows of a process that does not live
RMEM = Path("/proc/sys/net/core")


class SystemState:
    """The processes of one data folder, and the machine they are on.

    `status` gives what `GET /status` tells, `sealing` the sealing process if there is one, `relays` what the keeper says of the
    channels with their counters, and why it says nothing. `subject` is what the doctor examines.
    """

    def __init__(
        self,
        status: Callable[[], Json],
        sealing: Callable[[], Json | None],
        relays: Callable[[], tuple[dict[str, Json], str]],
        clock: Callable[[], float] = time.monotonic,
        subject: Subject | None = None,
    ) -> None:
        self.status = status
        self.sealing = sealing
        self.relays = relays
        self.clock = clock
        self.subject = subject
        self._vitals = Vitals(clock)
        self._lock = threading.Lock()
        self._at = -FRESH_S
        self._told: Json = {}
        self._examining = threading.Lock()

    def to_json(self) -> Json:
        """All of it, not older than a second."""
        with self._lock:
            if self.clock() - self._at >= FRESH_S:
                self._told, self._at = self._look(), self.clock()
            return self._told

    def usage(self, status: Json, relays: Mapping[str, int | None]) -> list[Json]:
        """What every process has used since it began; `status` and the pids of relays by name, as they are just now."""
        processes = [*_processes(status), *self._sealing()]
        named = [(one["kind"], one["name"], one["pid"]) for one in processes]
        named += [("relay", name, pid) for name, pid in relays.items()]
        return [
            {"kind": kind, "name": name, "cpu_s": reading.cpu_s, "memory": {"resident": reading.resident}}
            for kind, name, pid in named
            if pid and (reading := read_usage(pid))
        ]

    def examine(self) -> Json:
        """What the doctor finds, who opens a socket for it and sends itself some packets."""
        with self._examining:
            found = doctor.examine(self.subject)
            return {"findings": doctor.findings(found), **found}

    def _look(self) -> Json:
        status, (relays, trouble) = self.status(), self.relays()
        processes = [*_processes(status), *self._sealing(), *(_relay(one) for one in relays.values())]
        machine, used = self._vitals.look([one["pid"] for one in processes if one["pid"]])
        for process in processes:
            process.update(used.get(process["pid"]) or dict.fromkeys(UNUSED))
        return {
            "time": format_time(time.time_ns()),
            "version": status["version"],
            "data": status["data"],
            "machine": {**_name(), **machine},
            "disks": _disks(status),
            "archive": status["archive"],
            "processes": processes,
            "trouble": trouble or None,
            "kernel": {
                "rmem_max": _kernel_setting("rmem_max"),
                "rmem_default": _kernel_setting("rmem_default"),
                "udp": udp_counters(),
                "buffers": [_buffer(one) for one in relays.values() if one.get("stats")],
            },
        }

    def _sealing(self) -> Iterator[Json]:
        running = self.sealing()
        if running is not None:
            state = {"state": "active", "reason": "", "restarts": 0}
            yield {"name": "sealing", "kind": "service", **state, **running}


def _processes(status: Json) -> Iterator[Json]:
    own = {"pid": status["pid"], "state": "active", "reason": "", "since": status["started"], "restarts": 0}
    yield {"name": "orchestrator", "kind": "orchestrator", **own}
    yield {"name": "keeper", "kind": "keeper", **status["keeper"]}
    for service in status["services"]:
        yield {"kind": "service", **service}


def _relay(running: Json) -> Json:
    about = {key: running[key] for key in ("name", "pid", "state", "reason", "restarts")}
    return {"kind": "relay", **about, "since": format_time(running["since"])}


def _buffer(running: Json) -> Json:
    stats = running["stats"]
    return {
        "channel": running["name"],
        **stats["receive_buffer"],
        "drops": stats["kernel_drops"],
        "gro": stats["gro"],
    }


def _disks(status: Json) -> list[Json]:
    """The file systems of archive and data folder; one where both are on the same."""
    found: dict[int, Json] = {}
    for use, folder in (("archive", status["archive"]["folder"]), ("data", status["data"])):
        path = _existing(Path(folder))
        space = measure(path)
        disk = {"folder": str(path), "holds": [], "size": space.size, "free": space.free}
        found.setdefault(path.stat().st_dev, disk)["holds"].append(use)
    return list(found.values())


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _name() -> Json:
    return {"name": platform.node(), "kernel": os.uname().release, "python": platform.python_version()}


def _kernel_setting(name: str) -> int | None:
    """A setting of the kernel; None where it is not shown, as in some containers."""
    try:
        return int((RMEM / name).read_text())
    except (OSError, ValueError):
        return None
