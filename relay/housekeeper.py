"""Keeps the archive in order, in a thread of the orchestrator: deletes by retention, has sealed segments sealed.

A segment is touched only if it was listed long enough ago, keeper and shared relay, asked after the last listing, do not
name it as one that they work on, and nobody has it open for writing as far as the kernel tells. Names tell nothing of that,
for clocks step back. What the keeper cannot be asked about is left alone.
"""

import fcntl
import logging
import os
import select
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any

from speeddata.errors import RelayError, SpeedDataError
from speeddata.folder_lock import alone_in
from speeddata.index import Seal, index_path
from speeddata.open_files import open_for_writing
from speeddata.registry.channels import Registry
from speeddata.relay.clock_file import ClockFile
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.disk_space import measure
from speeddata.relay.growth import Growth, forecast
from speeddata.relay.house_rules import HouseRules
from speeddata.relay.ingest_client import IngestClient
from speeddata.relay.inventory import Found, Inventory
from speeddata.relay.pins import Pins
from speeddata.relay.recompression import finish
from speeddata.relay.retention import Choice, Held, choose
from speeddata.relay.sealer import Sealer
from speeddata.relay.sealing import Outcome
from speeddata.relay.sealing_queue import SealingQueue
from speeddata.relay.trusted_clock import ClockState, Reading, read_clocks
from speeddata.rollup_names import rollup_path, temporary_path

__all__ = ["Housekeeper"]

log = logging.getLogger(__name__)

REST_S = 10.0  # between two passes
SETTLED_S = 10.0  # since a segment was first listed
EMPTY_S = 600.0  # the same for one without records: one may be being begun
LOOK_S = 1.0  # between two looks at the free space
PASS_S = 3.0  # for the deletions of one pass
STOP_S = 1.0
FLOOR = "retention.min_free_percent"

# Whether a relay may be at work on a segment, by channel and name.
InUse = Callable[[str, str], bool]


