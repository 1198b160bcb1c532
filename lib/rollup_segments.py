"""The segments of a channel as rollups see them, looked at again cheaply: a query that finds nothing changed opens no file.

The folder's time of change tells whether segments came, went or were exchanged. Besides, only those are looked at that may
grow: those without a rollup, the last ones by name and by time of change, and those that have been seen to grow.
"""

import logging
import os
import threading
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from speeddata.archive import segment_paths
from speeddata.decoding import entry_array
from speeddata.errors import ArchiveError, SchemaError
from speeddata.plan import Plan
from speeddata.rollup import LEVELS, finest_level
from speeddata.rollup_file import RollupFile
from speeddata.rollup_names import rollup_path
from speeddata.schema import Schema, Signal
from speeddata.schema_union import union_of
from speeddata.segment import Segment
from speeddata.table import Array

__all__ = ["NEVER", "Known", "Segments", "View"]

logger = logging.getLogger(__name__)

COARSE_NS = 2_000_000_000  # within which a folder may change again without that its time tells
NEWEST = 8  # segments that may grow, by name, and as many by time of change
UNSEALED = 1024  # and those without a rollup
NEVER = 99  # stands for no level
QUIET_NS = 60_000_000_000  # after which a segment is not taken to be written to
ALL_S = 30.0  # after which all are looked at
Stamp = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Known:
    """One segment."""

    path: Path
    stamp: Stamp  # inode, size, time of change: tells whether it has changed since
    sync: bytes
    end: int  # offset behind its last whole block
    plan: Plan | None  # None: it has no records, or cannot be read
    min_ns: int
    max_ns: int
    count: int
    blocks: int
    finest: int | None  # level
    rollup: RollupFile | None  # that covers all its blocks
    damages: int
    entries: Array | None  # of one that may grow

    @cached_property
    def identity(self) -> int:
        """Tells it from any other, and from what it was when it had fewer blocks."""
        return hash((self.path.name, self.sync, self.end))


@dataclass(frozen=True)
class Steady:
    """The first segments of a view, as far as none of them is being written to, and all have a level."""

    segments: tuple[Known, ...]
    identities: tuple[int, ...]
    rows: int  # that they have at most at that level


class View:
    """The segments of a channel at an instant."""

    def __init__(self, segments: tuple[Known, ...], growing: frozenset[str]) -> None:
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
        self._damages = np.array([one.damages for one in self._filled], np.int64)
        self._steady: dict[int, Steady] = {}
        self.moving = [(place, one) for place, one in enumerate(segments) if one.path.name in growing]

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

    def within(self, start_ns: int, end_ns: int, first: int = 0) -> list[Known]:
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
        return int(self._damages[self._inside(start_ns, end_ns)].sum())

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
            one.rollup is not None or one.entries is None or self.made_ns - one.stamp[2] > QUIET_NS
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
    """Keeps the view of one channel's folder up to date."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._view = View((), frozenset())
        self._folder: tuple[int, int] | None = None  # inode and time of change, when it was listed
        self._all_due = 0.0

    def look(self) -> View:
        """What there is now."""
        with self._lock:
            try:
                status = self.folder.stat()
            except FileNotFoundError:
                self._view, self._folder = View((), frozenset()), None
                return self._view
            folder = status.st_ino, status.st_mtime_ns
            due = time.monotonic() >= self._all_due
            if folder != self._folder or due:
                settled = abs(time.time_ns() - status.st_mtime_ns) >= COARSE_NS
                self._list()
                self._folder = folder if settled else None
                self._all_due = time.monotonic() + ALL_S
            else:
                self._look_at_growing()
            return self._view

    def _list(self) -> None:
        known = {one.path.name: one for one in self._view.segments}
        paths = segment_paths(self.folder)
        stamps = {path.name: stamp for path in paths if (stamp := _stamp(path)) is not None}
        recent = sorted(stamps, key=lambda name: stamps[name][2])[-NEWEST:]
        grown = {
            name
            for name, one in known.items()
            if name in stamps and (stamps[name][0], name in self._view.growing) == (one.stamp[0], True)
            and stamps[name][1] > one.stamp[1]
        }  # fmt: skip
        beside = set(os.listdir(self.folder))
        unsealed = [name for name in stamps if rollup_path(Path(name)).name not in beside]
        growing = frozenset({*recent, *list(stamps)[-NEWEST:], *unsealed[-UNSEALED:], *grown})
        segments = tuple(
            _known(path, known.get(path.name), stamps[path.name], path.name in growing)
            for path in paths
            if path.name in stamps
        )
        if segments != self._view.segments or growing != self._view.growing:
            self._view = View(segments, growing)

    def _look_at_growing(self) -> None:
        changed = {}
        for place, one in self._view.moving:
            stamp = _stamp(one.path)
            if stamp is not None and stamp != one.stamp:
                changed[place] = _known(one.path, one, stamp, True)
        if changed:
            segments = list(self._view.segments)
            for place, known in changed.items():
                segments[place] = known
            self._view = View(tuple(segments), self._view.growing)


def _known(path: Path, former: Known | None, stamp: Stamp, growing: bool) -> Known:
    """One segment as it is now, looked at only if it may have changed."""
    same = former is not None and former.stamp == stamp and (former.entries is not None) == growing
    if former is not None and same and (former.rollup or not former.count or not rollup_path(path).exists()):
        return former
    try:
        with Segment(path) as segment:
            return _look_into(path, segment, growing)
    except FileNotFoundError:
        return _without_records(path, (0, 0, 0), 0, False)
    except (OSError, ArchiveError):
        return _without_records(path, stamp, 1, growing)


def _look_into(path: Path, segment: Segment, growing: bool) -> Known:
    plan = segment.head.plan if segment.size else None
    entries = entry_array(segment.entries)
    if plan is None or not len(entries):
        return replace(_without_records(path, segment.signature, len(segment.damages), growing), plan=plan)
    rollup = _rollup(path, segment)
    return Known(
        path=path,
        stamp=segment.signature,
        sync=segment.head.sync,
        end=segment.end,
        plan=plan,
        min_ns=int(entries["min_ns"].min()),
        max_ns=int(entries["max_ns"].max()),
        count=int(entries["count"].sum()),
        blocks=len(entries),
        finest=rollup.finest if rollup else finest_level(entries),
        rollup=rollup,
        damages=len(segment.damages),
        entries=entries if growing else None,
    )


def _without_records(path: Path, stamp: Stamp, damages: int, growing: bool) -> Known:
    return Known(
        path, stamp, b"", 0, None, 0, 0, 0, 0, None, None, damages, entry_array(b"") if growing else None
    )


def _rollup(path: Path, segment: Segment) -> RollupFile | None:
    """The rollup of a segment, if there is one that covers it all."""
    if not os.path.exists(rollup_path(path)):
        return None
    try:
        rollup = RollupFile.open(path)
        if (rollup.sync, rollup.end) != (segment.head.sync, segment.end):
            raise ArchiveError(f"{rollup.path.name}: it is of another segment, or of a part of this one")
    except ArchiveError as error:
        logger.debug("not used: %s", error)
        return None
    return rollup


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
