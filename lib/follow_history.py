"""The history that a follower is given first: the records of a snapshot of an archive, in the order of time.

Blocks are read by the oldest record in them; what cannot be older than any block to come is given. So no more is in memory
than what interleaves, and a batch.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from speeddata.damage import Damage
from speeddata.follow_blocks import Blocks, Rows, open_segment
from speeddata.follow_positions import PLACES, Key, Positions, rank_of
from speeddata.table import Array, Table

__all__ = ["History", "Turn"]

BATCH = 1 << 15  # records that are worth being sorted

# Records of one version of the schema in the order of time, and the key of the last of them.
Turn = tuple[Rows, Key]


class History:
    """Reads the records from a time on that a snapshot has; closed at its end, or by `close`."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        snapshot: Positions,
        start_ns: int,
        wanted: Sequence[str] | None,
    ) -> None:
        self._names = sorted(names)
        self._wanted = wanted
        self._low = start_ns if snapshot.key is None else max(start_ns, snapshot.key[0])
        self._after = snapshot.key
        self.damages: list[Damage] = []
        # Segments with blocks to read, and records of each that the snapshot has.
        self._segments: list[tuple[Blocks, int]] = []
        # All blocks to read: its oldest record, the place of its segment, its own place there.
        blocks = [(np.empty(0, np.int64),) * 3]
        for name in self._names:
            if count := snapshot.read_of(name):
                blocks += self._add(folder / name, count)
        oldest, segment, block = (np.concatenate(columns) for columns in zip(*blocks, strict=True))
        order = np.lexsort((block, segment, oldest))
        self._oldest, self._segment, self._block = oldest[order], segment[order], block[order]

    def close(self) -> None:
        """Let go of the files."""
        for blocks, _ in self._segments:
            blocks.segment.close()
        self._segments = []

    def turns(self) -> Iterator[Turn]:
        """The records in the order of time; those of equal time in the order of segments and of records in them."""
        waiting: list[Rows] = []
        held, enough = 0, BATCH
        for first, stop in self._runs():
            for rows in self._read(first, stop):
                waiting.append(rows)
                held += len(rows.table)
            last = stop == len(self._block)
            if held < enough and not last:
                continue
            ready, waiting = _split(waiting, None if last else int(self._oldest[stop]))
            held = sum(len(rows.table) for rows in waiting)
            enough = max(BATCH, 2 * held)  # what interleaves is not looked through for each block
            yield from self._turns(ready)
        self.close()

    def _add(self, path: Path, count: int) -> list[tuple[Array, Array, Array]]:
        """The blocks of a segment that are to be read, if there are any."""
        try:
            blocks = Blocks(open_segment(path))
        except OSError as error:  # an ArchiveError too
            self.damages.append(Damage(path.name, 0, 0, None, error.strerror or str(error)))
            return []
        entries = blocks.entries
        chosen = np.flatnonzero((entries["max_ns"] >= self._low) & (blocks.begin[:-1] < count))
        if not len(chosen):
            blocks.segment.close()
            return []
        place = np.full(len(chosen), len(self._segments))
        self._segments.append((blocks, count))
        return [(np.maximum(entries["min_ns"][chosen], self._low), place, chosen)]

    def _runs(self) -> Iterator[tuple[int, int]]:
        """Blocks that follow each other, both in time and in one segment, and are few records together."""
        together = (np.diff(self._segment) == 0) & (np.diff(self._block) == 1)
        first, held = 0, 0
        for place in range(len(self._block)):
            entries = self._segments[int(self._segment[place])][0].entries
            held += int(entries["count"][self._block[place]])
            if place == len(together) or not together[place] or 2 * held >= BATCH:
                yield first, place + 1
                first, held = place + 1, 0

    def _read(self, first: int, stop: int) -> Iterator[Rows]:
        blocks, count = self._segments[int(self._segment[first])]
        base = rank_of(self._names, blocks.segment.path.name, 0)
        run = slice(int(self._block[first]), int(self._block[stop - 1]) + 1)
        for rows in blocks.read(run, self._wanted, self.damages):
            ranks = rows.numbers + base
            keep = (rows.table.time_ns >= self._low) & (rows.numbers < count)
            if self._after is not None:
                time, name, number = self._after
                after = ranks > rank_of(self._names, name, number)
                keep &= (rows.table.time_ns > time) | after
            if keep.any():
                yield Rows(rows.schema, rows.table, ranks).take(slice(None) if keep.all() else keep)

    def _turns(self, parts: list[Rows]) -> Iterator[Turn]:
        """Merge records by time and rank, in runs of one version of the schema."""
        versions = _joined(parts)
        if not versions:
            return
        times = np.concatenate([rows.table.time_ns for rows in versions])
        ranks = np.concatenate([rows.numbers for rows in versions])
        owner = np.repeat(np.arange(len(versions)), [len(rows.numbers) for rows in versions])[
            np.lexsort((ranks, times))
        ]
        ends = np.append(np.flatnonzero(owner[1:] != owner[:-1]) + 1, len(owner))
        done, start = [0] * len(versions), 0
        for end in ends.tolist():
            version, count = int(owner[start]), end - start
            rows = versions[version].take(slice(done[version], done[version] + count))
            done[version] += count
            start = end
            yield rows, self._key_of(rows)

    def _key_of(self, rows: Rows) -> Key:
        rank = int(rows.numbers[-1])
        return int(rows.table.time_ns[-1]), self._names[rank >> PLACES], rank & ((1 << PLACES) - 1)


def _split(waiting: list[Rows], bound: int | None) -> tuple[list[Rows], list[Rows]]:
    """What is older than any block to come, and the rest."""
    if bound is None:
        return waiting, []
    ready, rest = [], []
    for rows in waiting:
        older: Array = rows.table.time_ns < bound
        if older.any():
            ready.append(rows if older.all() else rows.take(older))
        if not older.all():
            rest.append(rows.take(~older))
    return ready, rest


def _joined(parts: list[Rows]) -> list[Rows]:
    """The records of each version of the schema together, in the order of time and rank."""
    versions: dict[tuple[bytes, str], list[Rows]] = {}
    for rows in parts:
        versions.setdefault((rows.schema.fingerprint, rows.schema.text), []).append(rows)
    out = []
    for found in versions.values():
        table = Table.join([rows.table for rows in found])
        numbers = np.concatenate([rows.numbers for rows in found])
        order = np.lexsort((numbers, table.time_ns))
        out.append(Rows(found[0].schema, table.take(order), numbers[order]))
    return out
