"""Writes one stream of an export as CSV: RFC 4180, UTF-8, lines that end in CR LF, a line of names first.

Null is an empty cell, an empty text `""`; NaN and infinities are `nan`, `inf`, `-inf`. A text that a spreadsheet would take
for a formula has a ' before it.
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa
from pyarrow import csv

from speeddata.pivot.export_arrow import arrow_type, as_array
from speeddata.pivot.export_column import Column, unique_names
from speeddata.pivot.export_options import Options
from speeddata.pivot.export_sink import Sink, table_rows
from speeddata.pivot.export_stream import Stream
from speeddata.pivot.export_text import cell, compressed, time_text
from speeddata.pivot.spreadsheet import plain_texts
from speeddata.regroup import pieces
from speeddata.table import Table

__all__ = ["write"]

ROWS = 1 << 14  # that pyarrow makes text of at a time


def write(stream: Stream, sink: Sink, about: Mapping[str, str], options: Options) -> None:
    """Write a stream."""
    del about  # there is no place for it
    names = titles(stream.columns, options.header, options.time)
    written = csv.WriteOptions(eol="\r\n", batch_size=ROWS, quoting_style="needed")
    with compressed(sink, options.compression) as out:
        first = batch(stream.empty, stream.columns, names, options.time)
        with csv.CSVWriter(out, first.schema, write_options=written) as writer:
            for table in pieces(stream, table_rows):
                writer.write_batch(batch(table, stream.columns, names, options.time))
                sink.check()
    sink.check()


def titles(columns: Sequence[Column], header: str, time: str) -> list[str]:
    """What stands above each column; with units as in `voltage [V]`."""
    names = ["time", *unique_names(columns)]
    units = [None if time == "iso" else time, *(column.unit for column in columns)]
    if header == "units":
        names = [f"{name} [{unit}]" if unit else name for name, unit in zip(names, units, strict=True)]
    return plain_texts(pa.array(names)).to_pylist()  # type: ignore[no-any-return]


def batch(table: Table, columns: Sequence[Column], names: Sequence[str], time: str) -> pa.RecordBatch:
    arrays = [pa.array(table.time_ns) if time == "ns" else time_text(table.time_ns, time)]
    if time == "s":  # written without quotes, like a number
        arrays = [arrays[0].cast(pa.decimal128(19, 9))]
    for column in columns:
        arrays.append(cell(as_array(table.columns[column.name], column, arrow_type(column))))
    return pa.RecordBatch.from_arrays(arrays, names=list(names))
