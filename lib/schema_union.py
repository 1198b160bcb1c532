"""The union of the versions of a channel's schema: one schema that has all their signals, and columns brought to it.

What a version does not have is null. A signal whose type has changed has one that holds both: the wider of two numbers,
text of two enums, else a union of the two.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from speeddata.errors import SchemaError
from speeddata.schema import Schema, Signal
from speeddata.table import Array

__all__ = ["bring_to", "same_records", "union_of"]

WIDTH = {"int": 0, "long": 1, "float": 2, "double": 3}
DTYPES = {"int": np.int32, "long": np.int64, "float": np.float32, "double": np.float64, "boolean": np.bool_}
NAMED = ("record", "error", "enum", "fixed")
Json = Any


def same_records(a: Schema, b: Schema) -> bool:
    """Whether records of two schemas have the same columns."""
    return a is b or (a.fingerprint, a.time, a.sequence, a.signals) == (
        b.fingerprint,
        b.time,
        b.sequence,
        b.signals,
    )


def union_of(versions: Sequence[Schema]) -> Schema:
    """A schema with the signals of all versions, the newest last, which has the say in everything else.

    SchemaError where there is none, such as one that would be too large.
    """
    newest = versions[-1]
    if all(same_records(version, newest) for version in versions):
        return newest
    merged = _inlined(newest.json, {}, "")
    for version in reversed(versions[:-1]):
        if not same_records(version, newest):
            other = _inlined(version.json, {}, "")
            if version.time != newest.time:
                other["fields"] = [field for field in other["fields"] if field["name"] != version.time]
            merged = _merge_records(merged, other, newest.time)
    return Schema.parse(_named_once(merged, {}), time_unit=newest.time_unit)


def bring_to(
    union: Iterable[Signal], version: Schema, columns: Mapping[str, Array], rows: int
) -> dict[str, Array]:
    """Columns decoded by one version as those of the union have it; what it does not have is null."""
    types = {signal.name: signal for signal in version.signals}
    made = {}
    for signal in union:
        old = types.get(signal.name)
        if old is None or signal.name not in columns:
            made[signal.name] = _nulls(signal.type, rows)
        elif (old.type, old.nullable) == (signal.type, signal.nullable):
            made[signal.name] = columns[signal.name]
        else:
            made[signal.name] = _converted(signal, columns[signal.name])
    return made


def _nulls(kind: str, rows: int) -> Array:
    dtype = DTYPES.get(kind)
    if dtype is None:
        return np.empty(rows, np.object_)
    if dtype in (np.float32, np.float64):
        return np.full(rows, np.nan, dtype)
    masked: Array = np.ma.MaskedArray(np.zeros(rows, dtype), mask=np.ones(rows, np.bool_))
    return masked


def _converted(signal: Signal, column: Array) -> Array:
    dtype = DTYPES.get(signal.type)
    if dtype is None:
        out = np.empty(len(column), np.object_)
        out[:] = column.tolist() if column.ndim == 1 else list(column)  # None for what is masked
        return out
    mask = np.ma.getmaskarray(column)
    values: Array = np.ma.getdata(column).astype(dtype)
    if values.dtype.kind == "f":
        if mask.any():
            values[mask] = np.nan
        return values
    if signal.nullable:
        masked: Array = np.ma.MaskedArray(values, mask=mask)
        return masked
    return values


def _merge_records(new: Json, old: Json, time: str = "") -> Json:
    """The fields of both, those of the newer first; what only one has is nullable, but the time."""
    before = {field["name"]: field for field in old["fields"]}
    fields = []
    for field in new["fields"]:
        other = before.pop(field["name"], None)
        if field["name"] == time:
            fields.append(field)
        elif other is None:
            fields.append(_nullable_field(field))
        else:
            fields.append(field | {"type": _merge(field["type"], other["type"])})
            if fields[-1]["type"] != field["type"]:
                fields[-1].pop("default", None)
    return new | {"fields": fields + [_nullable_field(_without_role(field)) for field in before.values()]}


def _without_role(field: Json) -> Json:
    """A field that has no say in what is the time or the number of a record."""
    about = field.get("speeddata")
    if not isinstance(about, dict) or "role" not in about:
        return field
    return field | {"speeddata": {key: value for key, value in about.items() if key != "role"}}


def _nullable_field(field: Json) -> Json:
    """A field that may be null; of a record all fields may."""
    if _kind(field["type"]) == "record":
        inner = field["type"]
        return field | {"type": inner | {"fields": [_nullable_field(one) for one in inner["fields"]]}}
    return {key: value for key, value in field.items() if key != "default"} | {
        "type": _union([{"type": "null"}, *_branches(field["type"])])
    }


def _merge(new: Json, old: Json) -> Json:
    if _plain(new) == _plain(old):
        return new
    if _kind(new) == _kind(old) == "record":
        return _merge_records(new, old)
    if _kind(new) == _kind(old) == "array":
        return new | {"items": _merge(new["items"], old["items"])}
    branches = {_kind(one): one for one in _branches(old)}
    for one in _branches(new):
        kind = _kind(one)
        same = branches.pop(kind, None)
        if kind == "enum" and same is not None and _plain(same) != _plain(one):
            kind, one = "string", {"type": "string"}
        elif kind in ("record", "array", "map", "fixed") and same is not None and _plain(same) != _plain(one):
            raise SchemaError(f"two versions have different {kind}s in one place")
        branches[kind] = one
    numbers = sorted(branches.keys() & WIDTH.keys(), key=lambda kind: WIDTH[kind])
    if len(numbers) > 1:
        widest = "double" if numbers != ["int", "long"] else "long"
        kept = branches.get(widest, {"type": widest})
        branches = {kind: one for kind, one in branches.items() if kind not in numbers} | {widest: kept}
    if "string" in branches:
        branches.pop("enum", None)
    return _union(list(branches.values()))


def _union(branches: list[Json]) -> Json:
    """A union of types, null first; the type itself where there is but one."""
    by_kind = {_kind(one): one for one in branches}
    ordered = sorted(by_kind.values(), key=lambda one: _kind(one) != "null")
    return ordered[0] if len(ordered) == 1 else ordered


def _branches(type_: Json) -> list[Json]:
    return type_ if isinstance(type_, list) else [type_]


def _kind(type_: Json) -> str:
    if isinstance(type_, list):
        return "union"
    kind = type_["type"]
    return kind if isinstance(kind, str) else _kind(kind)


def _plain(type_: Json) -> str:
    """What two types that are the same have in common."""
    return json.dumps(type_, sort_keys=True)


def _inlined(type_: Json, known: dict[str, Json], space: str) -> Json:
    """A type with every use of a name replaced by what it stands for, and all types as objects."""
    if isinstance(type_, str):
        full = type_ if "." in type_ else f"{space}.{type_}" if space else type_
        if full in known or type_ in known:
            return known.get(full) or known[type_]
        return {"type": type_}
    if isinstance(type_, list):
        return [_inlined(one, known, space) for one in type_]
    kind = type_["type"]
    if kind not in NAMED:
        if isinstance(kind, dict | list) and set(type_) == {"type"}:
            return _inlined(kind, known, space)
        below = {key: _inlined(type_[key], known, space) for key in ("items", "values") if key in type_}
        if isinstance(kind, dict):
            return _inlined(kind, known, space) | {k: v for k, v in type_.items() if k != "type"} | below
        return type_ | below
    name = type_["name"]
    full = name if "." in name else f"{type_.get('namespace', space)}.{name}".lstrip(".")
    made = type_ | {"name": full}
    made.pop("namespace", None)
    if "fields" in type_:
        inner = full.rpartition(".")[0]
        made["fields"] = [
            field | {"type": _inlined(field["type"], known, inner)} for field in type_["fields"]
        ]
    known[full] = made
    return made


def _named_once(type_: Json, given: dict[str, str]) -> Json:
    """A type in which each name is defined once: a second definition refers to the first, or has another name."""
    if isinstance(type_, list):
        return [_named_once(one, given) for one in type_]
    if not isinstance(type_, dict):
        return type_
    kind = type_["type"]
    if kind in NAMED:
        said, name = _plain(type_), type_["name"]
        number = 1
        while given.get(name, said) != said:
            number += 1
            name = f"{type_['name']}_{number}"
        if name in given:
            return name
        given[name] = said
        type_ = type_ | {"name": name}
    made = type_ | {key: _named_once(type_[key], given) for key in ("items", "values") if key in type_}
    if "fields" in made:
        made["fields"] = [field | {"type": _named_once(field["type"], given)} for field in made["fields"]]
    return made
