"""What a soak does to a running system; each fault is over when its function returns, its consequences may not be."""

import os
import random
import resource
import signal
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from line import wait_until
from processes import stopped
from system import speeddata

from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.schema import Schema

if TYPE_CHECKING:
    from soak import Soak
    from soak_sources import Source

STOP_S, FULL_S = 2.0, 3.0
WRONG = 1000  # packets


def kill_relay(soak: "Soak", source: "Source") -> None:
    os.kill(soak.relay(source), signal.SIGKILL)


def kill_keeper(soak: "Soak", _: "Source") -> None:
    os.kill(soak.status()["keeper"]["pid"], signal.SIGKILL)


def kill_orchestrator(soak: "Soak", _: "Source") -> None:
    """Kill it, and start another."""
    assert soak.system.process is not None
    soak.system.process.kill()
    soak.system.process.wait()
    soak.start()


def kill_stripchart(soak: "Soak", _: "Source") -> None:
    os.kill(soak.service("stripchart"), signal.SIGKILL)


def kill_pivot(soak: "Soak", _: "Source") -> None:
    os.kill(soak.service("pivot"), signal.SIGKILL)


def restart(soak: "Soak", _: "Source") -> None:
    done = speeddata("restart", f"--data={soak.system.data}", limit_s=120)
    assert done.returncode == 0, done.stderr


def stop_relay(soak: "Soak", source: "Source") -> None:
    with stopped(soak.relay(source)):
        time.sleep(STOP_S)  # that is the fault


def fill_disk(soak: "Soak", source: "Source") -> None:
    """No file of the relay may grow for a while."""
    pid = soak.relay(source)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    time.sleep(FULL_S)  # that is the fault
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def delete_segment(soak: "Soak", source: "Source") -> None:
    """Delete the segment that a relay writes to."""

    def deleted() -> bool:
        name = soak.stats(source)["segment"]
        try:
            if name:
                soak.readers[source.name].delete(name)
        except FileNotFoundError:  # it has just ended
            return False
        return bool(name)

    wait_until(deleted, "a segment to delete")


def send_wrong_packets(_: "Soak", source: "Source") -> None:
    """Send what is no record, from a socket of its own."""
    seeded = random.Random(source.wrong)
    plan = Plan(Schema.parse(source.schema))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _n in range(WRONG):
            packet = seeded.randbytes(seeded.randrange(300))
            try:
                plan.packet(packet)
            except RecordError:
                sock.sendto(packet, ("127.0.0.1", source.port))
                source.wrong += 1


FAULTS = (kill_relay, kill_keeper, kill_orchestrator, kill_stripchart, kill_pivot, restart, stop_relay, fill_disk,
          delete_segment, send_wrong_packets)  # fmt: skip


def drawn(seed: int, sources: "list[Source]") -> "Iterator[tuple[str, Source]]":
    """Names of faults and whom they hit, for ever: each once before any comes again."""
    seeded = random.Random(seed)
    while True:
        for fault in seeded.sample(FAULTS, len(FAULTS)):
            yield fault.__name__, seeded.choice(sources)
