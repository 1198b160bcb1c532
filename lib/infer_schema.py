"""The schema of a channel that there is not yet, inferred from the first rows or columns that are to go there.

Whole numbers become long, and double where the same signal has others too; a value that is missing or null in some row
makes its signal nullable; numbers and text in one signal become a union of both; objects become nested records, lists of
numbers arrays. The time keeps the form in which it came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from speeddata.errors import SchemaError
from speeddata.schema import TIMESTAMPS, record_name
from speeddata.times import unit_of
from speeddata.tree import MAX_DEPTH, MAX_FIELDS, NAME

__all__ = ["Inferred", "infer_columns", "infer_rows"]

TIME = "time"
MIXED = ["number", "string"]  # the kinds that one signal may have, as a union
Column: TypeAlias = "Sequence[Any] | np.ndarray[Any, Any]"


@dataclass(frozen=True)
class Inferred:
    """A schema, and the unit of its time where the schema itself cannot state it."""

    schema: dict[str, Any]
    time_unit: str | None


def infer_rows(
    rows: Sequence[Any], name: str, time_unit: str | None = None, beside: str | None = None
) -> Inferred:
    """Infer from objects; the key `beside` is no signal. SchemaError names the field."""
    seen = _Seen(MAX_DEPTH - 1)
    for row in rows:
        if not isinstance(row, Mapping):
            raise SchemaError(f"a row is an object with a value for each signal, not {type(row).__name__}")
        seen.add_object({key: value for key, value in row.items() if key != beside})
    return _inferred(seen, name, time_unit)


def infer_columns(
    columns: Mapping[str, Column],
    name: str,
    time_unit: str | None = None,
    measures: Mapping[str, str] | None = None,
) -> Inferred:
    """Infer from columns by the names of the signals: lists, or arrays (datetime64 among them). SchemaError names the field.

    `measures` are units of signals, as far as they are told.
    """
    seen = _Seen(MAX_DEPTH - 1)
    seen.objects = max((len(column) for column in columns.values()), default=0)
    for path, column in columns.items():
        below = seen
        *above, last = str(path).split(".")
        for part in above:
            below = below.field(part)
            below.count = below.objects = seen.objects
        field = below.field(last)
        field.measure = (measures or {}).get(path, "")
        _add_column(field, column)
    return _inferred(seen, name, time_unit)


@dataclass
class _Seen:
    """What values of one field there were."""

    depth: int  # levels that may still be below
    count: int = 0
    nulls: bool = False
    flags: bool = False
    texts: bool = False
    blobs: bool = False
    objects: int = 0
    lists: bool = False
    number: str = ""  # the widest so far, in the order of WIDER
    first: float = 0  # the first number over 0
    unit: str | None = None  # of datetime64
    measure: str = ""  # the unit of what is measured, where that is told
    fields: dict[str, "_Seen"] = field(default_factory=dict)
    items: "_Seen | None" = None

    def field(self, name: str) -> "_Seen":
        """What was seen of a field of these objects."""
        if name not in self.fields:
            if not NAME.fullmatch(name):
                raise SchemaError(
                    "not a name that a signal can have: letters, digits and _, no digit first", name[:200]
                )
            if len(self.fields) >= MAX_FIELDS or not self.depth:
                raise SchemaError(f"more than {MAX_FIELDS} fields, or {MAX_DEPTH} levels", name)
            self.fields[name] = _Seen(self.depth - 1)
        return self.fields[name]

    def add_object(self, value: Mapping[str, Any]) -> None:
        self.objects += 1
        for name, inner in _nested(value).items():
            self.field(name).add(inner)

    def add(self, value: Any) -> None:
        self.count += 1
        if value is None:
            self.nulls = True
        elif isinstance(value, bool):
            self.flags = True
        elif isinstance(value, int):
            self.add_number("long", value)
        elif isinstance(value, float):
            self.add_number("double", value)
        elif isinstance(value, str):
            self.texts = True
        elif isinstance(value, bytes):
            self.blobs = True
        elif isinstance(value, Mapping):
            self.add_object(value)
        elif isinstance(value, list | tuple | np.ndarray):
            self.add_list(value)
        else:
            self.add(value.item() if isinstance(value, np.generic) else str(value))

    def add_list(self, value: Any) -> None:
        self.lists = True
        if self.items is None:
            if not self.depth:
                raise SchemaError(f"more than {MAX_DEPTH} levels")
            self.items = _Seen(self.depth - 1)
        for item in value:
            self.items.add(item)

    def add_number(self, kind: str, first: float) -> None:
        if not self.first and first > 0:
            self.first = first
        if not self.number or kind == self.number:
            self.number = kind
        elif {kind, self.number} == {"int", "long"}:
            self.number = "long"
        else:
            self.number = "double"

    def type(self, path: str, rows: int) -> Any:
        """The Avro type of the field, which `rows` objects might have had."""
        kinds = [
            name
            for name, found in (
                ("boolean", self.flags),
                ("number", self.number),
                ("string", self.texts),
                ("bytes", self.blobs),
                ("record", self.objects),
                ("array", self.lists),
            )
            if found
        ]
        branches = [self._type(kind, path) for kind in kinds or [""]]
        if len(kinds) > 1 and (kinds != MIXED or path == TIME):
            raise SchemaError(
                f"values of different kinds: {', '.join(kinds)}; a signal has one, or numbers and text", path
            )
        if not kinds or ((self.nulls or self.count < rows) and kinds[0] != "record"):
            branches.insert(0, "null")
        return branches if len(branches) > 1 else branches[0]

    def _type(self, kind: str, path: str) -> Any:
        if kind == "number":
            return self.number
        if kind == "record":
            return _record(self, path.replace(".", "_"), path)
        if kind == "array":
            return {"type": "array", "items": self._items(path)}
        return kind or "double"  # of a signal that was null all the time nothing is known

    def _items(self, path: str) -> Any:
        assert self.items is not None
        if not self.items.count:
            return "double"
        items = self.items.type(path, self.items.count)
        if items not in ("int", "long", "float", "double"):
            raise SchemaError(
                "a list of anything but numbers; register the channel with a schema first", path
            )
        return items


def _nested(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object whose dotted names are objects in it."""
    if not any("." in name for name in value):
        return value
    out: dict[str, Any] = {}
    for name, inner in value.items():
        head, dot, rest = name.partition(".")
        if not dot:
            out[name] = inner
            continue
        below = out.setdefault(head, {})
        if not isinstance(below, dict):
            raise SchemaError("a value, and a record of others", head[:200])
        below[rest] = inner
    return out


