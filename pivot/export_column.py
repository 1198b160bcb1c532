"""A column of an export: what its values are, beside the values."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from speeddata.schema import Schema
from speeddata.table import Array
from speeddata.tree import NUMBERS, Type

__all__ = ["DTYPES", "Column", "columns_of", "empty_column", "unique_names"]

DTYPES = {"int": np.int32, "long": np.int64, "float": np.float32, "double": np.float64, "boolean": np.bool_}


@dataclass(frozen=True)
class Column:
    """What a format is told of a column of values."""

    name: str
    kind: str  # Avro's word for its values, without null
    unit: str | None = None
    nullable: bool = False
    type: Type | None = None  # of its values, without null; None: what `kind` says is all
    reduced: str = "last"  # what a bucket of it became: mean, min, max, last

    @property
    def number(self) -> bool:
        """Whether its values are numbers."""
        return self.kind in NUMBERS


def columns_of(schema: Schema, names: Iterable[str] | None) -> list[Column]:
    """The columns of a channel but for its time: those named, or all."""
    wanted = None if names is None else set(names)
    return [
        Column(signal.name, signal.type, signal.unit, signal.nullable, _type(schema.record, signal.path))
        for signal in schema.signals
        if signal.name != schema.time and (wanted is None or signal.name in wanted)
    ]


def empty_column(column: Column) -> Array:
    """A column without rows."""
    dtype = DTYPES.get(column.kind)
    if dtype is None:
        return np.empty(0, object)
    if column.nullable and column.kind in ("int", "long", "boolean"):
        masked: Array = np.ma.MaskedArray(np.empty(0, dtype), np.empty(0, np.bool_))
        return masked
    return np.empty(0, dtype)


def unique_names(columns: Iterable[Column], taken: Iterable[str] = ("time",)) -> list[str]:
    """What each column is called beside the time: one that is called like it gets a `_`."""
    used, names = set(taken), []
    for column in columns:
        name = column.name
        while name in used:
            name += "_"
        used.add(name)
        names.append(name)
    return names


def _type(record: Type, path: tuple[str, ...]) -> Type:
    """The type of a signal's values, without null."""
    found = record
    for name in path:
        found = next(field.type for field in found.fields if field.name == name)
    return found.without_null()[0]
