"""Writes one stream of an export as JSON lines: an object a record, null for null, NaN and infinities."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from speeddata.pivot.export_arrow import arrow_type, as_array
from speeddata.pivot.export_column import Column, unique_names
from speeddata.pivot.export_options import Options
from speeddata.pivot.export_sink import Sink, table_rows
from speeddata.pivot.export_stream import Stream
from speeddata.pivot.export_text import compressed, json_value, time_text
from speeddata.regroup import pieces
from speeddata.table import Table

__all__ = ["write"]


def write(stream: Stream, sink: Sink, about: Mapping[str, str], options: Options) -> None:
    """Write a stream."""
    del about  # there is no place for it
    names = unique_names(stream.columns)
    with compressed(sink, options.compression) as out:
        for table in pieces(stream, table_rows):
            out.write(lines(table, stream.columns, names, options.time))
            sink.check()
    sink.check()


def lines(table: Table, columns: Sequence[Column], names: Sequence[str], time: str) -> memoryview:
    """The lines of a table, made by joining columns of text."""
    quote = '"' if time == "iso" else ""
    parts: list[Any] = [f'{{"time":{quote}', time_text(table.time_ns, time)]
    after = quote
    for name, column in zip(names, columns, strict=True):
        parts.append(f"{after},{orjson.dumps(name).decode()}:")
        parts.append(json_value(as_array(table.columns[column.name], column, arrow_type(column))))
        after = ""
    joined = pc.binary_join_element_wise(*parts, f"{after}}}\n", "")
    assert isinstance(joined, pa.StringArray)
    offsets, data = joined.buffers()[1:]
    ends = memoryview(offsets).cast("i")
    return memoryview(data)[ends[joined.offset] : ends[joined.offset + len(joined)]]