def _record(seen: _Seen, name: str, path: str) -> dict[str, Any]:
    prefix = f"{path}." if path else ""
    fields: list[dict[str, Any]] = []
    for key, below in seen.fields.items():
        entry = {"name": key, "type": below.type(f"{prefix}{key}", seen.objects)}
        fields.append({**entry, "speeddata": {"unit": below.measure}} if below.measure else entry)
    return {"type": "record", "name": name, "fields": fields}


def _inferred(seen: _Seen, name: str, time_unit: str | None) -> Inferred:
    if not seen.objects:
        raise SchemaError("there are no rows that a schema could be inferred from")
    time = seen.fields.get(TIME)
    if time is None or not time.count:
        raise SchemaError("the rows have no time", TIME)
    schema = _record(seen, record_name(name), "")
    entry = next(entry for entry in schema["fields"] if entry["name"] == TIME)
    entry["type"], unit = _time_type(time, entry["type"], time_unit)
    schema["fields"].sort(key=lambda field: field["name"] != TIME)
    return Inferred(schema, unit)


def _time_type(time: _Seen, found: Any, stated: str | None) -> tuple[Any, str | None]:
    """The type of the time, and its unit where the type cannot say it."""
    if isinstance(found, list):
        raise SchemaError("missing in some rows; each row needs its time", TIME)
    if time.unit is not None or found == "string":
        return {"type": "long", "logicalType": TIMESTAMPS[time.unit or "ns"]}, None
    if found not in ("int", "long", "float", "double"):
        raise SchemaError("a time is a number, or ISO 8601 text", TIME)
    unit = stated or unit_of(time.first)
    if found in ("int", "long") and unit in TIMESTAMPS:
        return {"type": "long", "logicalType": TIMESTAMPS[unit]}, None
    return ("long" if found == "int" else "double" if found == "float" else found), unit


def _add_column(seen: _Seen, column: Column) -> None:
    if not isinstance(column, np.ndarray) or column.dtype == object:
        for value in column:
            seen.add(None if value is np.ma.masked else value)
        return
    mask = np.ma.getmaskarray(column)
    values = np.ma.getdata(column)
    seen.count = len(column)
    seen.nulls = bool(mask.any())
    if values.ndim > 1:
        seen.lists = True
        seen.items = _Seen(seen.depth)
        values = values.reshape(-1)
        seen, mask = seen.items, np.zeros(len(values), bool)
        seen.count = len(values)
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "M":
        seen.unit = "ns"
        seen.number = "long"
    elif kind == "b":
        seen.flags = True
    elif kind in "iuf":
        over = values[~mask & (values > 0)][:1]
        small = size < 4 or (size == 4 and kind != "u")
        number = ("float" if small else "double") if kind == "f" else ("int" if small else "long")
        seen.add_number(number, over[0].item() if len(over) else 0)
    else:
        raise SchemaError(f"a column of {values.dtype}, which no signal can have")
