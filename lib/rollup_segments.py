"""The segments of a channel as rollups see them: what the archive knows of each, and the rollup beside it.

Whether anything has changed the archive tells (see `Archive.look`): a query that finds nothing changed opens no file.
"""

import logging
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from speeddata.archive import Archive, Look
from speeddata.decoding import entry_array
from speeddata.errors import ArchiveError, SchemaError
from speeddata.index import Seal
from speeddata.plan import Plan
from speeddata.rollup import LEVELS, finest_level
from speeddata.rollup_file import RollupFile
from speeddata.schema import Schema, Signal
from speeddata.schema_union import union_of
from speeddata.segment import Known
from speeddata.table import Array

__all__ = ["NEVER", "Seen", "Segments", "View"]

logger = logging.getLogger(__name__)

NEVER = 99  # stands for no level
QUIET_NS = 60_000_000_000  # after which a segment is not taken to be written to


@dataclass(frozen=True, eq=False)
class Seen:
    """One segment."""

    path: Path
    known: Known | None  # None: it cannot be read
    beside: int | None  # the inode of the rollup beside it, be it of use or not
    end: int = 0  # offset behind its last whole block
    plan: Plan | None = None  # None: it has no records, or cannot be read
    min_ns: int = 0
    max_ns: int = 0
    count: int = 0
    blocks: int = 0
    finest: int | None = None  # level
    rollup: RollupFile | None = None  # that covers all its blocks
    damages: int = 0
    entries: Array | None = None  # of one that may grow

    @property
    def sync(self) -> bytes:
        return self.known.head.sync if self.known else b""

    @cached_property
    def identity(self) -> int:
        """Tells it from any other, and from what it was when it had fewer blocks."""
        return hash((self.path.name, self.sync, self.end))


@dataclass(frozen=True)
class Steady:
    """The first segments of a view, as far as none of them is being written to, and all have a level."""

    segments: tuple[Seen, ...]
    identities: tuple[int, ...]
    rows: int  # that they have at most at that level


class View:
    """The segments of a channel at an instant."""

    def __init__(self, segments: tuple[Seen, ...] = (), growing: tuple[str, ...] = ()) -> None:
        self.segments = segments  # in the order their records arrived
        self.growing = growing  # names of those that may grow
        self.made_ns = time.time_ns()
        self.unreadable = sum(one.damages for one in segments if not one.count)
        self._filled = tuple(one for one in segments if one.count)
        self._lows = np.array([one.min_ns for one in self._filled], np.int64)
        self._highs = np.array([one.max_ns for one in self._filled], np.int64)
        self._still = np.array([one.entries is None for one in self._filled], np.bool_)
        self._identities = np.array([one.identity for one in self._filled], np.int64)
        self._finest = np.array(
            [NEVER if one.finest is None else one.finest for one in self._filled], np.int64
        )
        # Of what a file that was cut had behind its end, nobody looks at the times.
        self._cut = sum(one.known is not None and one.known.behind is not None for one in segments)
        self._damages = np.array([one.damages for one in self._filled], np.int64)
        self._steady: dict[int, Steady] = {}

    @cached_property
    def schema(self) -> Schema | None:
        """All versions of the schema in one; None when no segment tells one."""
        plans = [one.plan.schema for one in self.segments if one.plan is not None]
        if not plans:
            return None
        try:
            return union_of(list({id(schema): schema for schema in plans}.values()))
        except SchemaError:
            return plans[-1]

    @cached_property
    def signals(self) -> list[Signal]:
        """The signals of all versions, the time left out."""
        return [one for one in self.schema.signals if one.name != self.schema.time] if self.schema else []

    @property
    def count(self) -> int:
        return sum(one.count for one in self._filled)

    @property
    def span(self) -> tuple[int, int] | None:
        """The times of the oldest and of the newest record."""
        return (int(self._lows.min()), int(self._highs.max())) if self._filled else None

    def _inside(self, start_ns: int, end_ns: int) -> Array:
        inside: Array = (self._highs >= start_ns) & (self._lows <= end_ns)
        return inside

    def within(self, start_ns: int, end_ns: int, first: int = 0) -> list[Seen]:
        """The segments that have records in [start_ns, end_ns], as far as their span tells; without the first so many."""
        places = np.flatnonzero(self._inside(start_ns, end_ns)[first:]) + first
        return [self._filled[place] for place in places]

    def count_within(self, start_ns: int, end_ns: int, last: int) -> int:
        """How many of the first so many segments have records in [start_ns, end_ns]."""
        return int(self._inside(start_ns, end_ns)[:last].sum())

    def finest_within(self, start_ns: int, end_ns: int) -> int | None:
        """The finest level that any segment in [start_ns, end_ns] has; None when there is none, `NEVER` when none has one."""
        levels = self._finest[self._inside(start_ns, end_ns)]
        return int(levels.min()) if len(levels) else None

    def damages_within(self, start_ns: int, end_ns: int) -> int:
        """Places known to be unreadable in the segments that have records in [start_ns, end_ns]."""
        return int(self._damages[self._inside(start_ns, end_ns)].sum()) + self._cut

    def steady(self, level: int) -> Steady:
        """The first segments that can be merged at a level."""
        if level not in self._steady:
            moving = np.flatnonzero(~self._is_steady)
            coarse = len(self._filled) if (self._finest <= level).all() else 0
            last = min(int(moving[0]) if len(moving) else len(self._filled), coarse)
            counts = np.array([one.count for one in self._filled[:last]], np.int64)
            spans = (self._highs[:last] - self._lows[:last]) // LEVELS[level] + 1
            self._steady[level] = Steady(
                self._filled[:last],
                tuple(self._identities[:last].tolist()),
                int(np.minimum(counts, spans).sum()),
            )
        return self._steady[level]

    @cached_property
    def _is_steady(self) -> Array:
        """Which segments are not likely to grow: not the last, and sealed, or not written to for a while."""
        still = [
            one.rollup is not None or one.entries is None or self.made_ns - one.known.signature[2] > QUIET_NS  # type: ignore[union-attr]
            for one in self._filled
        ]
        return np.array(still[:-1] + [False] * bool(still), np.bool_)

    def token(self, start_ns: int, end_ns: int) -> int:
        """A number that changes when the records of [start_ns, end_ns] do, and hardly otherwise."""
        inside = self._inside(start_ns, end_ns)
        told = [hash(self._identities[inside & self._still].tobytes()), hash(self._shape)]
        for place in np.flatnonzero(inside & ~self._still).tolist():
            one = self._filled[place]
            entries = one.entries
            blocks = (entries["max_ns"] >= start_ns) & (entries["min_ns"] <= end_ns)  # type: ignore[index]
            if blocks.any():
                told.append(
                    hash((one.path.name, one.sync, int(np.flatnonzero(blocks)[-1]), int(blocks.sum())))
                )
        return hash(tuple(told))

    @cached_property
    def _shape(self) -> bytes:
        return self.schema.fingerprint if self.schema else b""


