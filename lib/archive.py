"""The folder of one channel's archive: its segments, the time they cover, and readers of a range of it."""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from speeddata.damage import Damage
from speeddata.decoding import entry_array
from speeddata.errors import ArchiveError
from speeddata.index import HEAD_SIZE, Seal, index_path, seal_of
from speeddata.open_files import open_for_writing
from speeddata.reader import EARLIEST, LATEST, Reader
from speeddata.segment import Known, Segment, Signature, signature_of

__all__ = ["Archive", "Look", "Span", "segment_paths"]

COARSE_NS = 2_000_000_000  # within which a folder may change again without that its time tells
SEALS_S = 10.0  # between two looks whether segments have been sealed
GROWING_NS = 2_000_000_000  # since the last change of a segment that is still being written to


class Span(NamedTuple):
    """Time of the oldest and of the newest record."""

    oldest_ns: int
    newest_ns: int


@dataclass(frozen=True, eq=False)
class Look:
    """What there is in a channel's folder at an instant."""

    # By name, oldest first; None: it cannot be read.
    segments: dict[str, Known | None] = field(default_factory=dict)
    rollups: dict[str, int] = field(default_factory=dict)  # their inodes, by the names of the segments

    @cached_property
    def growing(self) -> tuple[str, ...]:
        """The segments that may grow, or be readable later."""
        told = self.segments.items()
        return tuple(name for name, known in told if known is None or known.seal is Seal.UNSEEN)


def segment_paths(folder: Path) -> list[Path]:
    """The segments of a channel, `<channel>_<start>.avro`, oldest first. Links are not followed."""
    return [folder / name for name in _listed(folder)[0]]


def _listed(folder: Path) -> tuple[dict[str, int], dict[str, int]]:
    """The inodes of a channel's segments by name, oldest first, and of their rollups by the names of the segments."""
    segments, rollups = {}, {}
    prefix = f"{folder.name}_"
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return {}, {}
        with os.scandir(folder) as found:
            for entry in found:
                name = entry.name
                if not name.startswith(prefix):
                    continue
                if name.endswith(".rollup"):
                    rollups[f"{name.removesuffix('.rollup')}.avro"] = entry.inode()
                elif name.endswith(".avro") and entry.is_file(follow_symlinks=False):
                    segments[name] = entry.inode()
    except FileNotFoundError:
        return {}, {}
    return dict(sorted(segments.items())), rollups


