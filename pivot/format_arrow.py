"""Writes one stream of an export as an Arrow IPC file."""

from collections.abc import Mapping

from pyarrow import ipc

from speeddata.pivot.export_arrow import arrow_schema, batch_of
from speeddata.pivot.export_options import Options
from speeddata.pivot.export_room import Room, outcome
from speeddata.pivot.export_sink import Sink, table_rows
from speeddata.pivot.export_stream import Stream
from speeddata.regroup import pieces

__all__ = ["write"]


def write(stream: Stream, sink: Sink, about: Mapping[str, str], options: Options) -> None:
    """Write a stream; what is known at its end is told in the schema's metadata too."""
    room = Room()
    schema = arrow_schema(stream, {**about, "speeddata.outcome": room.text})
    compression = None if options.compression == "none" else options.compression
    with ipc.new_file(sink, schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        for table in pieces(stream, table_rows):
            writer.write_batch(batch_of(table, stream.columns, schema))
            sink.check()
    sink.check()
    room.fill(sink.fileno(), outcome(stream.records, stream.gaps, stream.damage))
