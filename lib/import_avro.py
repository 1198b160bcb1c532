"""Avro container files to be imported: segments, and others whose records have a time."""

import json
from collections.abc import Iterator
from pathlib import Path

from speeddata.errors import ArchiveError, FormatError
from speeddata.import_options import ImportOptions
from speeddata.import_tables import Kind, TableFile
from speeddata.reader import Reader
from speeddata.segment import Segment
from speeddata.segment_names import is_segment_name
from speeddata.table import Table

__all__ = ["open_avro"]


def open_avro(path: Path, options: ImportOptions) -> TableFile:
    """Open a file; a new channel has its very schema."""
    if options.time_column or options.time_unit:
        raise FormatError("the time of an Avro file is told by its schema")
    try:
        segment = Segment(path, follow=True)
    except (ArchiveError, OSError) as error:
        raise FormatError(f"{path}: {error}") from None
    schema = segment.head.plan.schema
    kinds = {}
    for signal in schema.signals:
        if signal.name != schema.time:
            kinds[signal.name] = Kind(signal.type, unit=signal.unit or "")
    # A segment where its relay has put it belongs to that channel; any other file is called what the user called it.
    own = segment.head.channel and is_segment_name(segment.head.channel, path.name)
    name = segment.head.channel if own else path.stem
    file = TableFile(name, {"format": "Avro", "codec": segment.head.codec}, kinds, 0, lambda: iter(()))
    file.schema = json.loads(schema.text)
    simple = all(
        kind.type in ("double", "float", "long", "int", "boolean", "string") for kind in kinds.values()
    )
    if not simple and (options.columns or options.without or options.by):
        segment.close()
        raise FormatError(
            f"{path} has signals that are not numbers, booleans or text: it is imported as a whole"
        )

    def tables() -> Iterator[tuple[str, Table]]:
        with Segment(path, follow=True) as again, Reader([again]) as reader:
            file.total = reader.count
            for table in reader.batches():
                yield "", table
            for damage in reader.damages:
                if (note := str(damage)) not in file.notes:
                    file.notes.append(note)

    file.tables = tables
    file.about["time"] = repr(schema.time)
    file.about["time unit"] = segment.head.time_unit or "by its magnitude"
    segment.close()
    return file
