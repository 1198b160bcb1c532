"""Arrow bodies of an ingest: an IPC stream, whose columns are signals of one channel."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds

from speeddata.pivot.body_arrow_sizes import unpacked_size
from speeddata.pivot.body_arrow_values import require_plain, written_out
from speeddata.pivot.ingest_batch import Columns, Part
from speeddata.pivot.ingest_options import IN_THE_URL
from speeddata.pivot.problem import Problem
from speeddata.table import Array
from speeddata.times import SCALES

__all__ = ["read_arrow"]

MAX_COLUMNS = 10_000
ALONE = pa.ipc.IpcReadOptions(use_threads=False)  # a batch is too small to be worth waking others
CHANNEL_KEY = b"speeddata.channel"  # in the metadata of a stream's schema
UNIT_KEY = b"unit"  # in that of a field, as exports and `Channel.to_arrow` write it
TIME = "time"


def read_arrow(data: bytes, channel: str | None, limit: int) -> list[Part]:
    """The part of a stream that takes at most `limit` bytes when unpacked."""
    try:
        if unpacked_size(data) > limit:
            raise _too_large(limit)
        with pa.ipc.open_stream(data, options=ALONE) as reader:
            metadata: Mapping[bytes, bytes] = reader.schema.metadata or {}
            if len(reader.schema) > MAX_COLUMNS:
                raise Problem(400, f"More than {MAX_COLUMNS} columns", field="body")
            require_plain(reader.schema)
            table = reader.read_all()
        table.validate(full=True)  # so that nothing reads beside the buffers of a stream that lies
        names = [str(name) for name in table.column_names]
    except (pa.ArrowException, ValueError, OSError, NotImplementedError) as error:
        raise Problem(400, f"The body is not an Arrow IPC stream: {str(error)[:300]}", field="body") from None
    if sum(map(written_out, table.columns)) > 2 * limit:
        raise _too_large(limit)
    name = channel or metadata.get(CHANNEL_KEY, b"").decode(errors="replace")
    if not name:
        raise Problem(400, "No channel is named", field="channel", wanted=IN_THE_URL)
    if len(set(names)) < len(names):
        raise Problem(400, "Two columns of the same name", field="body", columns=names[:20])
    columns = {n: _column(n, c) for n, c in zip(names, table.columns, strict=True)}
    return [Part(name, Columns(columns, _units(table.schema)))]


def _too_large(limit: int) -> Problem:
    return Problem(413, f"The columns are more than {limit} bytes when unpacked", limit=limit)


def _units(schema: pa.Schema) -> dict[str, str]:
    """The units of signals, which their fields' metadata tell."""
    told = {field.name: (field.metadata or {}).get(UNIT_KEY, b"") for field in schema if field.name != TIME}
    return {name: unit.decode(errors="replace") for name, unit in told.items() if unit}


def _column(name: str, column: "pa.ChunkedArray[Any]") -> Any:
    """A column as the array that encodes fastest, null masked; a list where it is of no plain type."""
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    type_ = column.type
    if kinds.is_integer(type_) or kinds.is_floating(type_) or kinds.is_boolean(type_):
        return _numbers(column)
    if kinds.is_timestamp(type_):
        return _timestamps(column)
    if kinds.is_fixed_size_list(type_) and kinds.is_primitive(type_.value_type) and not column.null_count:
        return _lists(column)
    try:
        return column.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):  # dates out of Python's range
        raise Problem(400, "A column that cannot be read", field=name[:200], type=str(type_)) from None


def _numbers(column: "pa.ChunkedArray[Any]") -> Array:
    if not column.null_count:
        values: Array = column.to_numpy()
        if values.dtype.kind == "f" and np.isnan(values).any():
            return np.ma.MaskedArray(values, np.zeros(len(values), bool))  # NaN is not null here
        return values
    nulls = column.is_null().to_numpy()
    filled = column.fill_null(False if kinds.is_boolean(column.type) else 0)
    return np.ma.MaskedArray(filled.to_numpy(), nulls)


def _timestamps(column: "pa.ChunkedArray[Any]") -> Array:
    """datetime64 of the column's own unit; NaT where null."""
    whole = _numbers(column.cast(pa.int64()))
    values = np.ma.getdata(whole)
    scale = SCALES[column.type.unit]
    fits = (values <= 2**63 // scale - 1) & (values >= -(2**63 // scale) + 1) & ~np.ma.getmaskarray(whole)
    times: Array = np.where(fits, values, 0).astype(np.int64) * scale
    return np.where(fits, times, np.iinfo(np.int64).min).view("datetime64[ns]")


def _lists(column: "pa.ChunkedArray[Any]") -> Any:
    width = column.type.list_size
    flat = pa.chunked_array([chunk.flatten() for chunk in column.chunks], column.type.value_type)
    if flat.null_count or not width or not kinds.is_floating(flat.type) and not kinds.is_integer(flat.type):
        return column.to_pylist()
    return flat.to_numpy().reshape(-1, width)
