"""The index beside a segment: `<segment>.idx`, little-endian.

Head, 64 bytes: magic `SDIX`, u32 version 1, the segment's sync marker (16), u64 offset of its first block, u32 `Seal`
(what sealing found, for sealing alone), u32 CRC-32C of the segment's head but for its sync marker, u32 the same with every
bit inverted, zeros. Where these two are not each other's inverse the checksum is not told: both are 0 in an index of before
there was one, else the index is damaged there.
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
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from speeddata.blocks import ENTRY_SIZE, cover, crc32c
from speeddata.durable import sync_folder, take_after

__all__ = [
    "ANYWHERE",
    "ENTRY_SIZE",
    "FLAG_BAD_TIME",
    "FLAG_UNSORTED",
    "HEAD_SIZE",
    "Entry",
    "Seal",
    "crc_of_head",
    "each_entry",
    "entries_behind",
    "entries_of",
    "index_path",
    "is_crc_damaged",
    "mark_seal",
    "pack_entry",
    "pack_head",
    "parse_head",
    "seal_of",
    "write_index",
]

MAGIC = b"SDIX"
VERSION = 1
HEAD = struct.Struct("<4sI16sQIII20x")
HEAD_SIZE = HEAD.size
ENTRY = struct.Struct("<QIIqqqqIIII")
FLAG_UNSORTED = 1
FLAG_BAD_TIME = 2
ANYWHERE = 1 << 62  # no file is as large
CHECKED = 56  # bytes of an entry that its check covers
SEAL = struct.Struct("<I")
SEAL_OFFSET = 32  # in the head
CRC = struct.Struct("<II")
CRC_OFFSET = 36  # in the head
INVERSE = 0xFFFFFFFF


class Seal(IntEnum):
    """What sealing has found out about a segment."""

    UNSEEN = 0  # not looked at yet
    VERIFIED = 1  # every block is whole
    DAMAGED = 2  # some are not; it stays as it is
    FINAL = 3  # verified, and as small as compression makes it


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


def entries_behind(packed: bytes, first: int, size: int) -> list[Entry]:
    """Of the entries that hold from `first` on, those of blocks that reach beyond the end of a file of this size."""
    entries = entries_of(cover(packed, first, ANYWHERE)[0])
    return [entry for entry in entries if entry.offset + entry.length > size]


def pack_entry(entry: Entry) -> bytes:
    """Pack an entry; its check is made anew."""
    return ENTRY.pack(*entry._replace(check=crc32c(ENTRY.pack(*entry)[:CHECKED])))


def each_entry(packed: bytes) -> Iterator[bytes]:
    """Each entry as it is packed."""
    return (packed[at : at + ENTRY_SIZE] for at in range(0, len(packed), ENTRY_SIZE))


def index_path(segment: Path) -> Path:
    """Where the index of a segment is."""
    return segment.with_suffix(".idx")


def pack_head(sync: bytes, first: int, crc: int, seal: Seal = Seal.UNSEEN) -> bytes:
    """Make the head of the index of a segment with this sync marker, whose first block is at `first`.

    `crc` is that of the segment's head but for the sync marker.
    """
    return HEAD.pack(MAGIC, VERSION, sync, first, seal, crc, crc ^ INVERSE)


def parse_head(data: bytes) -> tuple[bytes, int] | None:
    """Sync marker and offset of the first block, as the head of an index tells them; None when it is no head."""
    if len(data) < HEAD_SIZE:
        return None
    magic, version, sync, first, *_ = HEAD.unpack_from(data)
    return (sync, first) if (magic, version) == (MAGIC, VERSION) else None


def crc_of_head(data: bytes) -> int | None:
    """CRC-32C of the segment's head but for its sync marker, as the head of an index tells it; None when it does not."""
    crc, inverse = CRC.unpack_from(data, CRC_OFFSET)
    return int(crc) if crc ^ inverse == INVERSE else None


def is_crc_damaged(data: bytes) -> bool:
    """Whether the head of an index would tell the checksum of the segment's head, were it not damaged there."""
    return crc_of_head(data) is None and CRC.unpack_from(data, CRC_OFFSET) != (0, 0)


def seal_of(data: bytes) -> Seal:
    """What the head of an index tells about sealing."""
    if parse_head(data) is None:
        return Seal.UNSEEN
    (number,) = SEAL.unpack_from(data, SEAL_OFFSET)
    return Seal(number) if number in set(Seal) else Seal.UNSEEN


def mark_seal(segment: Path, sync: bytes, seal: Seal) -> bool:
    """Note in a segment's index what sealing found; False when that is not the index of a segment with this sync marker."""
    fd = os.open(index_path(segment), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        told = parse_head(os.pread(fd, HEAD_SIZE, 0))
        if told is None or told[0] != sync:
            return False
        os.pwrite(fd, SEAL.pack(seal), SEAL_OFFSET)
    finally:
        os.close(fd)
    return True


def write_index(segment: Path, sync: bytes, first: int, crc: int, entries: bytes) -> Path:
    """Put an index beside a segment at once and for good: the old one or the new one is there, whatever happens.

    What its head tells is as `pack_head` has it.
    """
    path = index_path(segment)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        take_after(file.fileno(), segment.stat())
        file.write(pack_head(sync, first, crc) + entries)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
    return path