class Housekeeper:
    """Keeps one archive, whose channels are in a registry."""

    def __init__(
        self,
        registry: Registry,
        data: DataFolder,
        ingest: IngestClient | None = None,
        *,
        rest_s: float = REST_S,
        settled_s: float = SETTLED_S,
        clocks: Callable[[], Reading] = read_clocks,
    ) -> None:
        self.registry = registry
        self.ingest = ingest or IngestClient(data)
        self.archive = registry.archive
        self.rest_s = rest_s
        self.settled_s = settled_s
        self.rules = HouseRules(registry)
        self.clock = ClockFile(data.path / "clock.json", clocks)
        self.inventory = Inventory(self.archive)
        self.pins = Pins(registry.tags, self.inventory)
        self.sealer = Sealer(data)
        self.queue = SealingQueue(self.inventory)
        self.deleted: Counter[str] = Counter()
        # What keeps us from keeping the house, in words.
        self.trouble = ""
        self._said = ""
        # Nothing more may be deleted, though there is too little room; a pass had not time enough; it had no keeper to ask.
        self._exhausted = False
        self._unfinished = False
        self._unasked = False
        self._space = measure(self.archive)
        self._growth = Growth()
        self._lock = -1
        self._shown: dict[str, Any] = {}
        self._show()
        self._stopping = threading.Event()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being sealed is left, to be begun again."""
        self._stopping.set()
        os.eventfd_write(self._wake, 1)
        self._thread.join(STOP_S)
        if self._thread.is_alive():  # it waits for keeper or disk, and does nothing more after that
            self.sealer.stop()
            return
        os.close(self._wake)

    def to_json(self) -> dict[str, Any]:
        """The archive as the API shows it."""
        return {
            "folder": str(self.archive),
            "free_percent": round(self._space.free_percent, 1),
            **forecast(self._space, self._growth.rate(), self.rules.min_free_percent),
            "trouble": self.trouble or None,
            **self._shown,
        }

    def _run(self) -> None:
        due = 0.0
        while not self._stopping.is_set():
            try:
                self._note_sealed()
                self._space = measure(self.archive)
                now = time.monotonic()
                if (
                    now >= due
                    or self._unfinished
                    or self._unasked
                    or (self._lacking() and not self._exhausted)
                ):
                    due = now + self.rest_s
                    try:
                        self._pass()
                    finally:
                        self._show()
                self._seal()
            except (SpeedDataError, OSError) as error:
                self.trouble, self._unfinished = str(error), False
            except Exception as error:
                log.exception("housekeeping goes on")
                self.trouble, self._unfinished = repr(error), False
            self._say_trouble()
            self._wait(0.0 if self._unfinished else min(LOOK_S, self.rest_s))
        self.sealer.stop()
        if self._lock >= 0:
            os.close(self._lock)

    def _wait(self, limit_s: float) -> None:
        """Wait, unless told to stop or the sealing process ends."""
        poll = select.poll()
        for fd in (self._wake, self.sealer.pidfd):
            if fd >= 0:
                poll.register(fd, select.POLLIN)
        poll.poll(limit_s * 1000)

    def _pass(self) -> None:
        """Look at everything once."""
        self.clock.read()
        if not self.archive.is_dir():
            self.trouble = ""
            return
        if self._lock < 0:
            self._lock = lock_archive(self.archive)
        self.inventory.look()
        self.rules.read()
        in_use, trouble = self._in_use()
        self._unasked = bool(trouble)
        sealed = [one for one in self.inventory.segments() if self._is_sealed(one, in_use)]
        for one in sealed:
            if self._stopping.is_set():
                return
            self.inventory.learn(one)
        sealed = [one for one in sealed if not one.empty or self._seen_for(one.seen) >= EMPTY_S]
        trouble = self._retain(sealed) or trouble
        self._sweep(in_use)
        held = sum(one.bytes for one in self.inventory.segments())
        self._growth.add(time.monotonic(), held + self.deleted["bytes"])
        self.pins.forget_all_but({(one.channel, one.name) for one in self.inventory.segments()})
        self.queue.fill(filter(self.inventory.has, sealed), self.rules.codec)
        self.trouble = trouble

    def _in_use(self) -> tuple[InUse, str]:
        """Which segments relays may be at work on, and what keeps us from knowing it."""
        registered, spoiled = self.rules.registered, self.rules.spoiled
        shared = self.ingest.segments()
        try:
            running = {one["name"]: one for one in self.registry.launcher.list(stats=True)}
        except RelayError as error:
            leave = lambda channel, name: channel in registered or name in shared  # noqa: E731
            return leave, f"registered channels are left alone: {error}"

        def in_use(channel: str, name: str) -> bool:
            if name in shared:
                return True
            if channel in running:
                # A keeper of an older version does not tell: then it may be any.
                return name in (running[channel].get("stats") or {}).get("segments_in_use", (name,))
            if channel not in registered:
                return False
            # Its relay may be one that the keeper has not adopted yet; settings that cannot be read may want all kept.
            return channel in spoiled or may_be_written(self.archive / channel / name)

        return in_use, ""

    def _is_sealed(self, found: Found, in_use: InUse) -> bool:
        return self._seen_for(found.seen) >= self.settled_s and not in_use(found.channel, found.name)

    def _seen_for(self, since: float) -> float:
        return self.inventory.clock() - since

    def _retain(self, sealed: list[Found]) -> str:
        """Delete what retention says; in words, what it could not bring about."""
        state, lacking = self.clock.state, self._lacking()
        self._exhausted = self._unfinished = False
        if not lacking and not self.rules.limiting:
            return ""
        free = {(one.channel, one.name): one for one in sealed}

        def pinned(one: Held) -> bool:
            return self.pins.hold(free[one.channel, one.name])

        rules = self.rules
        choices = choose(self._held(free, state), rules.limits, rules.archive_bytes, lacking, pinned)
        done = self._act(choices, free)
        expected = sum(choice.segment.bytes for choice in choices)
        self._exhausted = bool(lacking) and not done[FLOOR]
        if lacking <= expected:
            return ""
        return (
            f"{self._space.free_percent:.1f} % of the disk are free, wanted {self.rules.min_free_percent:g} %, "
            "and nothing more may be deleted"
        )

    def _held(self, free: Container[tuple[str, str]], state: ClockState) -> Iterator[Held]:
        """All segments as retention sees them; one without records that is not free is as good as not there."""
        for one in self.inventory.segments():
            is_free = (one.channel, one.name) in free
            if one.known and one.empty and not is_free:
                continue
            came = one.arrival_ns + state.shift_ns(one.arrival_ns) if one.known else state.now_ns
            yield Held(one.channel, one.name, one.bytes, came, state.now_ns - came, is_free)

    def _act(self, choices: list[Choice], free: dict[tuple[str, str], Found]) -> Counter[str]:
        """Delete what was chosen, as far as the time of a pass goes; how many by which setting."""
        done: Counter[str] = Counter()
        by_channel: Counter[tuple[str, str]] = Counter()
        deadline = time.monotonic() + PASS_S
        for choice in choices:
            self._unfinished = time.monotonic() > deadline
            if self._stopping.is_set() or self._unfinished:
                break
            if choice.setting == FLOOR:
                self._space = measure(self.archive)
                if not self._lacking():
                    break
            if self._delete(free[choice.segment.channel, choice.segment.name]):
                done[choice.setting] += 1
                by_channel[choice.segment.channel, choice.setting] += 1
        for (channel, setting), count in by_channel.items():
            log.info("%s: %d segments deleted by %s", channel, count, setting)
        self._space = measure(self.archive)
        return done

    def _delete(self, found: Found) -> bool:
        """Delete a segment, unless it turns out that it must not be."""
        path = self.inventory.path(found)
        if path in self.sealer.paths:
            if not self.sealer.stop():
                return False
            self.queue.given_up()
        try:
            # The tags cannot change from here until it is gone: who is told that a tag is kept can rely on it.
            with alone_in(path.parent) as alone, self.registry.tags.turn:
                if not alone or self.pins.hold(found) or open_for_writing(path):
                    return False
                # In this order: an index or a rollup without a segment is nothing, and is swept.
                path.unlink()
                index_path(path).unlink(missing_ok=True)
                rollup_path(path).unlink(missing_ok=True)
            finish(path)
        except FileNotFoundError:  # somebody else has deleted it
            self.inventory.drop(found)
            return False
        self.inventory.drop(found)
        self.deleted["segments"] += 1
        self.deleted["bytes"] += found.bytes
        return True

    def _sweep(self, in_use: InUse) -> None:
        """Remove indexes and rollups whose segments were deleted, and complete or clear away what a killed sealing left."""
        for channel, folder in self.inventory.folders.items():
            for name, seen in list(folder.orphans.items()):
                segment = (folder.path / name).with_suffix(".avro")
                if self._seen_for(seen) < self.settled_s or segment.exists() or in_use(channel, segment.name):
                    continue
                (folder.path / name).unlink(missing_ok=True)
                folder.orphans.pop(name)
            at_work = {path.name for path in self.sealer.paths}
            for name in folder.leftovers - at_work:
                finish(folder.path / name)
                temporary_path(folder.path / name).unlink(missing_ok=True)
            folder.leftovers &= at_work

    def _seal(self) -> None:
        """Have the next segments sealed, where there is room for it."""
        if self.sealer.paths or self._lacking() or self._lock < 0:
            return
        room = self._space.free - int(self._space.size * self.rules.min_free_percent / 100)
        paths, codec = self.queue.next(room)
        if paths:
            self.sealer.start(paths, codec)

    def _note_sealed(self) -> None:
        outcomes: list[Outcome] | None = self.sealer.finished()
        if outcomes:
            self.queue.done(outcomes)
            self._show()

    def _lacking(self) -> int:
        return self._space.lacking(self.rules.min_free_percent)

    def _say_trouble(self) -> None:
        """Log trouble when it begins, changes or ends."""
        if self.trouble != self._said:
            log.log(
                logging.WARNING if self.trouble else logging.INFO,
                "archive: %s",
                self.trouble or "in order again",
            )
            self._said = self.trouble

    def _show(self) -> None:
        segments = list(self.inventory.segments())
        self._shown = {
            "segments": len(segments),
            "bytes": sum(one.bytes for one in segments),
            "deleted": {"segments": self.deleted["segments"], "bytes": self.deleted["bytes"]},
            "damaged": sum(one.seal is Seal.DAMAGED for one in segments),
            **self.queue.to_json(),
            "clock_step": self.clock.to_json(),
        }


def lock_archive(archive: Path) -> int:
    """Be the only one who keeps an archive in order, which data folders may share: as long as the descriptor is open.

    It is the folder that is locked: on a disk that is full no file for it could be made.
    """
    fd = os.open(archive, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise RelayError(f"another process keeps {archive} in order") from None
    return fd


def may_be_written(path: Path) -> bool:
    """Whether somebody may have a file open for writing, as far as is told."""
    try:
        return open_for_writing(path) is not False
    except FileNotFoundError:
        return False
