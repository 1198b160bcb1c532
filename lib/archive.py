"""The folder of one channel's archive: its segments, the time they cover, and readers of a range of it."""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from speeddata.damage import Damage
from speeddata.errors import ArchiveError
from speeddata.index import HEAD_SIZE, Seal, index_path, seal_of
from speeddata.reader import EARLIEST, LATEST, Reader, entry_array
from speeddata.segment import Known, Segment

__all__ = ["Archive", "Span", "segment_paths"]

MOMENT_NS = 50_000_000  # in which a file system may not tell two changes apart
SEALS_S = 10.0  # between two looks whether segments have been sealed
GROWING_NS = 2_000_000_000  # since the last change of a segment that is still being written to


class Span(NamedTuple):
    """Time of the oldest and of the newest record."""

    oldest_ns: int
    newest_ns: int


def segment_paths(folder: Path) -> list[Path]:
    """The segments of a channel, `<channel>_<start>.avro`, oldest first. Links are not followed."""
    return [path for path, _ in _listed(folder)]


def _listed(folder: Path) -> list[tuple[Path, int]]:
    """The segments of a channel with their inodes, oldest first."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return []
        with os.scandir(folder) as found:
            names = [
                (entry.name, entry.inode())
                for entry in found
                if entry.name.startswith(f"{folder.name}_")
                and entry.name.endswith(".avro")
                and entry.is_file(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    return [(folder / name, inode) for name, inode in sorted(names)]


class Archive:
    """A channel's folder. What its segments hold is remembered, so that asking often is cheap.

    A segment that is sealed does not change but by another taking its place, which the folder's time of change tells; what
    may grow is looked at each time. May be used by several threads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, Known | None] = {}  # by name, oldest first; None: it cannot be read
        self._inodes: dict[str, int] = {}
        self._spans: dict[str, tuple[Known, Span | None]] = {}
        self._seals_due = 0.0  # monotonic
        self._changed_ns = -1  # when the folder last changed, as it was listed; -1: list it again

    @property
    def channel(self) -> str:
        return self.folder.name

    def segments(self) -> list[Known]:
        """The segments that can be read, oldest first, as they are now."""
        return [known for known in self._look().values() if known is not None]

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
        found = self._look()
        last = next(reversed(found), None)
        for name, known in found.items():
            span = self._span_of(known) if known else None
            apart = span is None or span.newest_ns < start_ns or span.oldest_ns > end_ns
            if known is not None and apart and name != last:
                continue
            path = self.folder / name
            try:
                segment = Segment(path, known=known)
            except FileNotFoundError:  # deleted by retention since the folder was listed
                continue
            except (OSError, ArchiveError) as error:
                unreadable.append(_unreadable(path, error))
                continue
            if segment.size > segment.end and name != last and _is_cut(segment):
                segment.damages.append(Damage(name, segment.end, segment.size, None, "cut off"))
            yield segment

    def _look(self) -> dict[str, Known | None]:
        """What there is now, by name, oldest first."""
        with self._lock:
            changed_ns = _changed_ns(self.folder)
            if changed_ns != self._changed_ns:
                self._list()
                # A change in the same moment would bear the same time.
                settled = time.time_ns() - changed_ns > MOMENT_NS
                self._changed_ns = changed_ns if settled else -1
            look_at_seals = time.monotonic() >= self._seals_due
            if look_at_seals:
                self._seals_due = time.monotonic() + SEALS_S
            for name, known in self._known.items():
                if known is None or known.seal is Seal.UNSEEN:
                    path = known.path if known else self.folder / name  # making one costs more than looking
                    self._known[name] = _examine(path, known, look_at_seals)
            return dict(self._known)

    def _list(self) -> None:
        inodes = {path.name: inode for path, inode in _listed(self.folder)}
        kept = {name for name, inode in inodes.items() if self._inodes.get(name) == inode}
        self._known = {
            name: self._known.get(name) if name in kept else _examine(self.folder / name, None)
            for name in inodes
        }
        self._inodes = inodes
        self._spans = {name: span for name, span in self._spans.items() if name in inodes}

    def _all_spans(self) -> list[Span]:
        return [span for known in self.segments() if (span := self._span_of(known))]

    def _span_of(self, known: Known) -> Span | None:
        of, span = self._spans.get(known.path.name, (None, None))
        if of is None or of.signature != known.signature:
            entries = entry_array(known.entries)
            span = Span(int(entries["min_ns"].min()), int(entries["max_ns"].max())) if len(entries) else None
            self._spans[known.path.name] = known, span
        return span


def _examine(path: Path, known: Known | None, look_at_seal: bool = True) -> Known | None:
    """What is known of a segment; None where it cannot be read, which is told by whoever reads it."""
    try:
        if known is not None and known.signature == _signature(path):
            return replace(known, seal=_seal(path)) if look_at_seal else known
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


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_cut(segment: Segment) -> bool:
    """Whether the file ends inside a block for good, that is not by being written to just now."""
    if 0 <= time.time_ns() - segment.signature[2] < GROWING_NS:
        return False
    with Segment(segment.path) as again:
        return (again.size, again.end) == (segment.size, segment.end)


def _unreadable(path: Path, error: OSError) -> Damage:
    signature = _signature(path)
    reason = error.strerror or str(error)
    return Damage(path.name, 0, signature[1] if signature else 0, None, reason)
