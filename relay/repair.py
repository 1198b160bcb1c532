"""Repair of a channel's segments when its relay starts: cut torn tails, complete indexes, say what was done.

Only what the end of a crash can leave is mended. Damage in the middle is left for readers, which skip it and say so, and for
`speeddata repair`.
"""

import contextlib
import os
import time
from pathlib import Path

from speeddata.errors import ArchiveError
from speeddata.index import ENTRY, ENTRY_SIZE, HEAD_SIZE, Entry, index_path, parse_head
from speeddata.mend import Mended, is_sound, mend
from speeddata.open_files import open_for_writing
from speeddata.segment import Segment

__all__ = ["is_whole", "last_unit", "repair"]

NEWEST = 2  # segments
LOOKS, REST_S = 3, 0.05


def segments(folder: Path, channel: str) -> list[Path]:
    """The channel's segments, oldest first."""
    return sorted(
        path for path in folder.glob(f"{channel}_*.avro") if path.is_file() and not path.is_symlink()
    )


def repair(folder: Path, channel: str) -> tuple[list[Mended], list[str]]:
    """Repair what is not whole; gives what was done, and what could not be."""
    for leftover in folder.glob(f".{channel}.next.*"):
        leftover.unlink()
    done: list[Mended] = []
    failed: list[str] = []
    paths = segments(folder, channel)
    for path in paths:
        if path.stat().st_size == 0:
            # Power failed before its head was on the disk.
            path.unlink()
            index_path(path).unlink(missing_ok=True)
            continue
        # Only the newest were not yet on the disk when power failed.
        if is_whole(path, look_inside=path in paths[-NEWEST:]):
            continue
        if _may_be_growing(path):
            continue
        try:
            done.append(mend(path, limited=True))
        except (ArchiveError, OSError) as error:
            failed.append(f"{path.name}: {error}")
    return done, failed


def _may_be_growing(path: Path) -> bool:
    """Whether the shared relay is at work on a segment; it mends what it left itself.

    Where the kernel does not tell who writes, what is being written to is whole a moment later.
    """
    written = open_for_writing(path)
    if written is not None:
        return written
    for _ in range(LOOKS):
        time.sleep(REST_S)
        if is_whole(path, look_inside=True):
            return True
    return False


def last_unit(folder: Path, channel: str, fingerprint: bytes) -> str | None:
    """The time unit of the newest segment, if it has the same schema: what the relay had found out before."""
    for path in reversed(segments(folder, channel)):
        with contextlib.suppress(ArchiveError, OSError), Segment(path) as segment:
            same = segment.head.plan.schema.fingerprint == fingerprint
            return segment.head.time_unit if same else None
    return None


def is_whole(path: Path, *, look_inside: bool) -> bool:
    """Whether the index knows the segment to its last byte, and, looking inside, the last block is what it says."""
    try:
        size = path.stat().st_size
        with index_path(path).open("rb") as file:
            entries = (os.fstat(file.fileno()).st_size - HEAD_SIZE) // ENTRY_SIZE
            told = parse_head(file.read(HEAD_SIZE))
            if entries < 1:
                return told is not None and told[1] == size
            file.seek(HEAD_SIZE + (entries - 1) * ENTRY_SIZE)
            last = Entry._make(ENTRY.unpack(file.read(ENTRY_SIZE)))
    except OSError:
        return False
    return last.offset + last.length == size and (not look_inside or is_sound(path, last))
