"""What is wrong with the index of a segment, and what it tells of blocks that the segment no longer has."""

import os
from pathlib import Path

from speeddata.blocks import cover, crc32c
from speeddata.counted import counted
from speeddata.index import (
    ANYWHERE,
    ENTRY,
    ENTRY_SIZE,
    HEAD_SIZE,
    Entry,
    each_entry,
    entries_behind,
    entries_of,
    index_path,
    is_crc_damaged,
    parse_head,
)
from speeddata.segment import MAX_INDEX, Segment

__all__ = ["blocks_behind", "entries_that_hold", "index_faults", "is_indexed", "read_index", "records_told"]

CHECKED = 56  # bytes of an entry that its check covers


def read_index(segment: Path) -> bytes | None:
    """The bytes of a segment's index; None when it has none."""
    try:
        fd = os.open(index_path(segment), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read(MAX_INDEX)


def is_indexed(segment: Segment) -> bool:
    """Whether a segment is to have an index: one of a channel's archive is, other container files are not."""
    return "speeddata.channel" in segment.head.metadata


def entries_that_hold(index: bytes, size: int) -> bytes:
    """The entries of an index that hold in a segment of so many bytes."""
    told = parse_head(index)
    return cover(_entries(index), told[1], size)[0] if told else b""


def records_told(index: bytes | None) -> int | None:
    """Records that a segment has as its index tells it; None when it does not."""
    if index is None or parse_head(index) is None or _broken(_entries(index)):
        return None
    return sum(entry.count for entry in entries_of(entries_that_hold(index, ANYWHERE)))


def blocks_behind(index: bytes | None, segment: Segment) -> list[Entry]:
    """Blocks that a segment had behind its end, as its index tells."""
    told = parse_head(index) if index is not None else None
    if index is None or told is None or segment.size and told != (segment.head.sync, segment.head.length):
        return []
    return entries_behind(_entries(index), told[1], segment.size)


def index_faults(index: bytes | None, segment: Segment, growing: bool) -> list[str]:
    """What is wrong with an index, in words. That of a `growing` segment may lack the newest blocks."""
    if not segment.size:
        return []
    if index is None:
        return ["missing"] if is_indexed(segment) and segment.entries else []
    told = parse_head(index)
    if told is None:
        return ["its head is damaged"]
    if told != (segment.head.sync, segment.head.length):
        return ["it is of another file, or its head is damaged"]
    faults = ["its head is damaged"] if is_crc_damaged(index) else []
    faults += _entry_faults(index, segment.size, growing)
    if growing:
        return faults
    if (len(index) - HEAD_SIZE) % ENTRY_SIZE:
        faults.append("cut off in an entry")
    lacking = (len(segment.entries) - len(entries_that_hold(index, segment.size))) // ENTRY_SIZE
    if lacking > 0:
        faults.append(f"{counted(lacking, 'block', '')} {'is' if lacking == 1 else 'are'} not in it")
    return faults


def _entry_faults(index: bytes, size: int, growing: bool) -> list[str]:
    entries, held = _entries(index), entries_that_hold(index, size)
    if len(held) == len(entries):
        return []
    broken = _broken(entries)
    told = parse_head(index)
    behind = len(entries_behind(entries, told[1], size)) if told else 0
    misplaced = (len(entries) - len(held)) // ENTRY_SIZE - broken - behind
    if growing and not _holds(entries[-ENTRY_SIZE:]):
        broken -= 1  # being written just now
    faults = [f"{broken} of its entries {'is' if broken == 1 else 'are'} damaged"] if broken else []
    return faults + ([f"{misplaced} of its entries are out of place"] if misplaced > 0 else [])


def _entries(index: bytes) -> bytes:
    return index[HEAD_SIZE : len(index) - (len(index) - HEAD_SIZE) % ENTRY_SIZE]


def _holds(entry: bytes) -> bool:
    return crc32c(entry[:CHECKED]) == Entry._make(ENTRY.unpack(entry)).check


def _broken(entries: bytes) -> int:
    """How many entries have a wrong check."""
    return sum(not _holds(entry) for entry in each_entry(entries))
