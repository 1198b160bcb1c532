"""A channel as a table of SQL: what DuckDB asks of a data set of Arrow, answered by the archive's reader.

Only the columns that a statement names are decoded, and only the blocks are read that its conditions on time leave.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from speeddata.archive import Archive
from speeddata.pivot.sql_bounds import TIME, bounds
from speeddata.pivot.sql_columns import Column, columns_of, to_arrow
from speeddata.reader import LATEST
from speeddata.settings_values import CHANNEL_NAME
from speeddata.table import Table

__all__ = ["ChannelTable", "Scan", "channel_names"]

TIMES = {"time": TIME, "time_ns": pa.int64()}


def channel_names(folder: Path) -> list[str]:
    """The channels that have a folder in the archive, which there may not be as yet. Links are not followed."""
    return sorted(
        path.name
        for path in (folder.iterdir() if folder.is_dir() else ())
        if CHANNEL_NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    )


class Scan:
    """One pass over a channel: what DuckDB calls a scanner."""

    def __init__(self, table: "ChannelTable", names: Sequence[str], wanted: ds.Expression | None) -> None:
        self._table = table
        self._filter = wanted
        self._read = list(names)
        if wanted is not None and not _speaks_of(wanted, table.schema, names):
            self._read = table.schema.names
        self.projected_schema = pa.schema([table.schema.field(name) for name in names])

    def to_reader(self) -> pa.RecordBatchReader:
        """The records, a batch at a time, as they are asked for."""
        return pa.RecordBatchReader.from_batches(self.projected_schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        span = bounds(self._filter, self._table.schema)
        if span is None:
            return
        columns = [column for column in self._table.columns if column.name in self._read]
        with self._table.archive.open(*span) as reader:
            self._table.records_read += reader.count
            for table in reader.batches([column.signal for column in columns]):
                made = _arrow(table, self._read, columns)
                if self._filter is not None:
                    made = made.filter(self._filter)
                yield from made.select(self.projected_schema.names).to_batches()
            self._table.damages += len(reader.damages)


class ChannelTable(ds.Dataset):  # type: ignore[misc]
    """A channel's records: `time` in microseconds, the signals, and `time_ns`, which is exact."""

    def __init__(self, archive: Archive) -> None:  # Dataset's own makes none on purpose
        self.archive = archive
        self.records_read = 0  # records in the blocks that were read
        self.damages = 0  # places in the archive that could not be
        self.columns: list[Column] = []
        with archive.open(LATEST, LATEST) as reader:
            if reader.schema is not None:
                self.columns = columns_of(reader.schema, tuple(TIMES))
        fields = {"time": TIME, **{column.name: column.type for column in self.columns}, **TIMES}
        self._fields = pa.schema(list(fields.items()))

    @property
    def schema(self) -> pa.Schema:
        return self._fields

    def scanner(
        self, columns: Sequence[str] | None = None, filter: ds.Expression | None = None, **_: Any
    ) -> Scan:
        return Scan(self, self._fields.names if columns is None else columns, filter)


def _arrow(table: Table, names: Sequence[str], columns: Sequence[Column]) -> pa.Table:
    made = {column.name: to_arrow(table.columns[column.signal], column) for column in columns}
    if "time" in names:
        made["time"] = pa.array(table.time_ns // 1000).cast(TIME)
    if "time_ns" in names:
        made["time_ns"] = pa.array(table.time_ns)
    return pa.table(made)


def _speaks_of(wanted: ds.Expression, schema: pa.Schema, names: Sequence[str]) -> bool:
    """Whether these columns are all that a filter needs."""
    try:
        pa.schema([schema.field(name) for name in names]).empty_table().filter(wanted)
    except pa.ArrowInvalid:
        return False
    return True
