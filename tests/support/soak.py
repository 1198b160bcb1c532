"""A whole system under load for a long time, with a fault now and then; at its end the books are drawn up."""

import os
import shutil
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import soak_faults
from flood import accounted, taken
from line import wait_until
from ports import free_port
from progress import Progress
from soak_archive import ArchiveReader, Follower
from soak_sources import CORE, FLAT_OUT, IDLE, Source, channels
from soak_vitals import Vitals, processes_of
from stream import pinned
from system import System

from speeddata.errors import RelayError
from speeddata.relay.client import KeeperClient

SLOW_RATE = 50.0
WARM_S = 2.0
LONG_S = 600  # a soak that tells of memory
MEASURED = 1 / 120  # of the time: long enough for the disk to be a part of what is measured
ALL = 1 + 3 + 3  # keeper, services, relays
HEALTHY_S, SETTLE_S = 60.0, 180.0
TURN_S = 0.5
KEEP_BYTES = 4 << 30  # of each fast channel's archive
NOTHING_STOPS_SO_LONG_S = 10.0


class Losses(NamedTuple):
    """Packets that were sent and those of them that the kernel dropped, records that the ring had no room for."""

    sent: int
    dropped: int
    ring_full: int


def losses(source: Source, stats: dict[str, Any]) -> Losses:
    sent = source.sent.value + source.wrong
    return Losses(sent, sent - taken(stats), stats["ring_full"])


class Soak:
    """A running system, its sources, and what is known of both."""

    def __init__(self, folder: Path, seed: int, progress: Progress) -> None:
        self.progress = progress
        self.system = System(folder / "data", "--set=relay.retention.min_free_percent=0")
        self.keeper = KeeperClient(self.system.data)
        self.cores = sorted(os.sched_getaffinity(0) - {CORE}) or [CORE]
        ports: set[int] = set()
        while len(ports) < 3:
            ports.add(free_port())
        self.sources = channels(sorted(ports), KEEP_BYTES)
        archive = self.system.data / "archive"
        self.readers = {
            s.name: ArchiveReader(archive / s.name, folder / "held" / s.name) for s in self.sources
        }
        by_name = {source.name: source for source in self.sources}
        self.follower = Follower(self.readers, lambda name: self.stats(by_name[name])["segments_in_use"])
        self.faults = soak_faults.drawn(seed, self.sources)
        self.vitals = Vitals()
        self.looked = 0.0
        # What had been sent and lost before the load proper, while the capacity was measured; by channel.
        self.before: dict[str, Losses] = {}

    # What there is

    def start(self) -> None:
        """Start the orchestrator, and all that it starts, on the cores that are not the sources'."""
        with pinned(*self.cores):
            self.system.start()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.system.get("/status")
        return found

    def service(self, name: str) -> int:
        return next(int(one["pid"]) for one in self.status()["services"] if one["name"] == name)

    def relay(self, source: Source) -> int:
        pid: int = wait_until(lambda: self.keeper.list(source.name)[0]["pid"], "a relay")
        return pid

    def stats(self, source: Source) -> dict[str, Any]:
        """Counters of a channel; a keeper that has just been killed is waited for."""

        def found() -> dict[str, Any] | None:
            with suppress(RelayError):
                return self.keeper.stats(source.name)
            return None

        stats: dict[str, Any] = wait_until(found, "a keeper", HEALTHY_S)
        return stats

    def pids(self) -> dict[str, int]:
        """All processes, by role."""
        status = self.status()
        roles = {"orchestrator": status["pid"], "keeper": status["keeper"]["pid"]}
        roles |= {one["name"]: one["pid"] for one in status["services"]}
        roles |= {f"relay {one['name']}": one["pid"] for one in self.keeper.list()}
        return {role: pid for role, pid in roles.items() if pid}

    def healthy(self) -> bool:
        """Whether all of it runs."""
        with suppress(OSError, RelayError):
            status = self.status()
            states = [status["keeper"]["state"], *(one["state"] for one in status["services"])]
            states += [one["state"] for one in self.keeper.list()]
            url = f"http://127.0.0.1:{self.system.pivot_port}/api/v1/health"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return states == ["active"] * ALL and answer.status == 200
        return False

    # What is done

    def begin(self) -> None:
        """Start system and sources, which are idle."""
        for source in self.sources:
            source.start()
        self.start()
        for source in self.sources:
            self.system.register(source.name, source.port, source.schema, **source.config)

    def measure(self, seconds: float) -> list[float]:
        """What the fast channels can take of packets in a second, both at once."""
        fast = self.sources[:2]
        self._set(fast, FLAT_OUT)
        time.sleep(WARM_S)  # an interval that is measured begins and ends
        before = [self.stats(source)["archived"] for source in fast]
        time.sleep(seconds)
        capacity = [(self.stats(s)["archived"] - n) / seconds for s, n in zip(fast, before, strict=True)]
        self._set(fast, IDLE)
        for source in fast:
            self.before[source.name] = losses(source, self.settled(source))
        self.progress.save(capacity=[round(most) for most in capacity])
        return capacity

    def load(self, rates: list[float]) -> None:
        """Let the fast channels be sent packets at these rates, and the slow one at its own."""
        for source, rate in zip(self.sources, [*rates, SLOW_RATE], strict=True):
            source.rate.value = rate
        self.follower.start()

    def _set(self, sources: list[Source], rate: float) -> None:
        for source in sources:
            source.rate.value = rate

    def strike(self) -> None:
        """The next fault; afterwards everything runs again, and records come in."""
        name, source = next(self.faults)
        getattr(soak_faults, name)(self, source)
        wait_until(self.healthy, f"health after {name} of {source.name}: {self.said()}", HEALTHY_S)
        before = {one.name: self.stats(one)["records"] for one in self.sources}
        for one in self.sources:
            wait_until(
                lambda one=one: self.stats(one)["records"] > before[one.name],  # type: ignore[misc]
                f"records of {one.name} after {name}",
                NOTHING_STOPS_SO_LONG_S,
            )
        counted = self.progress["faults"]
        self.progress.save(faults=counted | {name: counted.get(name, 0) + 1})

    def said(self) -> str:
        """The last that the orchestrator said."""
        return self.system.said()[-500:]

    def look(self, every_s: float) -> None:
        """Now and then look at all processes, and note how far it is."""
        self.follower.check()
        if time.monotonic() - self.looked >= every_s:
            self.vitals.look(self.pids())
            self.looked = time.monotonic()
            sent = {source.name: source.sent.value for source in self.sources}
            read = {name: reader.records for name, reader in self.readers.items()}
            self.progress.save(sent=sent, read=read, vitals=self.vitals.figures())

    def settled(self, source: Source) -> dict[str, Any]:
        """The books of a channel whose source is idle, when nothing is on its way any more."""
        last = [-1]

        def quiet() -> dict[str, Any] | None:
            stats = self.stats(source)
            former, last[0] = last[0], taken(stats)
            time.sleep(0.2)  # an interval in which nothing came
            return stats if former == last[0] and accounted(stats) == stats["records"] else None

        stats: dict[str, Any] = wait_until(quiet, f"the end of {source.name}", SETTLE_S)
        return stats

    def end(self) -> dict[str, dict[str, Any]]:
        """End sources and system; the last counters by channel."""
        self._set(self.sources, IDLE)
        for source in self.sources:
            self.settled(source)
            source.end()
        found = {source.name: self.settled(source) for source in self.sources}
        self.follower.finish()
        self.follower.check()
        self.system.stop()
        for reader in self.readers.values():
            reader.read_rest()
        wait_until(lambda: not processes_of(self.system.data), f"strays: {processes_of(self.system.data)}")
        return found


