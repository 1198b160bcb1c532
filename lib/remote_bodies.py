"""What is ingested, as bodies of requests: rows as JSON, columns, data frames, tables and channels as Arrow."""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from speeddata.channel import Channel
from speeddata.set_frames import to_arrow
from speeddata.set_times import stamp_of
from speeddata.times import format_time

__all__ = ["Body", "bodies_of"]

ARROW = "application/vnd.apache.arrow.stream"
PART = 8 << 20  # bytes of a body, about
ROWS = 10_000  # of JSON


@dataclass(frozen=True)
class Body:
    """One request's worth of records."""

    data: bytes
    content_type: str
    records: int


def bodies_of(data: Any, channel: str | None) -> tuple[str | None, Iterator[Body]]:
    """The channel (where the data name it), and the bodies, each of one batch."""
    if isinstance(data, Channel):
        return channel or data.name, _of_table(to_arrow(data))
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if isinstance(data, pa.Table):
        about = data.schema.metadata or {}
        return channel or about.get(b"channel", b"").decode() or None, _of_table(data)
    if hasattr(data, "to_arrow"):  # of polars
        return channel, _of_table(data.to_arrow())
    if hasattr(data, "columns") and hasattr(data, "iloc"):  # of pandas
        frame = data if "time" in data.columns else data.reset_index(names="time")
        return channel or data.attrs.get("name"), _of_table(pa.Table.from_pandas(frame, preserve_index=False))
    if isinstance(data, Mapping):
        return channel, _of_columns(data)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return channel, _of_rows(data)
    raise TypeError(
        f"cannot ingest {type(data).__name__}, wanted a list of dicts, a dict of columns, a data frame, a pyarrow.Table "
        "or a Channel"
    )


def _of_table(table: Any) -> Iterator[Body]:
    table = table.combine_chunks()
    rows = max(1, min(len(table), int(PART / max(1, table.nbytes / max(1, len(table))))))
    for first in range(0, len(table), rows):
        part = table.slice(first, rows)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, part.schema) as writer:
            writer.write_table(part)
        yield Body(sink.getvalue().to_pybytes(), ARROW, len(part))


def _of_columns(columns: Mapping[str, Any]) -> Iterator[Body]:
    """Arrays go as Arrow, so that no value is written as text; lists as they are."""
    arrays = {
        name: np.ma.asarray(column) if np.ma.is_masked(column) else np.asarray(column)
        for name, column in columns.items()
    }
    lengths = {name: len(column) if column.ndim else None for name, column in arrays.items()}
    if len(set(lengths.values())) > 1 or None in lengths.values():
        raise ValueError(f"columns of different lengths: {lengths}")
    if all(column.dtype.kind in "iufbM" and column.ndim == 1 for column in arrays.values()):
        made = {
            name: pa.array(np.ma.getdata(column), mask=np.ma.getmaskarray(column))
            for name, column in arrays.items()
        }
        yield from _of_table(pa.table(made))
        return
    count = next(iter(lengths.values()), 0) or 0
    for first in range(0, count, ROWS):
        part = {name: list(column[first : first + ROWS]) for name, column in columns.items()}
        yield Body(_json({"columns": part}), "application/json", min(ROWS, count - first))


def _of_rows(rows: Sequence[Any]) -> Iterator[Body]:
    for first in range(0, len(rows), ROWS):
        part = list(rows[first : first + ROWS])
        yield Body(_json({"rows": part}), "application/json", len(part))


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_plain).encode()


def _plain(value: Any) -> Any:
    """What JSON has not: times as ISO 8601, values of numpy as numbers."""
    if isinstance(value, datetime.datetime | np.datetime64):
        return format_time(stamp_of(value))
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"cannot ingest the value {value!r}, wanted numbers, text, booleans, None or times")
