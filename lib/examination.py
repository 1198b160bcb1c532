"""The examination of one segment, block by block: what `speeddata verify`, `repair`, `inspect` and `cat` have in common.

A block is good when it is framed as it should be, has the checksum that its index entry tells, and holds exactly as many
records as it says. Where no index entry tells a checksum, a value that was changed into another possible one cannot be
noticed; neither can a changed name in the head where no index tells the checksum of that.
"""

from collections.abc import Iterator
from typing import NamedTuple

from speeddata.blocks import Scanner
from speeddata.container import parse_long
from speeddata.counted import counted
from speeddata.damage import Damage, damaged
from speeddata.errors import ArchiveError, RecordError
from speeddata.index import ENTRY, ENTRY_SIZE, FLAG_BAD_TIME, FLAG_UNSORTED, Entry, each_entry, entries_of
from speeddata.index_state import blocks_behind, entries_that_hold, records_told
from speeddata.segment import Segment

__all__ = ["Examination", "Fault"]

TIMES = slice(16, 40)  # of an entry: first, lowest, highest
FLAGS = FLAG_BAD_TIME | FLAG_UNSORTED


class Fault(NamedTuple):
    """Damage, and which block it is in, counted from 1; None where it is in no block."""

    block: int | None
    damage: Damage

    def __str__(self) -> str:
        damage = self.damage
        place = f"block {self.block}, " if self.block else ""
        lost = (
            "an unknown number of records"
            if damage.records is None
            else counted(damage.records, "record", "")
        )
        return f"{place}bytes {damage.start} to {damage.end}: {damage.reason}, {lost} lost"


class Examination:
    """Reads a segment that is open; `index` are the bytes of its index from before it was opened."""

    def __init__(self, segment: Segment, index: bytes | None) -> None:
        self.segment = segment
        # What is damaged, of the blocks that were read and of what is not a block; `tail` comes with `find_tail`.
        self.faults: list[Fault] = []
        self.tail: Fault | None = None
        # Index entries of the good blocks that were read.
        self.good = bytearray()
        # Blocks whose times the index tells otherwise than they are.
        self.odd_times = 0
        self._index = index
        # The entries that are from the index, and those of them not come to yet.
        self._held = memoryview(entries_that_hold(index, segment.size) if index and segment.size else b"")
        # What is not a block, in the order of the file.
        self._holes = sorted(
            (damage for damage in segment.damages if damage.start >= segment.head.length),
            key=lambda damage: damage.start,
        )
        for damage in segment.damages:
            if damage.start < segment.head.length:
                self.faults.append(Fault(None, damage))
        self._number = 0  # of the last block read
        if segment.size:
            self._scanner = Scanner(segment.head.sync, segment.head.plan, segment.unit, 0)

    def read(
        self, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[tuple[bytes, bytes | memoryview]]:
        """The index entry and the content of each good block, one that may have records in [start_ns, end_ns).

        What is damaged is added to `faults`, in the order of the file.
        """
        number, holes = 0, iter(self._holes)
        hole = next(holes, None)
        for packed in each_entry(self.segment.entries):
            entry = Entry._make(ENTRY.unpack(packed))
            while hole and hole.start < entry.offset:
                number += 1
                self.faults.append(Fault(number, self._counted(hole)))
                hole = next(holes, None)
            number += 1
            indexed = self._held[:ENTRY_SIZE] == packed
            if indexed:
                self._held = self._held[ENTRY_SIZE:]
            if (
                start_ns is not None
                and entry.max_ns < start_ns
                or end_ns is not None
                and entry.min_ns >= end_ns
            ):
                continue
            content = self._content(packed, indexed)
            if isinstance(content, Damage):
                self.faults.append(Fault(number, content))
                continue
            self.good += packed
            yield packed, content
        while hole:
            number += 1
            self.faults.append(Fault(number, self._counted(hole)))
            hole = next(holes, None)
        self._number = number

    def find_tail(self) -> None:
        """Look, after reading, for what was cut off the end: a part of a block, and blocks that the index tells of."""
        segment = self.segment
        start = max([segment.end, *(hole.end for hole in self._holes)]) if segment.size else 0
        behind = blocks_behind(self._index, segment)
        if start >= segment.size and not behind:
            return
        if behind:
            known = records_told(self._index) is not None
            records = sum(entry.count for entry in behind) if known else None
        else:
            records = self._frames(start, segment.size)
        self.tail = Fault(
            self._number + 1, Damage(segment.path.name, start, segment.size, records, "cut off")
        )

    def _content(self, packed: bytes, indexed: bool) -> bytes | memoryview | Damage:
        """The content of a block, or what is wrong with it."""
        name, damages = self.segment.path.name, list[Damage]()
        try:
            pieces = list(self.segment.read(packed, damages))
        except OSError as error:  # such as a bad sector
            return damaged(name, packed, 0, error.strerror or str(error))
        if damages:
            return damages[0]
        entry = Entry._make(ENTRY.unpack(packed))
        self._scanner.arrival = entry.arrival_ns
        found = self._scanner.times(packed, pieces[0].data, self.segment.head.plan)
        if found is None:
            return damaged(name, packed, 0, "not records of its schema")
        if indexed and not _same_times(packed, found):
            self.odd_times += 1
        return pieces[0].data

    def _counted(self, damage: Damage) -> Damage:
        """Damage that is not a block, with the records that it had as far as what is left of it tells."""
        if damage.records is not None:
            return damage
        records = self._frames(damage.start, damage.end)
        return Damage(damage.segment, damage.start, damage.end, records, damage.reason)

    def _frames(self, start: int, stop: int) -> int | None:
        """Records of the blocks in [start, stop), as far as these tell; None when they do not fill it exactly.

        The last one may reach beyond the end of the file.
        """
        head = self.segment.head
        at, records, smallest = start, 0, head.plan.schema.record.minimum if head.codec == "null" else 0
        while at < stop:
            numbers = self.segment.pread(at, 20)
            try:
                count, used = parse_long(numbers, 0)
                length, used = parse_long(numbers, used)
            except (IndexError, ArchiveError):
                return None
            if not (0 < count < 1 << 31 and 0 < length < 1 << 31) or count * smallest > length:
                return None
            records += self._counted_in(self.segment.pread(at + used, length), count, length)
            at += used + length + 16
        return records if at == stop or stop == self.segment.size else None

    def _counted_in(self, content: bytes, count: int, length: int) -> int:
        """Records of a block that says it has `count`, which may be what is damaged."""
        if len(content) < length or self.segment.head.codec != "null":
            return count
        try:
            return self.segment.head.plan.packet(content)
        except RecordError:
            return count


def _same_times(a: bytes, b: bytes) -> bool:
    """Whether two entries of a block tell the same times; receive times, which stand for impossible ones, aside."""
    first, second = (next(entries_of(entry)) for entry in (a, b))
    if first.flags & second.flags & FLAG_BAD_TIME:
        return True
    return a[TIMES] == b[TIMES] and (first.flags ^ second.flags) & FLAGS == 0