def check_channel(
    source: Source, stats: dict[str, Any], reader: ArchiveReader, before: Losses
) -> dict[str, Any]:
    """Fail unless the books of a channel balance and its files hold what they say; its figures."""
    sent, rejected, gaps = source.sent.value, sum(stats["rejected"].values()), stats["sequence"]["gaps"]
    lost = losses(source, stats).dropped
    assert stats["records"] == stats["packets"] == sent - gaps, f"{source.name}: sent {sent}: {stats}"
    assert stats["sequence"] == {"gaps": gaps, "duplicates": 0, "reordered": 0}, f"{source.name}: {stats}"
    if stats["gro"]:
        assert stats["kernel_drops"] <= lost, f"{source.name}: {lost} lost: {stats}"
    else:
        assert stats["kernel_drops"] == lost, f"{source.name}: {lost} lost: {stats}"
    assert accounted(stats) == stats["records"], f"{source.name}: {stats}"
    assert reader.records == stats["archived"], f"{source.name}: {reader.records} in the files: {stats}"
    return {
        "sent": sent + source.wrong, "packets": stats["packets"], "rejected": rejected, "lost_by_kernel": lost,
        "kernel_drops": stats["kernel_drops"], "archived": stats["archived"], "ring_full": stats["ring_full"],
        "not_archived": stats["not_archived"], "rescued": stats["rescued"], "segments": reader.segments,
        "deleted_records": reader.deleted, "while_measured": before._asdict(), "twice": 0, "unexplained": 0,
    }  # fmt: skip


def run(
    folder: Path, seconds: float, fault_every_s: float, seed: int, *, share: float = 0.0, rate: float = 0.0
) -> dict[str, Any]:
    """Soak a system at a share of its capacity, or at a rate; its figures."""
    progress = Progress("soak", folder)
    progress.clear()
    progress.save(seconds=0, of=seconds, faults={})
    soak = Soak(folder, seed, progress)
    try:
        soak.begin()
        measured = soak.measure(max(6.0, seconds * MEASURED)) if share else []
        soak.load([max(1000.0, share * most) for most in measured] or [rate] * 2)
        begin = time.monotonic()
        struck = 0
        while (now := time.monotonic() - begin) < seconds:
            soak.look(max(1.0, seconds / 720))
            if now >= (struck + 1) * fault_every_s and now < seconds - fault_every_s / 2:
                soak.strike()
                struck += 1
            progress.save(seconds=round(time.monotonic() - begin))
            time.sleep(TURN_S)
        found = soak.end()
    finally:
        soak.follower.finish()
        for source in soak.sources:
            if source.process:
                source.process.kill()
        soak.system.stop()
    books = {}
    for one in soak.sources:
        before = soak.before.get(one.name, Losses(0, 0, 0))
        books[one.name] = check_channel(one, found[one.name], soak.readers[one.name], before)
        books[one.name]["packets_per_s"] = round((books[one.name]["sent"] - before.sent) / seconds)
    progress.save(books=books, vitals=soak.vitals.figures())
    if seconds >= LONG_S:
        soak.vitals.check_flat()
    shutil.rmtree(soak.system.data / "archive")
    return dict(progress)
