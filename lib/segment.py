"""One segment of a channel's archive, open or sealed, and its index: which whole blocks there are, and their content.

Blocks that the index does not have (the newest, or all when it is lost) are found by a scan of the segment. What is
damaged is left out and told as `Damage`, never silently; a last block that is not whole yet is no damage. Files are read
by pread, never mapped: they may be cut by a repair at any time. No numpy here, the relay imports it.
"""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from speeddata.bit_error import flip, flipped_bit
from speeddata.block_search import WINDOW, BlockSearch
from speeddata.blocks import Scanner, cover, crc32c, gather
from speeddata.container import MAX_HEAD, Head, bare_head, parse_head, unpack
from speeddata.damage import Damage, damaged
from speeddata.errors import ArchiveError, TimeError
from speeddata.index import (
    ENTRY,
    ENTRY_SIZE,
    HEAD_SIZE,
    Entry,
    Seal,
    crc_of_head,
    each_entry,
    entries_behind,
    entries_of,
    index_path,
    seal_of,
    write_index,
)
from speeddata.index import parse_head as index_head
from speeddata.times import parse_time

__all__ = ["Known", "Piece", "Segment", "Signature", "rebuild_index", "scan", "signature_of", "whole_length"]

MAX_INDEX = 1 << 30  # bytes of an index
Signature = tuple[int, int, int, int]  # inode, size, times of the last write and of the last change


@dataclass(frozen=True)
class Piece:
    """Records of one block or several, back to back, and the index entries of the blocks."""

    data: bytes | memoryview
    entries: bytes

    @property
    def count(self) -> int:
        return sum(entry.count for entry in entries_of(self.entries))


@dataclass(frozen=True)
class Known:
    """What opening a segment has found out, so that it need not be found out again while the file is the same."""

    path: Path
    signature: Signature
    head: Head
    entries: bytes
    unit: str | None
    seal: Seal  # UNSEEN: it may grow yet
    damages: tuple[Damage, ...]
    behind: Damage | None  # blocks that the index has, and the file, which was cut, has not