class Segments:
    """Keeps the view of one channel's archive up to date."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._seen = Look()
        self._view = View()

    def look(self) -> View:
        """What there is now; the same object for as long as nothing has changed."""
        with self._lock:
            seen = self._archive.look()
            if seen is not self._seen:
                former = {one.path.name: one for one in self._view.segments}
                segments = (
                    _see(self._archive.folder, name, known, seen.rollups.get(name), former.get(name))
                    for name, known in seen.segments.items()
                )
                self._view, self._seen = View(tuple(segments), seen.growing), seen
            return self._view


def _see(folder: Path, name: str, known: Known | None, beside: int | None, former: Seen | None) -> Seen:
    """One segment as it is now, looked into only where it, or the rollup beside it, has changed."""
    if former is not None and former.known is known and former.beside == beside:
        return former
    if known is None:
        path = folder / name
        return Seen(path, None, beside, damages=int(path.exists()), entries=entry_array(b""))
    entries = entry_array(known.entries)
    growing = entries if known.seal is Seal.UNSEEN else None
    try:
        plan = known.head.plan if known.signature[1] else None
    except ArchiveError:
        return Seen(known.path, known, beside, damages=1, entries=growing)
    if plan is None or not len(entries):
        return Seen(known.path, known, beside, plan=plan, damages=len(known.damages), entries=growing)
    end = int(entries["offset"][-1]) + int(entries["length"][-1])
    rollup = None if beside is None else _rollup(known.path, known.head.sync, end)
    return Seen(
        path=known.path,
        known=known,
        beside=beside,
        end=end,
        plan=plan,
        min_ns=int(entries["min_ns"].min()),
        max_ns=int(entries["max_ns"].max()),
        count=int(entries["count"].sum()),
        blocks=len(entries),
        finest=rollup.finest if rollup else finest_level(entries),
        rollup=rollup,
        damages=len(known.damages),
        entries=growing,
    )


def _rollup(path: Path, sync: bytes, end: int) -> RollupFile | None:
    """The rollup of a segment, where there is one that covers it all."""
    try:
        rollup = RollupFile.open(path)
        if (rollup.sync, rollup.end) != (sync, end):
            raise ArchiveError(f"{rollup.path.name}: it is of another segment, or of a part of this one")
    except ArchiveError as error:
        logger.debug("not used: %s", error)
        return None
    return rollup
