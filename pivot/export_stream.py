"""What is written of an export: streams of tables, one a channel, or one of all where they are joined on one time base."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from speeddata.pivot.align import Joined, align, aligned_columns
from speeddata.pivot.decimate import decimate, decimated_columns
from speeddata.pivot.export_column import Column, columns_of, empty_column
from speeddata.pivot.export_options import Options
from speeddata.pivot.request import ExportRequest
from speeddata.reader import Reader
from speeddata.schema import Schema
from speeddata.table import Table

__all__ = ["ALIGNED", "Stream", "make_streams"]

ALIGNED = "aligned"  # what the one table of several channels is called
Check = Callable[[], None]


@dataclass
class Stream:
    """Tables that become one file or group; what is known at the end is asked of it then."""

    name: str
    columns: list[Column]
    tables: Iterator[Table]
    readers: Mapping[str, Reader]
    schema: Schema | None = None  # of the records, where they are as the archive has them
    records: int = field(default=0)  # written so far

    def __iter__(self) -> Iterator[Table]:
        for table in self.tables:
            self.records += len(table)
            yield table

    @property
    def empty(self) -> Table:
        """A table without rows."""
        return Table(np.empty(0, np.int64), {column.name: empty_column(column) for column in self.columns})

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Time of the record before and number of records missing, of all channels of the stream."""
        return [gap for reader in self.readers.values() for gap in reader.gaps]

    @property
    def damage(self) -> list[dict[str, Any]]:
        """What could not be read."""
        return [damage.as_json() for reader in self.readers.values() for damage in reader.damages]

    def about(self) -> dict[str, str]:
        """What is known before the first record."""
        units = {column.name: column.unit for column in self.columns if column.unit}
        schemas = {name: r.schema for name, r in self.readers.items() if r.schema is not None}
        told = {"channel": self.name, "units": json.dumps(units, ensure_ascii=False)}
        if len(self.readers) == 1 and schemas:
            (schema,) = schemas.values()
            return told | {"schema": schema.text, "fingerprint": schema.fingerprint.hex()}
        prints = {name: schema.fingerprint.hex() for name, schema in schemas.items()}
        texts = {name: schema.text for name, schema in schemas.items()}
        return told | {"schema": json.dumps(texts), "fingerprint": json.dumps(prints)}


def make_streams(
    request: ExportRequest,
    readers: Mapping[str, Reader],
    chosen: Mapping[str, list[str] | None],
    check: Check,
    count: Callable[[int], None],
) -> list[Stream]:
    """The streams of a request; `count` is told the number of records that were read."""
    options = request.options
    streams = [_stream(name, reader, chosen[name], options, check, count) for name, reader in readers.items()]
    if options.align is None:
        return streams
    joined = [Joined(stream.name, stream.columns, iter(stream)) for stream in streams]
    columns = aligned_columns(joined, options.align, options.base_channel)
    tables = align(joined, options.align, base=options.base_channel, width_ns=options.base_width_ns)
    if options.decimation is not None:
        tables = decimate(tables, columns, options.decimation)
        columns = decimated_columns(columns, options.decimation.how)
    return [Stream(ALIGNED, columns, tables, readers)]


def _stream(
    name: str,
    reader: Reader,
    names: list[str] | None,
    options: Options,
    check: Check,
    count: Callable[[int], None],
) -> Stream:
    """One channel."""
    if reader.schema is None:
        return Stream(name, [], iter(()), {name: reader})
    columns = columns_of(reader.schema, names)

    def read() -> Iterator[Table]:
        for table in reader.batches(names, check):
            count(len(table))
            yield table

    if options.decimation is None or options.align is not None:
        schema = reader.schema if names is None and options.align is None else None
        return Stream(name, columns, read(), {name: reader}, schema)
    reduced = decimated_columns(columns, options.decimation.how)
    own = reader.schema if names is None and options.decimation.how == "every" else None
    return Stream(name, reduced, decimate(read(), columns, options.decimation), {name: reader}, own)
