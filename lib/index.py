"""The index beside a segment: `<segment>.idx`, little-endian.

Head, 64 bytes: magic `SDIX`, u32 version 1, the segment's sync marker (16), u64 offset of its first block, zeros.
Then an entry of 64 bytes for each block, in the order of the segment:

    u64 offset      of the block in the segment
    u32 length      of the whole block: counts, data and sync marker
    u32 count       of records
    i64 first_ns    time of its first record
    i64 min_ns, i64 max_ns
    i64 arrival_ns  receive time of its first packet (an estimate when the entry was made by a scan)
    u32 flags       1: times not ascending; 2: holds impossible source times, indexed by receive time
    u32 crc         CRC-32C of the whole block
    u32 check       CRC-32C of the first 56 bytes of the entry
    u32 zero

The segment is the truth: an entry whose check fails or that reaches behind the segment's end does not exist, and
`speeddata.segment.rebuild_index` makes the index anew from the segment alone. No numpy here, the relay imports it.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from speeddata.blocks import ENTRY_SIZE

__all__ = [
    "ENTRY_SIZE",
    "FLAG_BAD_TIME",
    "FLAG_UNSORTED",
    "HEAD_SIZE",
    "Entry",
    "each_entry",
    "entries_of",
    "index_path",
    "pack_head",
    "parse_head",
    "write_index",
]

MAGIC = b"SDIX"
VERSION = 1
HEAD = struct.Struct("<4sI16sQ32x")
HEAD_SIZE = HEAD.size
ENTRY = struct.Struct("<QIIqqqqIIII")
FLAG_UNSORTED = 1
FLAG_BAD_TIME = 2


class Entry(NamedTuple):
    """One block, as the index has it."""

    offset: int
    length: int
    count: int  # type: ignore[assignment]
    first_ns: int
    min_ns: int
    max_ns: int
    arrival_ns: int
    flags: int
    crc: int
    check: int
    zero: int = 0


def entries_of(packed: bytes) -> Iterator[Entry]:
    """Unpack entries."""
    return map(Entry._make, ENTRY.iter_unpack(packed))


def each_entry(packed: bytes) -> Iterator[bytes]:
    """Each entry as it is packed."""
    return (packed[at : at + ENTRY_SIZE] for at in range(0, len(packed), ENTRY_SIZE))


def index_path(segment: Path) -> Path:
    """Where the index of a segment is."""
    return segment.with_suffix(".idx")


def pack_head(sync: bytes, first: int) -> bytes:
    """Make the head of the index of a segment with this sync marker, whose first block is at `first`."""
    return HEAD.pack(MAGIC, VERSION, sync, first)


def parse_head(data: bytes) -> tuple[bytes, int] | None:
    """Sync marker and offset of the first block, as the head of an index tells them; None when it is no head."""
    if len(data) < HEAD_SIZE:
        return None
    magic, version, sync, first = HEAD.unpack_from(data)
    return (sync, first) if (magic, version) == (MAGIC, VERSION) else None


def write_index(segment: Path, sync: bytes, first: int, entries: bytes) -> Path:
    """Put an index beside a segment at once and for good: the old one or the new one is there, whatever happens."""
    path = index_path(segment)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(pack_head(sync, first) + entries)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path
