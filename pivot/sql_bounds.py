"""Which times a filter lets pass, found without taking it apart: it is tried on ranges of time."""

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow.fs import LocalFileSystem

from speeddata.reader import EARLIEST, LATEST

__all__ = ["TIME", "bounds"]

TIME = pa.timestamp("us", "UTC")
PARTS = 4  # ranges tried at a time
FINE_NS = 1_000_000  # ranges are not made smaller than this
MOST = 500  # ranges that are looked into; then they stay as wide as they are


def bounds(
    wanted: ds.Expression | None, fields: pa.Schema, low: int = EARLIEST, high: int = LATEST
) -> tuple[int, int] | None:
    """The smallest range of nanoseconds, both ends included, outside of which a filter lets no record pass.

    `fields` are those that the filter speaks of; `time` (microseconds, rounded down) and `time_ns` among them are the
    record's time. The range may be too wide, by a millisecond or more, never too narrow. None: nothing passes.
    """
    if wanted is None:
        return low, high
    prune = _Pruner(wanted, fields)
    first = prune.edge(low, high, 0)
    if first is None:
        return None
    last = prune.edge(first[0], high, -1)
    return first[0], (last or (low, high))[1]


class _Pruner:
    """Asks Arrow which of some ranges a filter rules out, as it does with the partitions of a data set."""

    def __init__(self, wanted: ds.Expression, fields: pa.Schema) -> None:
        self._wanted = wanted
        self._fields = fields
        self._tries = 0
        self._format = ds.ParquetFileFormat()
        self._files = (
            LocalFileSystem()
        )  # nothing is opened in it: the data set is asked for its fragments alone

    def edge(self, low: int, high: int, side: int) -> tuple[int, int] | None:
        """The first (`side` 0) or last (-1) small range within [low, high] that may have something."""
        self._tries += 1
        if high - low < FINE_NS or self._tries > MOST:
            return low, high
        step = (high - low) // PARTS + 1
        parts = self._left([(at, min(at + step - 1, high)) for at in range(low, high + 1, step)])
        found = (self.edge(*part, side) for part in (parts if side == 0 else reversed(parts)))
        return next(filter(None, found), None)

    def _left(self, parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
        fragments = [
            self._format.make_fragment(str(place), self._files, partition_expression=self._within(*part))
            for place, part in enumerate(parts)
        ]
        pruned = ds.FileSystemDataset(fragments, self._fields, self._format, self._files)
        return [parts[int(fragment.path)] for fragment in pruned.get_fragments(self._wanted)]

    def _within(self, low: int, high: int) -> ds.Expression:
        """What is known of records of a range."""
        first, last = pa.scalar(low // 1000, TIME), pa.scalar(high // 1000, TIME)
        known = (ds.field("time") >= first) & (ds.field("time") <= last)
        if "time_ns" in self._fields.names:
            known &= (ds.field("time_ns") >= low) & (ds.field("time_ns") <= high)
        return known
