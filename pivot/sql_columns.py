"""A channel's signals as Arrow columns: types from the schema, values from the reader's arrays."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from speeddata.pivot.arrow_types import PLAIN, json_text
from speeddata.schema import Schema, Signal
from speeddata.table import Array
from speeddata.tree import Type

__all__ = ["Column", "columns_of", "to_arrow"]


@dataclass(frozen=True)
class Column:
    """A signal under the name that it has in SQL."""

    name: str
    signal: str
    type: pa.DataType
    json: bool  # values that are shown as JSON text: maps, unions, arrays of such


def columns_of(schema: Schema, taken: tuple[str, ...]) -> list[Column]:
    """The columns of a channel besides its time.

    Names are told apart without regard to case, and none is one of `taken`: `_` is added until it is free.
    """
    used = {name.lower() for name in taken}
    columns = []
    for signal in schema.signals:
        if signal.name == schema.time:
            continue
        name = signal.name
        while name.lower() in used:
            name += "_"
        used.add(name.lower())
        type_ = _arrow_type(_type_of(schema, signal))
        columns.append(Column(name, signal.name, type_ or pa.string(), type_ is None))
    return columns


def _type_of(schema: Schema, signal: Signal) -> Type:
    found = schema.record
    for name in signal.path:
        found = next(field.type for field in found.fields if field.name == name)
    return found.without_null()[0]


def _arrow_type(type_: Type) -> pa.DataType | None:
    """The type of a signal's column; None where it is JSON text."""
    if type_.kind == "array":
        item = PLAIN.get(type_.inner[0].without_null()[0].kind)
        return None if item is None else pa.list_(item)
    return PLAIN.get(type_.kind)


def to_arrow(values: Array, column: Column) -> pa.Array:
    """The values of a signal as Arrow has them. NaN becomes null, as in all that is computed of signals."""
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, column.type, mask=np.ma.getmaskarray(values))
    if column.json:
        return pa.array([json_text(value) for value in values], pa.string())
    if values.ndim == 2:
        offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
        flat = pa.array(np.ascontiguousarray(values).reshape(-1), column.type.value_type, from_pandas=True)
        return pa.ListArray.from_arrays(offsets, flat, type=column.type)
    if values.dtype == object:
        return pa.array(values.tolist(), column.type, from_pandas=True)
    return pa.array(values, column.type, from_pandas=True)
