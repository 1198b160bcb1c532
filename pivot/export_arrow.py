"""Tables as Arrow record batches, for the formats that pyarrow writes.

Nulls are nulls; a NaN stays NaN. Arrays are lists, maps maps; a union of other than null and one type is JSON text.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from speeddata.numeric import NULL_BITS
from speeddata.pivot.arrow_types import PLAIN, json_text
from speeddata.pivot.export_column import Column, unique_names
from speeddata.pivot.export_stream import Stream
from speeddata.table import Array, Table
from speeddata.tree import Type

__all__ = ["arrow_schema", "as_array", "batch_of"]

KINDS = PLAIN | {"null": pa.string()}
TIME = pa.timestamp("ns", "UTC")


def arrow_schema(stream: Stream, metadata: dict[str, str]) -> pa.Schema:
    """The schema of a stream: the time, then its columns, each with its unit."""
    fields = [pa.field("time", TIME, nullable=False)]
    for name, column in zip(unique_names(stream.columns), stream.columns, strict=True):
        unit = {"unit": column.unit} if column.unit else None
        fields.append(pa.field(name, arrow_type(column), metadata=unit))
    return pa.schema(fields, metadata={key: value.encode() for key, value in metadata.items()})


def arrow_type(column: Column) -> Any:
    """The type of a column."""
    if column.type is not None and column.kind not in KINDS:
        return _type(column.type)
    return KINDS.get(column.kind, pa.string())


def _type(type_: Type) -> Any:
    value, _ = type_.without_null()
    if value.kind in KINDS:
        return KINDS[value.kind]
    if _is_json(value):
        return pa.string()
    if value.kind == "array":
        return pa.list_(_type(value.inner[0]))
    if value.kind == "map":
        return pa.map_(pa.string(), _type(value.inner[0]))
    return pa.struct([pa.field(field.name, _type(field.type)) for field in value.fields])


def _is_json(type_: Type) -> bool:
    """Whether there is a union in it that no Arrow type of ours can hold."""
    value, _ = type_.without_null()
    return value.kind == "union" or any(map(_is_json, [*value.inner, *(f.type for f in value.fields)]))


def batch_of(table: Table, columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    """A table as a batch of a schema that `arrow_schema` gave."""
    arrays = [pa.array(table.time_ns, pa.int64()).cast(TIME)]
    for column, field in zip(columns, list(schema)[1:], strict=True):
        arrays.append(as_array(table.columns[column.name], column, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def as_array(values: Array, column: Column, type_: Any) -> Any:
    """A column as an Arrow array of a type."""
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(np.ascontiguousarray(values.data), type_, mask=np.ma.getmaskarray(values))
    if values.dtype == object:
        if column.type is not None and pa.types.is_string(type_) and column.kind not in KINDS:
            return pa.array([json_text(value) for value in values], type_)
        return pa.array(list(values), type_)
    if values.ndim > 1:
        offsets = pa.array(np.arange(0, values.size + 1, values.shape[1] or 1)[: len(values) + 1], pa.int32())
        if not values.shape[1]:
            offsets = pa.array(np.zeros(len(values) + 1, np.int32))
        items = pa.array(np.ascontiguousarray(values).reshape(-1)).cast(type_.value_type)
        return pa.ListArray.from_arrays(offsets, items, type=type_)
    values = np.ascontiguousarray(values)
    if column.nullable and column.kind in NULL_BITS and values.dtype.kind == "f":
        bits = NULL_BITS["float" if values.dtype.itemsize == 4 else "double"]
        nulls = values.view(bits.dtype) == bits
        if nulls.any():
            return pa.array(values, mask=nulls).cast(type_)
    return pa.array(values).cast(type_)
