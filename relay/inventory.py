"""What lies in an archive: the segments of all channels, and what an interruption left.

Looking often is cheap: a folder that has not changed is not listed again, and of a sealed segment the index is read once.
Links are not followed, and files whose names no relay gives are not looked at.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from speeddata.index import (
    ENTRY,
    ENTRY_SIZE,
    HEAD_SIZE,
    Entry,
    Seal,
    index_path,
    pack_entry,
    parse_head,
    seal_of,
)
from speeddata.relay.recompression import leftover_of
from speeddata.rollup_names import is_rollup_name
from speeddata.rollup_names import leftover_of as rollup_leftover_of
from speeddata.segment_names import is_index_name, is_segment_name
from speeddata.settings_values import CHANNEL_NAME

__all__ = ["Folder", "Found", "Inventory"]

# A folder that changed within the last seconds may change again without that its time tells.
COARSE_NS = 2_000_000_000


@dataclass(slots=True)
class Found:
    """A segment."""

    channel: str
    name: str
    seen: float  # monotonic time of the first listing that had it
    signature: tuple[int, int, int]  # inode, size, time of the last change: tells whether it is another now
    index_bytes: int  # and those of its rollup
    # Whether what follows has been read: so when it is sealed.
    known: bool = False
    arrival_ns: int = 0  # when its newest block came
    empty: bool = False
    seal: Seal = Seal.UNSEEN
    has_rollup: bool = False

    @property
    def bytes(self) -> int:
        return self.signature[1] + self.index_bytes


@dataclass(slots=True)
class Folder:
    """A channel's folder as it was listed last."""

    path: Path
    signature: tuple[int, int] | None = None
    segments: dict[str, Found] = field(default_factory=dict)
    orphans: dict[str, float] = field(
        default_factory=dict
    )  # indexes and rollups without a segment, and when they were first listed
    leftovers: set[str] = field(default_factory=set)  # segments whose sealing was interrupted


class Inventory:
    """The segments of an archive."""

    def __init__(self, archive: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.archive = archive
        self.clock = clock
        # By channel.
        self.folders: dict[str, Folder] = {}

    def look(self) -> None:
        """See what there is now."""
        try:
            with os.scandir(self.archive) as found:
                names = [
                    one.name
                    for one in found
                    if CHANNEL_NAME.fullmatch(one.name) and one.is_dir(follow_symlinks=False)
                ]
        except FileNotFoundError:
            names = []
        for gone in self.folders.keys() - set(names):
            del self.folders[gone]
        for name in names:
            folder = self.folders.setdefault(name, Folder(self.archive / name))
            with suppress(FileNotFoundError):
                self._look_into(name, folder)

    def segments(self) -> Iterator[Found]:
        """All segments."""
        for folder in self.folders.values():
            yield from folder.segments.values()

    def path(self, found: Found) -> Path:
        """Where a segment is."""
        return self.archive / found.channel / found.name

    def learn(self, found: Found) -> None:
        """Read what the index of a sealed segment tells, if that is not known."""
        if found.known:
            return
        path = self.path(found)
        found.arrival_ns, found.empty, found.seal = found.signature[2], not found.signature[1], Seal.UNSEEN
        try:
            fd = os.open(index_path(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            found.known = True
            return
        try:
            head = os.pread(fd, HEAD_SIZE, 0)
            count = (os.fstat(fd).st_size - HEAD_SIZE) // ENTRY_SIZE
            last = os.pread(fd, ENTRY_SIZE, HEAD_SIZE + (count - 1) * ENTRY_SIZE) if count > 0 else b""
        except OSError:
            found.known = True
            return
        finally:
            os.close(fd)
        if parse_head(head) is not None:
            found.seal = seal_of(head)
            found.empty = count <= 0
            if _holds(last, found.signature[1]):
                found.arrival_ns = Entry._make(ENTRY.unpack(last)).arrival_ns
        found.known = True

    def has(self, found: Found) -> bool:
        """Whether a segment is still there, as far as is known."""
        folder = self.folders.get(found.channel)
        return folder is not None and folder.segments.get(found.name) is found

    def drop(self, found: Found) -> None:
        """Forget a segment that was deleted."""
        if folder := self.folders.get(found.channel):
            folder.segments.pop(found.name, None)

    def _look_into(self, channel: str, folder: Folder) -> None:
        status = folder.path.stat()
        signature = status.st_ino, status.st_mtime_ns
        if signature == folder.signature:
            self._look_at_growing(folder)
            return
        now, wall_ns = self.clock(), time.time_ns()
        segments, indexes, leftovers = _list(channel, folder.path)
        former, folder.segments = folder.segments, {}
        for name, stamp in segments.items():
            stem = name.removesuffix(".avro")
            rolled = indexes.get(f"{stem}.rollup")
            size = indexes.get(f"{stem}.idx", 0) + (rolled or 0)
            known = former.get(name)
            if known is None or known.signature != stamp:
                seen = known.seen if known else now
                known = Found(channel, name, seen, stamp, size)
            known.index_bytes, known.has_rollup = size, rolled is not None
            folder.segments[name] = known
        alone = [name for name in indexes if f"{name.rpartition('.')[0]}.avro" not in segments]
        folder.orphans = {name: folder.orphans.get(name, now) for name in alone}
        folder.leftovers = leftovers
        folder.signature = None if abs(wall_ns - status.st_mtime_ns) < COARSE_NS else signature

    def _look_at_growing(self, folder: Folder) -> None:
        """See how large those segments are that are not sealed, as far as is known."""
        for found in folder.segments.values():
            if not found.known:
                path = folder.path / found.name
                with suppress(FileNotFoundError):
                    found.signature = _stamp(path.lstat())
                    found.index_bytes = index_path(path).lstat().st_size


def _list(channel: str, folder: Path) -> tuple[dict[str, tuple[int, int, int]], dict[str, int], set[str]]:
    """Segments, sizes of indexes and rollups, and segments whose sealing was interrupted."""
    segments, indexes, leftovers = {}, {}, set()
    with os.scandir(folder) as found:
        for one in found:
            if one.name.startswith("."):
                if is_segment_name(channel, left := leftover_of(one.name) or rollup_leftover_of(one.name)):
                    leftovers.add(left)
                continue
            with suppress(FileNotFoundError):
                if is_segment_name(channel, one.name) and one.is_file(follow_symlinks=False):
                    segments[one.name] = _stamp(one.stat(follow_symlinks=False))
                elif _is_beside(channel, one.name) and one.is_file(follow_symlinks=False):
                    indexes[one.name] = one.stat(follow_symlinks=False).st_size
    return segments, indexes, leftovers


def _is_beside(channel: str, name: str) -> bool:
    return is_index_name(channel, name) or is_rollup_name(channel, name)


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _holds(entry: bytes, size: int) -> bool:
    """Whether an index entry is whole, and of a segment of this size."""
    if len(entry) != ENTRY_SIZE:
        return False
    told = Entry._make(ENTRY.unpack(entry))
    return pack_entry(told) == entry and told.offset + told.length <= size
