"""Reads the records of one or several segments of a channel as columns, sorted by time, a batch at a time.

While one batch is used the next is decoded. How large a batch is, and what waits for the next one, see block_order.py.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from speeddata.block_order import Batch, batches_of
from speeddata.columns import decode
from speeddata.damage import Damage
from speeddata.decoding import Decoding, Wanted, entry_array
from speeddata.errors import ArchiveError, SchemaError
from speeddata.plan import Plan
from speeddata.schema import Schema, Signal
from speeddata.schema_union import bring_to, same_records, union_of
from speeddata.segment import Segment
from speeddata.table import Array, GapFinder, Table, join_columns

__all__ = ["EARLIEST", "LATEST", "Reader"]

EARLIEST, LATEST = -(2**63), 2**63 - 1
BATCH = 1 << 18  # records wanted in a batch
UNPACKED = 6  # bytes that one of a compressed block may stand for
OBJECTS = 8  # bytes in memory for one of a record, where values are text, bytes, arrays or maps


@dataclass(frozen=True)
class _Rows:
    """Records, sorted or not; their ranks tell the order of arrival."""

    table: Table
    ranks: Array | None


class Reader:
    """The records of [start_ns, end_ns] in some segments, which it closes at the end.

    `damages` tells what is left out; what is found while reading is added to it. Where segments have several versions of
    the schema, `schema` is their union: what a version does not have is null (see schema_union.py).
    """

    def __init__(self, segments: Iterable[Segment], start_ns: int = EARLIEST, end_ns: int = LATEST) -> None:
        self.start_ns, self.end_ns = start_ns, end_ns
        self.damages: list[Damage] = []
        self.schema: Schema | None = None  # None: there is no segment
        # Of the batches so far: (time of the record before, records missing).
        self.gaps: list[tuple[int, int]] = []
        self._segments: list[Segment] = []
        self._sources: list[Wanted] = []
        self._running: set[Decoding] = set()
        try:
            for segment in segments:
                self._segments.append(segment)
                self.damages += segment.damages
            self._choose()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self._cancel()
        for segment in self._segments:
            segment.close()

    @property
    def count(self) -> int:
        """Records in the blocks that will be read: at least as many as there are in the range."""
        return sum(int(source.entries["count"].sum()) for source in self._sources)

    @property
    def signals(self) -> list[Signal]:
        """The signals of all versions, the time left out."""
        return [s for s in self.schema.signals if s.name != self.schema.time] if self.schema else []

    def newest_told(self) -> int:
        """The newest time in the range that the index tells, or where the range begins: of blocks that end in it."""
        ends = [source.entries["max_ns"] for source in self._sources]
        return max(
            (int(end[end <= self.end_ns].max(initial=self.start_ns)) for end in ends), default=self.start_ns
        )

    def batches(
        self, names: Sequence[str] | None = None, check: Callable[[], None] | None = None
    ) -> Iterator[Table]:
        """Read some signals (all, unless they are named) in tables that follow each other in time.

        `check` is called often; what it raises ends the reading.
        """
        if not self.schema or not self._sources:
            return
        wanted = [s.name for s in self.signals if names is None or s.name in set(names)]
        read = list(dict.fromkeys([*wanted, *([self.schema.sequence] if self.schema.sequence else [])]))
        finder = GapFinder()
        self.gaps = finder.gaps
        waiting: _Rows | None = None
        try:
            for batch, decodings in self._ahead(read):
                rows = self._rows(read, decodings, waiting, check)
                table, waiting = self._settle(rows, batch)
                if self.schema.sequence:
                    finder.add(table.time_ns, table.columns[self.schema.sequence])
                if len(table):
                    yield Table(table.time_ns, {name: table.columns[name] for name in wanted})
        finally:
            self._cancel()

    def read(self, names: Sequence[str] | None = None) -> Table:
        """Read all at once."""
        tables = list(self.batches(names))
        if tables:
            return Table.join(tables)
        return self.empty(names)

    def empty(self, names: Sequence[str] | None = None) -> Table:
        """A table without rows, of the right columns and types."""
        if self.schema is None:
            return Table(np.empty(0, np.int64), {})
        chosen = (
            [s.name for s in self.signals] if names is None else [n for n in names if n != self.schema.time]
        )
        return Table(np.empty(0, np.int64), decode(Plan(self.schema), b"", 0, chosen))

    def _choose(self) -> None:
        """Pick the blocks that overlap the range, and the schema that holds them all."""
        sources = [source for segment in self._segments if (source := self._source(segment))]
        with_records = [source for source in sources if len(source.entries)]
        if not sources:
            return
        versions = [source.segment.head.plan.schema for source in with_records or sources[-1:]]
        try:
            self.schema = union_of(list({id(version): version for version in versions}.values()))
        except SchemaError as error:
            self.schema = versions[-1]
            with_records = list(self._of_schema(with_records, str(error)))
        place = 0
        for source in with_records:
            self._sources.append(replace(source, place=place))
            place += len(source.entries)

    def _of_schema(self, sources: Iterable[Wanted], reason: str) -> Iterator[Wanted]:
        """Those of the newest version, where there is no union; the others are told."""
        assert self.schema is not None, "there are sources"
        for source in sources:
            if same_records(source.segment.head.plan.schema, self.schema):
                yield source
            else:
                records = int(source.entries["count"].sum())
                words = f"another version of the schema: {reason}"
                self.damages.append(_whole(source.segment, records, words))

    def _source(self, segment: Segment) -> Wanted | None:
        if not segment.size:
            return None
        try:
            segment.head.plan  # noqa: B018
        except ArchiveError as error:
            self.damages.append(_whole(segment, None, str(error)))
            return None
        entries = entry_array(segment.entries)
        chosen = (entries["max_ns"] >= self.start_ns) & (entries["min_ns"] <= self.end_ns)
        return Wanted(segment, entries if chosen.all() else entries[chosen], 0)

    def _batches(self, names: list[str]) -> Iterator[Batch]:
        entries = np.concatenate([source.entries for source in self._sources])
        ratios = [1 if source.segment.head.codec == "null" else UNPACKED for source in self._sources]
        sizes = entries["length"] * np.repeat(ratios, [len(source.entries) for source in self._sources])
        if any(s.name in names and not s.number and s.type != "boolean" for s in self.signals):
            sizes = sizes * OBJECTS
        return batches_of(np.maximum(entries["min_ns"], self.start_ns), entries["count"], sizes, BATCH)

    def _ahead(self, names: list[str]) -> Iterator[tuple[Batch, list[Decoding]]]:
        """Each batch on its way, while that after it is begun."""
        batches = list(self._batches(names))
        plans = {id(source.segment.head.plan) for source in self._sources}
        ranked = len(plans) > 1 or not all(batch.in_order for batch in batches)
        former: tuple[Batch, list[Decoding]] | None = None
        for batch in batches:
            begun = batch, self._begin(batch, names, ranked)
            if former:
                yield former
            former = begun
        if former:
            yield former

    def _begin(self, batch: Batch, names: list[str], ranked: bool) -> list[Decoding]:
        """Begin to decode a batch: one for each version of the schema in it."""
        by_plan: dict[int, tuple[Plan, list[Wanted]]] = {}
        for source in self._sources:
            low, high = np.searchsorted(batch.blocks, [source.place, source.place + len(source.entries)])
            if low < high:
                plan = source.segment.head.plan
                numbers = batch.blocks[low:high] - source.place
                for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
                    first, last = int(run[0]), int(run[-1]) + 1
                    found = Wanted(source.segment, source.entries[first:last], source.place + first)
                    by_plan.setdefault(id(plan), (plan, []))[1].append(found)
        begun = []
        for plan, wanted in by_plan.values():
            known = set(plan.schema.signal_names) - {plan.schema.time}
            begun.append(Decoding(plan, wanted, [n for n in names if n in known], ranked))
        self._running.update(begun)
        return begun

    def _rows(
        self,
        names: list[str],
        decodings: list[Decoding],
        waiting: _Rows | None,
        check: Callable[[], None] | None,
    ) -> _Rows:
        """The records of a batch with those that waited for it, in the order of arrival as far as that is known."""
        assert self.schema is not None, "there are batches"
        signals = [signal for signal in self.schema.signals if signal.name in set(names)]
        parts = [waiting] if waiting else []
        for decoding in decodings:
            times, ranks, columns, damages = decoding.take(check)
            self._running.discard(decoding)
            self.damages += damages
            if decoding.schema is not self.schema:
                columns = bring_to(signals, decoding.schema, columns, len(times))
            parts.append(_Rows(Table(times, {name: columns[name] for name in names}), ranks))
        if len(parts) == 1:
            return parts[0]
        ranked = [part.ranks for part in parts if part.ranks is not None]
        ranks = join_columns(ranked) if len(ranked) == len(parts) else None
        return _Rows(Table.join([part.table for part in parts]), ranks)

    def _settle(self, rows: _Rows, batch: Batch) -> tuple[Table, _Rows | None]:
        """Sort records; those that blocks to come may have older ones than wait."""
        table, ranks = rows.table, rows.ranks
        if not (table.time_ns[1:] >= table.time_ns[:-1]).all() or (
            ranks is not None and not (ranks[1:] >= ranks[:-1]).all()
        ):
            keys = (
                np.lexsort((ranks, table.time_ns))
                if ranks is not None
                else np.argsort(table.time_ns, kind="stable")
            )
            table, ranks = table.take(keys), None if ranks is None else ranks[keys]
        low = int(np.searchsorted(table.time_ns, self.start_ns, "left"))
        high = end = int(np.searchsorted(table.time_ns, self.end_ns, "right"))
        if batch.settled_ns is not None:
            side = "right" if batch.in_order else "left"
            high = min(high, int(np.searchsorted(table.time_ns, batch.settled_ns, side)))  # type: ignore[call-overload]
        high = max(low, high)
        waiting = None
        if high < end:
            waiting = _Rows(table.take(slice(high, end)), None if ranks is None else ranks[high:end])
        return table.take(slice(low, high)), waiting

    def _cancel(self) -> None:
        for decoding in self._running:
            decoding.cancel()
        self._running.clear()


def _whole(segment: Segment, records: int | None, reason: str) -> Damage:
    return Damage(segment.path.name, 0, segment.size, records, reason)
