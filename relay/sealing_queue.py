"""Which sealed segments are sealed next, and what came of those that were."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from speeddata.index import Seal
from speeddata.relay.inventory import Found, Inventory
from speeddata.relay.sealing import Outcome

__all__ = ["SealingQueue"]

log = logging.getLogger(__name__)

BATCH = 32  # segments for one process
BATCH_BYTES = 256 << 20
PUT_OFF_S = 600.0  # before one that could not be sealed is tried again

Codec = Callable[[str], str | None]


class SealingQueue:
    """Segments that wait for being sealed, the newest first: what is new is damaged unnoticed for the longest time."""

    def __init__(self, inventory: Inventory, clock: Callable[[], float] = time.monotonic) -> None:
        self.inventory = inventory
        self.clock = clock
        self.waiting: list[Found] = []
        self.counts: Counter[str] = Counter()
        self._codec: Codec = lambda _: None
        self._put_off: dict[Path, float] = {}  # until when
        self._at_work: dict[Path, Found] = {}

    def fill(self, sealed: Iterable[Found], codec: Codec) -> None:
        """Take up what is to be sealed among these, and by which codec."""
        now = self.clock()
        self._put_off = {path: until for path, until in self._put_off.items() if until > now}
        self._codec = codec
        wanted = [
            one
            for one in sealed
            if one.seal is Seal.UNSEEN
            or (one.seal is Seal.VERIFIED and codec(one.channel))
            or (one.seal in (Seal.VERIFIED, Seal.FINAL) and not one.has_rollup)
        ]
        wanted = [one for one in wanted if not {self.inventory.path(one)} & {*self._put_off, *self._at_work}]
        self.waiting = sorted(wanted, key=lambda one: one.arrival_ns)

    def next(self, room: int) -> tuple[list[Path], str | None]:
        """The next segments for one process, and the codec; copies that do not fit in the room are not made."""
        batch: list[Found] = []
        left: list[Found] = []
        size, chosen = 0, None
        while self.waiting and len(batch) < BATCH:
            one = self.waiting.pop()
            codec = self._codec(one.channel) if one.bytes <= room else None
            if codec is None and one.seal is Seal.VERIFIED and one.has_rollup:
                continue
            if batch and (codec != chosen or size + one.bytes > BATCH_BYTES):
                left.append(one)
                continue
            batch.append(one)
            size, chosen = size + one.bytes, codec
        self.waiting += reversed(left)
        self._at_work = {self.inventory.path(one): one for one in batch}
        return list(self._at_work), chosen

    def done(self, outcomes: Iterable[Outcome]) -> None:
        """Take note of what came of them."""
        for outcome in outcomes:
            found = self._at_work.pop(outcome.path, None)
            if outcome.seal is Seal.UNSEEN:
                if outcome.path.exists():  # else it has been deleted meanwhile
                    log.info("%s is not sealed yet: %s", outcome.path.name, outcome.words)
                self._put_off[outcome.path] = self.clock() + PUT_OFF_S
                continue
            if outcome.seal is Seal.DAMAGED:
                log.error("%s is damaged, and left as it is: %s", outcome.path.name, outcome.words)
            if outcome.saved is not None:
                self.counts["compressed"] += 1
                self.counts["saved"] += outcome.saved
            self.counts["sealed"] += 1
            if found is not None:
                found.seal = outcome.seal
                found.has_rollup = outcome.seal is not Seal.DAMAGED
        self._at_work = {}

    def given_up(self) -> None:
        """Take note that the process was ended: what it was at work on waits for the next filling."""
        self._at_work = {}

    def to_json(self) -> dict[str, Any]:
        return {
            "sealed": self.counts["sealed"],
            "compressed": {"segments": self.counts["compressed"], "saved_bytes": self.counts["saved"]},
        }
