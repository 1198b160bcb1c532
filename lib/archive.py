"""The folder of one channel's archive: its segments, the time they cover, and readers of a range of it."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from speeddata.damage import Damage
from speeddata.errors import ArchiveError
from speeddata.reader import EARLIEST, LATEST, Reader, entry_array
from speeddata.segment import Segment

__all__ = ["Archive", "Span", "segment_paths"]


class Span(NamedTuple):
    """Time of the oldest and of the newest record."""

    oldest_ns: int
    newest_ns: int


def segment_paths(folder: Path) -> list[Path]:
    """The segments of a channel, `<channel>_<start>.avro`, oldest first. Links are not followed."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return []
        with os.scandir(folder) as found:
            names = [
                entry.name
                for entry in found
                if entry.name.startswith(f"{folder.name}_")
                and entry.name.endswith(".avro")
                and entry.is_file(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names)]


class Archive:
    """A channel's folder. What its segments cover is remembered, so that asking often is cheap."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # By segment: what tells that it has not changed, and its span (None: no records).
        self._spans: dict[str, tuple[tuple[int, int, int], Span | None]] = {}

    @property
    def channel(self) -> str:
        return self.folder.name

    def span(self) -> Span | None:
        """The time from the oldest to the newest record; None when there are none."""
        known = [span for path in self._paths() if (span := self._span_of(path))]
        if not known:
            return None
        return Span(min(span.oldest_ns for span in known), max(span.newest_ns for span in known))

    def newest(self, limit_ns: int, check: Callable[[], None] | None = None) -> int | None:
        """The newest time up to a limit; None when there is none. Of the blocks, those that reach beyond it are read."""
        spans = [span for path in self._paths() if (span := self._span_of(path))]
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
        reader = Reader(self._segments(start_ns, end_ns, unreadable), start_ns, end_ns)
        reader.damages = unreadable + reader.damages
        return reader

    def _segments(self, start_ns: int, end_ns: int, unreadable: list[Damage]) -> Iterator[Segment]:
        """Open what has records in the range, and the last segment always: it has the schema."""
        paths = self._paths()
        for path in paths:
            last = path is paths[-1]
            signature, span = self._spans.get(path.name, (None, None))
            apart = span is None or span.newest_ns < start_ns or span.oldest_ns > end_ns
            if apart and not last and signature == _signature(path):
                continue
            try:
                segment = Segment(path)
            except FileNotFoundError:  # deleted by retention since the folder was listed
                continue
            except (OSError, ArchiveError) as error:
                unreadable.append(_unreadable(path, error))
                continue
            self._remember(path, segment)
            if segment.size > segment.end and not last and _is_cut(segment):
                segment.damages.append(Damage(path.name, segment.end, segment.size, None, "cut off"))
            yield segment

    def _paths(self) -> list[Path]:
        paths = segment_paths(self.folder)
        for gone in self._spans.keys() - {path.name for path in paths}:
            self._spans.pop(gone, None)
        return paths

    def _span_of(self, path: Path) -> Span | None:
        signature, span = self._spans.get(path.name, (None, None))
        if signature is not None and signature == _signature(path):
            return span
        try:
            with Segment(path) as segment:
                return self._remember(path, segment)
        except (OSError, ArchiveError):  # told by whoever reads it
            return None

    def _remember(self, path: Path, segment: Segment) -> Span | None:
        entries = entry_array(segment.entries)
        span = Span(int(entries["min_ns"].min()), int(entries["max_ns"].max())) if len(entries) else None
        self._spans[path.name] = segment.signature, span
        return span


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_cut(segment: Segment) -> bool:
    """Whether the file ends inside a block for good, that is not by being written to just now."""
    with Segment(segment.path) as again:
        return (again.size, again.end) == (segment.size, segment.end)


def _unreadable(path: Path, error: OSError) -> Damage:
    signature = _signature(path)
    reason = error.strerror or str(error)
    return Damage(path.name, 0, signature[1] if signature else 0, None, reason)