class Segment:
    """A segment opened for reading."""

    def __init__(
        self,
        path: Path,
        *,
        follow: bool = False,
        schema_text: str | None = None,
        use_index: bool = True,
        timed: bool = True,
        known: Known | None = None,
    ) -> None:
        self.path = path
        # Damage found while looking for blocks; what is found while reading them is given by `read`.
        self.damages: list[Damage] = []
        # Blocks that the index has, and the file, which was cut, has not.
        self.behind: Damage | None = None
        # Index entries of all whole blocks, in the order of the file.
        self.entries = b""
        # The unit of the source time; None when no record has told it.
        self.unit: str | None = None
        self._schema_text = schema_text
        self._timed = timed  # whether its records must have a time
        self._seal = Seal.UNSEEN
        self._fd = _open(path, follow)
        try:
            if known is None or not self._remember(known):
                self._find_blocks(use_index)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def known(self) -> Known:
        """What is known of it now, for the next time that it is opened."""
        return Known(
            self.path, self.signature, self.head, self.entries, self.unit, self._seal, tuple(self.damages), self.behind,
        )  # fmt: skip

    @property
    def end(self) -> int:
        """The offset after the last whole block."""
        if not self.entries:
            return self.head.length
        last = Entry._make(ENTRY.unpack(self.entries[-ENTRY_SIZE:]))
        return last.offset + last.length

    def read(self, entries: bytes, damages: list[Damage]) -> Iterator[Piece]:
        """Read the blocks of some entries, in their order; what is damaged is left out and added to `damages`."""
        for run in _runs(entries):
            first, last = next(entries_of(run)), Entry._make(ENTRY.unpack(run[-ENTRY_SIZE:]))
            data = self.pread(first.offset, last.offset + last.length - first.offset)
            compressed = self.head.codec != "null"
            for part in each_entry(run) if compressed else (run,):
                content, bad = gather(data, first.offset, part, self.head.sync)
                for place in reversed(bad):
                    damages.append(damaged(self.path.name, part, place, "checksum"))
                    part = part[: place * ENTRY_SIZE] + part[(place + 1) * ENTRY_SIZE :]
                if part:
                    try:
                        yield Piece(unpack(self.head.codec, content) if compressed else content, part)
                    except ArchiveError as error:
                        damages.append(damaged(self.path.name, part, 0, str(error)))

    def forget(self) -> None:
        """Have the kernel keep nothing of the file in memory: what is read next is what is on the disk."""
        os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def _remember(self, known: Known) -> bool:
        """Believe what was found out before, if the file is the same."""
        self._look()
        if self.signature != known.signature:
            return False
        self.head, self.entries, self.unit = known.head, known.entries, known.unit
        self._seal, self.damages, self.behind = known.seal, list(known.damages), known.behind
        return True

    def _look(self) -> None:
        status = os.fstat(self._fd)
        self.size = status.st_size
        # Tells whether the file has changed since.
        self.signature = signature_of(status)

    def _find_blocks(self, use_index: bool) -> None:
        self._read_head(use_index)
        if not self.size:  # made, and not yet written to
            self._look_behind(self._index_bytes()[HEAD_SIZE:] if use_index else b"")
            return
        indexed = self._read_index() if use_index else b""
        if indexed is None:  # a resealed file has a new sync marker: see whether both were exchanged just now
            os.close(self._fd)
            self._fd = _open(self.path, follow=True)
            self._read_head(use_index)
            indexed = self._read_index()
        if indexed is None:
            indexed = self._read_index(distrust_head=True)
        self.entries, holes = cover(indexed or b"", self.head.length, self.size)
        for start, stop in reversed(holes):
            self._fill(start, stop)
        self._look_behind(indexed or b"")

    def _look_behind(self, indexed: bytes) -> None:
        """See whether an index has blocks behind the end of the file: a block is in the file before it is in the index."""
        last = indexed[len(indexed) // ENTRY_SIZE * ENTRY_SIZE - ENTRY_SIZE :][:ENTRY_SIZE]
        if last and last == self.entries[-ENTRY_SIZE:]:
            return
        gone = entries_behind(indexed, self.head.length, self.size)
        if gone and os.fstat(self._fd).st_size < gone[-1].offset + gone[-1].length:
            start, end, records = (
                gone[0].offset,
                gone[-1].offset + gone[-1].length,
                sum(one.count for one in gone),
            )
            self.behind = Damage(self.path.name, start, end, records, "cut off")

    def _read_head(self, use_index: bool) -> None:
        self._look()
        if self._schema_text is not None and self.pread(0, 3) != b"Obj":
            self._take_head(bare_head(self._schema_text))
        elif not self.size:
            self._take_head(Head({}, bytes(16), 0))
        else:
            try:
                self._take_head(self._parse_head())
            except ArchiveError:
                if not use_index or not self._unflip_head(self._index_bytes()):
                    raise

    def _take_head(self, head: Head) -> None:
        self.head = replace(head, timed=self._timed)
        if self.size:
            self.unit = self.head.time_unit

    def _unflip_head(self, index: bytes) -> bool:
        """Take back the one bit of the head that was flipped, where the index tells what checksum the head had."""
        told = index_head(index)
        crc = crc_of_head(index) if told else None
        if told is None or crc is None:
            return False
        sync, length = told
        data = self.pread(0, min(length, MAX_HEAD))
        bit = flipped_bit(data[:-16], crc) if data[-16:] == sync else None
        if bit is None:
            return False
        head = parse_head(flip(data, bit))
        if head is None:
            return False
        self._take_head(replace(head, flipped=bit))
        self.damages.append(Damage(self.path.name, bit // 8, bit // 8 + 1, 0, "a flipped bit in the head"))
        return True

    def _parse_head(self) -> Head:
        length = 4096
        while True:
            head = parse_head(self.pread(0, length))
            if head is not None:
                return head
            if length >= min(self.size, MAX_HEAD):
                raise ArchiveError(
                    "cut off in its head" if length >= self.size else f"head over {MAX_HEAD} bytes"
                )
            length *= 16

    def _read_index(self, distrust_head: bool = False) -> bytes | None:
        """Entries of the index; none when there is no index, None when it is that of another file.

        That of a damaged head is not believed where the index is seen to be that of this segment. ArchiveError when that
        tells another checksum of the head: any name in it may be another one then.
        """
        data = self._index_bytes()
        told = index_head(data)
        if told is None:
            return b""
        right = told == (self.head.sync, self.head.length) and crc_of_head(data) in (self.head.crc, None)
        if not right and self._unflip_head(data):
            told = self.head.sync, self.head.length
        if told[0] != self.head.sync:
            if not distrust_head or not self._correct_head(*told):
                return None
        elif told[1] != self.head.length:
            return b""
        if crc_of_head(data) not in (self.head.crc, None):
            raise ArchiveError("head damaged: its index tells another checksum of it")
        self._seal = seal_of(data)
        return data[HEAD_SIZE : len(data) - (len(data) - HEAD_SIZE) % ENTRY_SIZE]

    def _index_bytes(self) -> bytes:
        """The bytes of the index; none when there is none."""
        try:
            fd = _open(index_path(self.path), follow=False)
        except OSError:
            return b""
        with os.fdopen(fd, "rb") as file:
            return file.read(min(os.fstat(fd).st_size, MAX_INDEX))

    def _correct_head(self, sync: bytes, length: int) -> bool:
        """Take sync marker and length of the head from the index, if that is the index of this segment."""
        name = self.path.name
        if length >= 16 and self.pread(length - 16, 16) == sync:  # a length in the head is damaged
            self.damages.append(Damage(name, 0, length, 0, "head"))
        elif (
            length == self.head.length and Scanner(sync, None, None, 0).scan(self.pread(length, WINDOW), 0)[1]
        ):
            self.damages.append(Damage(name, length - 16, length, 0, "sync marker of the head"))
        else:
            return False
        crc = crc32c(self.pread(0, length - 16))
        self.head = replace(self.head, sync=sync, length=length, crc=crc)
        return True

    def _fill(self, start: int, stop: int) -> None:
        """Put the entries of blocks found in [start, stop), which the index does not have, in their place."""
        count = len(self.entries) // ENTRY_SIZE
        place = bisect_left(
            range(count), start, key=lambda i: ENTRY.unpack_from(self.entries, i * ENTRY_SIZE)[0]
        )
        at = place * ENTRY_SIZE
        before = next(entries_of(self.entries[at - ENTRY_SIZE : at]), None) if at else None
        arrival = before.arrival_ns if before else self._begun_ns()
        search = BlockSearch(self.path.name, self.head, self.unit, self.pread)
        found = search.find(start, stop, arrival, growing=stop == self.size)
        self.entries = self.entries[:at] + found + self.entries[at:]
        self.damages += search.damages
        self.unit = search.unit

    def _begun_ns(self) -> int:
        """When the first record came, as far as the name or the file tells."""
        with suppress(TimeError):
            return parse_time(self.path.stem.rpartition("_")[2])
        return os.fstat(self._fd).st_mtime_ns

    def pread(self, offset: int, size: int) -> bytes:
        """Read at an offset of the file; fewer bytes only where it ends."""
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data


def signature_of(status: os.stat_result) -> Signature:
    """What tells whether a file is still the same: one that is put back has another time of change."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def scan(path: Path) -> list[Entry]:
    """Find the blocks of a segment from the segment alone."""
    with Segment(path, use_index=False) as segment:
        return list(entries_of(segment.entries))


def whole_length(path: Path) -> int:
    """The offset after the last whole block, from the segment alone: what a repair cuts the file to."""
    with Segment(path, use_index=False) as segment:
        return segment.end


def rebuild_index(path: Path) -> Path:
    """Write the index of a segment anew: the entries that hold, and between and after them those found by a scan.

    An entry that holds is kept even where its block has been damaged since, for its checksum is what tells so.
    """
    with Segment(path) as segment:
        head = segment.head
        return write_index(path, head.sync, head.length, head.crc, segment.entries)


def _open(path: Path, follow: bool) -> int:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    fd = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ArchiveError(f"{path} is not a file")
    return fd


def _runs(entries: bytes) -> Iterator[bytes]:
    """Split entries into those of blocks that follow each other, to be read at once."""
    start, first, end = 0, 0, -1
    for place, entry in enumerate(entries_of(entries)):
        if entry.offset != end or entry.offset + entry.length - first > WINDOW:
            if place:
                yield entries[start * ENTRY_SIZE : place * ENTRY_SIZE]
            start, first = place, entry.offset
        end = entry.offset + entry.length
    if entries:
        yield entries[start * ENTRY_SIZE :]
