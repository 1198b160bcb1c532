"""What could not be read of a segment, and is said wherever its records go."""

from dataclasses import asdict, dataclass
from typing import Any

from speeddata.counted import counted
from speeddata.index import ENTRY, ENTRY_SIZE, Entry

__all__ = ["Damage", "damaged"]


@dataclass(frozen=True)
class Damage:
    """Bytes of a segment that could not be read, and so records that are not in an answer."""

    segment: str  # file name
    start: int
    end: int
    records: int | None  # None: nobody knows how many
    reason: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        count = (
            "an unknown number of records" if self.records is None else counted(self.records, "record", "")
        )
        return f"{self.segment}: {self.reason} in bytes {self.start} to {self.end}, {count} left out"


def damaged(segment: str, entries: bytes, place: int, reason: str) -> Damage:
    """Tell about the block of an index entry, the one at `place` among several."""
    entry = Entry._make(ENTRY.unpack_from(entries, place * ENTRY_SIZE))
    return Damage(segment, entry.offset, entry.offset + entry.length, entry.count, reason)
