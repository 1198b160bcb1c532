"""Rollups of segments, each by itself and many merged, kept in a bounded memory.

Those of sealed segments are read from their files. Of the others what was aggregated before is kept, and only blocks that
are new are decoded.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from speeddata.decoding import entry_array
from speeddata.errors import ArchiveError
from speeddata.rollup import LEVELS, Rollup
from speeddata.rollup_blocks import roll_up_blocks
from speeddata.rollup_memory import Memory
from speeddata.rollup_segments import Seen, View
from speeddata.segment import Segment

__all__ = ["Kept", "Parts"]

logger = logging.getLogger(__name__)

MERGED = 1 << 21  # rows of all segments together up to which they are merged once for all queries
WORTH = 0.25  # of the segments that a query must be about for all of them to be merged
SHARE = 0.5  # of a segment's time that a query must be about for all of it to be aggregated
LARGE = 2048  # rows from which coarser ones are kept too
WAIT_S = 0.1
Check = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Kept:
    """Rows of some segments, or of the blocks of one so far."""

    rollup: Rollup
    identities: tuple[int, ...] = ()
    blocks: int = 0
    damages: int = 0

    @property
    def nbytes(self) -> int:
        return self.rollup.nbytes + 8 * len(self.identities)


class Parts:
    """The rollups of the segments in one folder. Threads may share it; one at a time makes what is missing."""

    def __init__(self, folder: Path, memory: Memory[Kept]) -> None:
        self._folder = str(folder)
        self._memory = memory
        self._lock = threading.RLock()
        self._begun: set[tuple[str, bytes]] = set()  # segments aggregated here

    def covers(self, one: Seen, level: int, start: int, stop: int) -> bool:
        """Whether the rows of a segment at a level can be had, and are worth it for a query about [start, stop)."""
        if one.finest is None or one.finest > level:
            return False
        if one.rollup is not None or (one.path.name, one.sync) in self._begun:
            return True
        share = min(stop, one.max_ns + 1) - max(start, one.min_ns)
        return share >= SHARE * (one.max_ns - one.min_ns)

    def merged(
        self, view: View, names: Sequence[str], level: int, start: int, stop: int, check: Check
    ) -> tuple[dict[str, Rollup], int, int]:
        """The merged rows of the first segments, those that are steady; of how many they are (0: take them one by one), and
        how many places in them could not be read."""
        steady = view.steady(level)
        if len(steady.segments) < 2 or steady.rows > MERGED:
            return {}, 0, 0
        made = {name: self._memory.get((self._folder, "merged", name, level)) for name in names}
        found = {name: kept for name, kept in made.items() if kept and kept.identities == steady.identities}
        missing = [name for name in names if name not in found]
        if missing:
            asked = view.count_within(start, stop - 1, len(steady.segments))
            if asked < WORTH * len(steady.segments):
                return {}, 0, 0
            with self._alone(check):
                found |= self._merge(steady.segments, steady.identities, missing, level, check)
        lost = max((kept.damages for kept in found.values()), default=0)
        return {name: kept.rollup for name, kept in found.items()}, len(steady.segments), lost

    def of_segment(
        self, one: Seen, names: Sequence[str], level: int, check: Check
    ) -> tuple[dict[str, Rollup], int]:
        """The rows of one segment by signal, and how many places in it could not be read."""
        made: dict[str, Rollup] = {}
        if one.rollup is not None:
            for name in names:
                if (rollup := self._from_file(one, name, level)) is not None:
                    made[name] = rollup
        missing = [name for name in names if name not in made]
        if not missing:
            return made, 0
        lost = 0
        for name, kept in self._aggregated(one, missing, level, check).items():
            made[name] = self._coarser(one, name, kept, level)
            lost = max(lost, kept.damages)
        return made, lost

    def _merge(
        self,
        segments: Sequence[Seen],
        identities: tuple[int, ...],
        names: Sequence[str],
        level: int,
        check: Check,
    ) -> dict[str, Kept]:
        """Merge the rows of segments; what was merged of the first of them before is taken as it is."""
        former = [self._memory.get((self._folder, "merged", name, level)) for name in names]
        first = min(len(kept.identities) if kept else 0 for kept in former)
        parts: dict[str, list[Rollup]] = {name: [] for name in names}
        lost = 0
        if first and all(kept and kept.identities == identities[:first] for kept in former):
            for name, kept in zip(names, former, strict=True):
                parts[name] += [kept.rollup] if kept else []
                lost = max(lost, kept.damages if kept else 0)
        else:
            first = 0
        for one in segments[first:]:
            check()
            rows, unread = self.of_segment(one, names, level, check)
            lost += unread
            for name, rollup in rows.items():
                parts[name].append(rollup)
        made = {}
        for name, each in parts.items():
            rollup = Rollup.merged(each) if each else Rollup.empty(LEVELS[level])
            made[name] = Kept(rollup, identities, damages=lost)
            self._memory.put((self._folder, "merged", name, level), made[name])
        return made

    def _from_file(self, one: Seen, name: str, level: int) -> Rollup | None:
        """The rows of a signal as the segment's rollup has them; None when they are damaged, or gone."""
        assert one.rollup is not None, "there is a rollup"
        if name not in one.rollup.signals:
            return Rollup.empty(LEVELS[level])
        key = (self._folder, one.identity, name, level)
        kept = self._memory.get(key)
        if kept is None:
            try:
                kept = Kept(one.rollup.read(name, level))
            except ArchiveError as error:
                logger.debug("not used: %s", error)
                return None
            self._memory.put(key, kept)
        return kept.rollup

    def _aggregated(self, one: Seen, names: Sequence[str], level: int, check: Check) -> dict[str, Kept]:
        """The rows of a segment made from its blocks, of those that are new where some are known."""
        found = {name: kept for name in names if (kept := self._usable(one, name, level)) is not None}
        if all(name in found and found[name].blocks == one.blocks for name in names):
            return found
        with self._alone(check):
            found = {name: kept for name in names if (kept := self._usable(one, name, level)) is not None}
            lacking = [name for name in names if name not in found or found[name].blocks < one.blocks]
            first = min((found[name].blocks if name in found else 0 for name in lacking), default=0)
            same = [name for name in lacking if (found[name].blocks if name in found else 0) == first]
            # Signals asked for together are known up to the same block, but for the first time.
            for group in (same, [name for name in lacking if name not in same]):
                if group:
                    found |= self._extend(one, group, found, check)
        return found

    def _usable(self, one: Seen, name: str, level: int) -> Kept | None:
        kept = self._memory.get((self._folder, one.path.name, one.sync, name))
        # One that has been cut since has fewer blocks than are known.
        usable = kept is not None and kept.blocks <= one.blocks and kept.rollup.width_ns <= LEVELS[level]
        return kept if usable else None

    def _extend(
        self, one: Seen, names: Sequence[str], found: dict[str, Kept], check: Check
    ) -> dict[str, Kept]:
        """Aggregate the blocks that are not in what is known of some signals."""
        assert one.finest is not None, "its level is known"
        known = [found.get(name) for name in names]
        told = {(kept.blocks, kept.rollup.width_ns) if kept else (0, 0) for kept in known}
        first, width = told.pop() if len(told) == 1 else (0, 0)
        with Segment(one.path, known=one.known) as segment:
            same = segment.head.sync == one.sync
            entries = entry_array(segment.entries)[: one.blocks if same else None]
            if not (
                same and first
            ):  # a copy that has taken its place has the same records, in other blocks perhaps
                first, width = 0, LEVELS[one.finest]
            made, lost = roll_up_blocks(segment, entries[first:], names, width, check)
        now = {}
        for name, kept in zip(names, known, strict=True):
            rollup = made.get(name, Rollup.empty(width))
            if kept and first:
                rollup = Rollup.merged([kept.rollup, rollup])
            now[name] = Kept(rollup, (), one.blocks, lost + (kept.damages if kept and first else 0))
            if same:
                self._memory.put((self._folder, one.path.name, one.sync, name), now[name])
        if same:
            self._begun.add((one.path.name, one.sync))
        return now

    def _coarser(self, one: Seen, name: str, kept: Kept, level: int) -> Rollup:
        """What is known of a segment at a level."""
        if len(kept.rollup) < LARGE or kept.rollup.width_ns == LEVELS[level]:
            return kept.rollup.at(LEVELS[level])
        key = (self._folder, one.path.name, one.sync, name, level)
        coarse = self._memory.get(key)
        if coarse is None or coarse.blocks != kept.blocks:
            coarse = Kept(kept.rollup.at(LEVELS[level]), (), kept.blocks)
            self._memory.put(key, coarse)
        return coarse.rollup

    @contextmanager
    def _alone(self, check: Check) -> Iterator[None]:
        """Be the only one who makes what is missing, so that it is made once."""
        while not self._lock.acquire(timeout=WAIT_S):
            check()
        try:
            yield
        finally:
            self._lock.release()
