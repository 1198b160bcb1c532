"""Repair of a channel's segments when its relay starts: cut torn tails, complete indexes, say what was done.

Only what the end of a crash can leave is mended. Damage in the middle is left for readers, which skip it and say so.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from speeddata.blocks import crc32c
from speeddata.errors import ArchiveError
from speeddata.index import ENTRY, ENTRY_SIZE, HEAD_SIZE, Entry, index_path, write_index
from speeddata.segment import Segment

__all__ = ["Repair", "last_unit", "repair"]

NEWEST = 2  # segments


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done to one segment."""

    segment: str
    cut_bytes: int
    found_blocks: int  # that the index did not know

    def __str__(self) -> str:
        return f"{self.segment}: cut {self.cut_bytes} bytes of a torn tail, put {self.found_blocks} blocks into the index"


def segments(folder: Path, channel: str) -> list[Path]:
    """The channel's segments, oldest first."""
    return sorted(
        path for path in folder.glob(f"{channel}_*.avro") if path.is_file() and not path.is_symlink()
    )


def repair(folder: Path, channel: str) -> tuple[list[Repair], list[str]]:
    """Repair what is not whole; gives what was done, and what could not be."""
    for leftover in folder.glob(f".{channel}.next.*"):
        leftover.unlink()
    done: list[Repair] = []
    failed: list[str] = []
    paths = segments(folder, channel)
    for path in paths:
        # Only the newest were not yet on the disk when power failed.
        if _whole(path, look_inside=path in paths[-NEWEST:]):
            continue
        try:
            done.append(_mend(path))
        except (ArchiveError, OSError) as error:
            failed.append(f"{path.name}: {error}")
    return done, failed


def last_unit(folder: Path, channel: str, fingerprint: bytes) -> str | None:
    """The time unit of the newest segment, if it has the same schema: what the relay had found out before."""
    for path in reversed(segments(folder, channel)):
        with contextlib.suppress(ArchiveError, OSError), Segment(path) as segment:
            same = segment.head.plan.schema.fingerprint == fingerprint
            return segment.head.time_unit if same else None
    return None


def _whole(path: Path, *, look_inside: bool) -> bool:
    """Whether the index knows the segment to its last byte, and, looking inside, the last block is what it says."""
    try:
        size = path.stat().st_size
        with index_path(path).open("rb") as file:
            entries = (os.fstat(file.fileno()).st_size - HEAD_SIZE) // ENTRY_SIZE
            if entries < 1:
                return False
            file.seek(HEAD_SIZE + (entries - 1) * ENTRY_SIZE)
            last = Entry._make(ENTRY.unpack(file.read(ENTRY_SIZE)))
    except OSError:
        return False
    return last.offset + last.length == size and (not look_inside or _sound(path, last))


def _sound(path: Path, entry: Entry) -> bool:
    """Whether a block is what its index entry says."""
    with path.open("rb") as file:
        file.seek(entry.offset)
        return crc32c(file.read(entry.length)) == entry.crc


def _mend(path: Path) -> Repair:
    known = _entry_count(path)
    with Segment(path) as segment:
        if not segment.size:
            return Repair(path.name, 0, 0)
        entries, end = segment.entries, segment.end
        # After a power failure an entry may be on the disk, and its block, the last, not.
        while entries and not _sound(path, last := Entry._make(ENTRY.unpack(entries[-ENTRY_SIZE:]))):
            entries, end = entries[:-ENTRY_SIZE], last.offset
        cut = segment.size - end
        if cut:
            os.truncate(path, end)
        write_index(path, segment.head.sync, segment.head.length, entries)
        return Repair(path.name, cut, max(0, len(entries) // ENTRY_SIZE - known))


def _entry_count(path: Path) -> int:
    try:
        return max(0, (index_path(path).stat().st_size - HEAD_SIZE) // ENTRY_SIZE)
    except OSError:
        return 0
