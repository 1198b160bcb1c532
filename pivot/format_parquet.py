"""Writes one stream of an export as Parquet."""

import json
from collections.abc import Mapping

import pyarrow as pa
from pyarrow import parquet

from speeddata.pivot.export_arrow import arrow_schema, batch_of
from speeddata.pivot.export_options import Options
from speeddata.pivot.export_room import outcome
from speeddata.pivot.export_sink import Sink, table_rows
from speeddata.pivot.export_stream import Stream
from speeddata.regroup import pieces

__all__ = ["write"]

GROUP_ROWS = 1 << 17  # of a row group,
GROUP_BYTES = 1 << 23  # and about its largest size


def write(stream: Stream, sink: Sink, about: Mapping[str, str], options: Options) -> None:
    """Write a stream in row groups of equal size."""
    schema = arrow_schema(stream, dict(about))
    writer = parquet.ParquetWriter(sink, schema, compression=options.compression)
    with writer:
        for table in pieces(stream, lambda size: table_rows(size, GROUP_ROWS, GROUP_BYTES)):
            batch = batch_of(table, stream.columns, schema)
            writer.write_table(pa.Table.from_batches([batch]), row_group_size=GROUP_ROWS)
            sink.check()
        told = json.dumps(outcome(stream.records, stream.gaps, stream.damage))
        writer.add_key_value_metadata({"speeddata.outcome": told})
    sink.check()
