"""Mends what the end of a crash leaves of a segment: cuts its torn tail, completes its index.

The relay does so at its start, `speeddata repair` when it is asked to. Damage in the middle of a segment is not touched.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from speeddata.blocks import crc32c
from speeddata.counted import counted
from speeddata.errors import ArchiveError
from speeddata.index import ENTRY, ENTRY_SIZE, HEAD_SIZE, Entry, index_path, write_index
from speeddata.segment import Segment

__all__ = ["Mended", "is_sound", "mend"]

TORN_MOST = 64 << 20  # bytes that a crash may leave behind whole blocks,
TORN_ALONE = 1 << 20  # and behind a head without any


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done to one segment."""

    segment: str
    cut_bytes: int
    found_blocks: int  # that the index did not know

    def __str__(self) -> str:
        return f"{self.segment}: cut {counted(self.cut_bytes, 'byte', '')} of a torn tail, put {counted(self.found_blocks, 'block', '')} into the index"


def mend(path: Path, *, indexed: bool = True, limited: bool = False) -> Mended:
    """Cut a segment behind its last whole block and write its index anew, unless it is of those that have none.

    ArchiveError where it is `limited` and would be cut of more than a crash leaves: that is damage of another kind.
    """
    known = _entry_count(path)
    with Segment(path, timed=False) as segment:
        if not segment.size:
            return Mended(path.name, 0, 0)
        entries, end = segment.entries, segment.end
        # After a power failure an entry may be on the disk, and its block, the last, not.
        while entries and not is_sound(path, last := Entry._make(ENTRY.unpack(entries[-ENTRY_SIZE:]))):
            entries, end = entries[:-ENTRY_SIZE], last.offset
        cut = segment.size - end
        if limited and cut > (TORN_MOST if entries else TORN_ALONE):
            raise ArchiveError(f"{cut} bytes are no whole blocks, `speeddata repair` may save some")
        if cut:
            os.truncate(path, end)
        if indexed:
            write_index(path, segment.head.sync, segment.head.length, segment.head.crc, entries)
        return Mended(path.name, cut, max(0, len(entries) // ENTRY_SIZE - known))


def is_sound(path: Path, entry: Entry) -> bool:
    """Whether a block is what its index entry says."""
    with path.open("rb") as file:
        file.seek(entry.offset)
        return crc32c(file.read(entry.length)) == entry.crc


def _entry_count(path: Path) -> int:
    try:
        return max(0, (index_path(path).stat().st_size - HEAD_SIZE) // ENTRY_SIZE)
    except OSError:
        return 0