class Archive:
    """A channel's folder. What its segments hold is remembered, so that asking often is cheap.

    A segment that is sealed does not change but by another taking its place, which the folder's time of change tells, as
    it tells that a rollup was made; what may grow is looked at each time. May be used by several threads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._seen = Look()
        self._inodes: dict[str, int] = {}
        self._spans: dict[str, tuple[Known, Span | None]] = {}
        self._seals_due = 0.0  # monotonic
        self._changed_ns = -1  # when the folder last changed, as it was listed; -1: list it again

    @property
    def channel(self) -> str:
        return self.folder.name

    def segments(self) -> list[Known]:
        """The segments that can be read, oldest first, as they are now."""
        return [known for known in self.look().segments.values() if known is not None]

    def span(self) -> Span | None:
        """The time from the oldest to the newest record; None when there are none."""
        known = self._all_spans()
        if not known:
            return None
        return Span(min(span.oldest_ns for span in known), max(span.newest_ns for span in known))

    def newest(self, limit_ns: int, check: Callable[[], None] | None = None) -> int | None:
        """The newest time up to a limit; None when there is none. Of the blocks, those that reach beyond it are read."""
        spans = self._all_spans()
        newest = max((span.newest_ns for span in spans if span.newest_ns <= limit_ns), default=EARLIEST)
        if any(span.newest_ns > limit_ns >= span.oldest_ns for span in spans):
            with self.open(newest, limit_ns) as reader:
                newest = reader.newest_told()
            with self.open(newest, limit_ns) as reader:
                newest = max((int(table.time_ns[-1]) for table in reader.batches([], check)), default=newest)
        return None if newest == EARLIEST else newest

    def open(self, start_ns: int = EARLIEST, end_ns: int = LATEST) -> Reader:
        """A reader of the records in [start_ns, end_ns], both ends included."""
        unreadable: list[Damage] = []
        reader = Reader(self._overlapping(start_ns, end_ns, unreadable), start_ns, end_ns)
        reader.damages = unreadable + reader.damages
        return reader

    def _overlapping(self, start_ns: int, end_ns: int, unreadable: list[Damage]) -> Iterator[Segment]:
        """Open what has records in the range, and the last segment always: it has the schema."""
        found = self.look().segments
        last = next(reversed(found), None)
        for name, known in found.items():
            span = self._span_of(name, known)
            apart = span is None or span.newest_ns < start_ns or span.oldest_ns > end_ns
            apart = apart and known is not None and known.behind is None
            if apart and name != last:
                continue
            path = self.folder / name
            try:
                segment = Segment(path, known=known)
            except FileNotFoundError:  # deleted by retention since the folder was listed
                continue
            except (OSError, ArchiveError) as error:
                unreadable.append(_unreadable(path, error))
                continue
            if segment.behind is not None:
                segment.damages.append(segment.behind)
            elif segment.size > segment.end and name != last and _is_cut(segment):
                segment.damages.append(Damage(name, segment.end, segment.size, None, "cut off"))
            yield segment

    def look(self) -> Look:
        """What there is now; the same object for as long as nothing has changed."""
        with self._lock:
            changed_ns = _changed_ns(self.folder)
            if changed_ns != self._changed_ns:
                self._list()
                # A change in the same moment would bear the same time.
                settled = time.time_ns() - changed_ns > COARSE_NS
                self._changed_ns = changed_ns if settled else -1
            look_at_seals = time.monotonic() >= self._seals_due
            if look_at_seals:
                self._seals_due = time.monotonic() + SEALS_S
            seen = self._seen
            changed: dict[str, Known | None] = {}
            for name in seen.growing:
                known = seen.segments[name]
                path = known.path if known else self.folder / name  # making one costs more than looking
                now = _examine(path, known, look_at_seals)
                if now is not known:
                    changed[name] = now
            if changed:
                self._seen = Look({**seen.segments, **changed}, seen.rollups)
            return self._seen

    def _list(self) -> None:
        """See which segments and rollups have come, gone or been exchanged."""
        inodes, rollups = _listed(self.folder)
        kept = {name for name, inode in inodes.items() if self._inodes.get(name) == inode}
        former = self._seen
        if len(kept) < len(inodes) or len(kept) < len(self._inodes) or rollups != former.rollups:
            segments = {
                name: former.segments[name] if name in kept else _examine(self.folder / name, None)
                for name in inodes
            }
            self._seen = Look(segments, rollups)
        self._inodes = inodes
        for name in list(self._spans):  # in one step, for others add to them at the same time
            if name not in inodes:
                self._spans.pop(name, None)

    def _all_spans(self) -> list[Span]:
        spans = (self._span_of(name, known) for name, known in self.look().segments.items())
        return [span for span in spans if span]

    def _span_of(self, name: str, known: Known | None) -> Span | None:
        if known is None:
            return None
        of, span = self._spans.get(name, (None, None))
        if of is not known:
            entries = entry_array(known.entries)
            span = Span(int(entries["min_ns"].min()), int(entries["max_ns"].max())) if len(entries) else None
            self._spans[name] = known, span
        return span


def _examine(path: Path, known: Known | None, look_at_seal: bool = True) -> Known | None:
    """What is known of a segment; None where it cannot be read, which is told by whoever reads it."""
    try:
        if known is not None and known.signature == _signature(path):
            seal = _seal(path) if look_at_seal else known.seal
            return known if seal is known.seal else replace(known, seal=seal)
        with Segment(path) as segment:
            return segment.known
    except (OSError, ArchiveError):
        return None


def _seal(path: Path) -> Seal:
    """What sealing has found out about a segment, by its index."""
    try:
        with index_path(path).open("rb") as file:
            return seal_of(file.read(HEAD_SIZE))
    except OSError:
        return Seal.UNSEEN


def _changed_ns(folder: Path) -> int:
    try:
        return folder.lstat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _signature(path: Path) -> Signature | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return signature_of(status)


def _is_cut(segment: Segment) -> bool:
    """Whether the file ends inside a block for good, that is not by being written to just now."""
    if 0 <= time.time_ns() - segment.signature[2] < GROWING_NS:
        return False
    with Segment(segment.path) as again:
        same = (again.size, again.end) == (segment.size, segment.end)
    # A writer may be held up in the midst of a block.
    return same and not open_for_writing(segment.path)


def _unreadable(path: Path, error: OSError) -> Damage:
    signature = _signature(path)
    reason = error.strerror or str(error)
    return Damage(path.name, 0, signature[1] if signature else 0, None, reason)
