"""Records of some blocks of a segment as columns, each with its number in the segment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from speeddata.columns import decode
from speeddata.damage import Damage
from speeddata.decoding import entry_array, sound_parts, times_in
from speeddata.errors import ArchiveError
from speeddata.schema import Schema
from speeddata.segment import Piece, Segment
from speeddata.table import Array, Table

__all__ = ["Blocks", "Rows", "open_segment"]

WANTED = 1 << 14  # records of blocks that are read at once, and more only where one block has more


@dataclass(frozen=True, eq=False)
class Rows:
    """Records of one segment, or one version of the schema, and the number of each."""

    schema: Schema
    table: Table
    numbers: Array  # int64, as long as the table

    def take(self, rows: slice | Array) -> "Rows":
        return Rows(self.schema, self.table.take(rows), self.numbers[rows])


def open_segment(path: Path) -> Segment:
    """Open a segment whose records can be read; OSError (ArchiveError) where they cannot."""
    segment = Segment(path)
    try:
        if segment.size:
            segment.head.plan  # noqa: B018
    except ArchiveError:
        segment.close()
        raise
    return segment


class Blocks:
    """The blocks of an open segment."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        # Index entries, and the number of the first record of each block; at its end how many there are in all.
        self.entries = entry_array(segment.entries)
        self.begin: Array = np.concatenate([[0], np.cumsum(self.entries["count"], dtype=np.int64)])

    @property
    def count(self) -> int:
        """Records in all of them."""
        return int(self.begin[-1])

    def from_record(self, number: int) -> Iterator[slice]:
        """The blocks from that of a record on, in runs that are read at once."""
        first = int(np.searchsorted(self.begin, number, "right")) - 1
        while first < len(self.entries):
            enough = int(np.searchsorted(self.begin, self.begin[first] + WANTED, "right")) - 1
            last = max(first + 1, enough)
            yield slice(first, last)
            first = last

    def read(self, blocks: slice, wanted: Sequence[str] | None, damages: list[Damage]) -> Iterator[Rows]:
        """Read some, of all signals or those wanted; what is damaged is left out and told."""
        schema = self.segment.head.plan.schema
        names = [n for n in schema.signal_names if n != schema.time and (wanted is None or n in wanted)]
        for piece in self.segment.read(self.entries[blocks].tobytes(), damages):
            whole = sound_parts(self.segment, piece, partial(_decode, self.segment, names=names), damages)
            for part, table in whole:
                found = entry_array(part.entries)
                places = np.searchsorted(self.entries["offset"], found["offset"])
                counts = found["count"].astype(np.int64)
                starts = np.repeat(self.begin[places] - (np.cumsum(counts) - counts), counts)
                yield Rows(schema, table, starts + np.arange(len(table), dtype=np.int64))


def _decode(segment: Segment, piece: Piece, names: list[str]) -> tuple[Piece, Table]:
    time = segment.head.plan.schema.time
    columns: dict[str, Any] = decode(segment.head.plan, piece.data, piece.count, [*names, time])
    return piece, Table(times_in(segment, piece, columns.pop(time)), columns)
