"""Hypothesis strategies: channel schemas of every Avro type, and records of them."""

import struct
from functools import cache
from itertools import count
from typing import Any

from hypothesis import strategies as st

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
NUMBERS = ("int", "long", "float", "double")
FLOATS = (float("nan"), -0.0, 5e-324, float("inf"), float("-inf"), 1.5)
# One value for each bit pattern: also NaNs with a payload, signalling ones and denormals.
FLOAT_BITS = st.integers(0, 2**32 - 1).map(lambda bits: struct.unpack("<f", struct.pack("<I", bits))[0])
DOUBLE_BITS = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
PRIMITIVE_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.sampled_from((0, -1, 63, 64, 2**31 - 1, -(2**31))) | st.integers(-(2**31), 2**31 - 1),
    "long": st.sampled_from((0, -1, 2**63 - 1, -(2**63))) | st.integers(-(2**63), 2**63 - 1),
    "float": st.sampled_from(FLOATS) | FLOAT_BITS,
    "double": st.sampled_from(FLOATS) | DOUBLE_BITS,
    "bytes": st.binary(max_size=20),
    "string": st.text(max_size=20) | st.text(st.characters(codec="ascii"), max_size=40),
}


@cache
def types(depth: int = 3) -> st.SearchStrategy[Any]:
    """Avro types as JSON; `depth` levels of nesting at most. Names are unique only after `named`."""
    leaf = st.sampled_from(PRIMITIVES) | st.builds(dict, type=st.sampled_from(NUMBERS))
    fixed = st.builds(lambda size: {"type": "fixed", "size": size}, st.integers(1, 12))
    enum = st.builds(
        lambda symbols: {"type": "enum", "symbols": symbols},
        st.lists(st.sampled_from("ABCDEFG"), min_size=1, unique=True),
    )
    if depth == 0:
        return leaf | fixed | enum
    below = types(depth - 1)
    return st.one_of(
        leaf,
        fixed,
        enum,
        st.sampled_from(NUMBERS).flatmap(lambda kind: st.permutations(["null", kind])),
        st.sampled_from(NUMBERS).map(lambda kind: {"type": "array", "items": kind}),
        below.map(lambda items: {"type": "array", "items": items}),
        below.map(lambda values: {"type": "map", "values": values}),
        st.lists(below, min_size=1, max_size=4, unique_by=_branch).filter(_is_union),
        st.lists(below, max_size=4).map(_record),
    )


@cache
def schemas(depth: int = 3) -> st.SearchStrategy[Any]:
    """Schemas that a channel can have: a record with a time, and now and then a sequence."""
    time = st.sampled_from(NUMBERS).flatmap(
        lambda kind: st.sampled_from((kind, ["null", kind], [kind, "null"], {"type": kind}))
    )
    sequence = st.none() | st.sampled_from(("int", "long"))
    return st.builds(_schema, time, sequence, st.lists(types(depth), max_size=5), st.integers(0, 5))


def records(schema: Any) -> st.SearchStrategy[Any]:
    """Values of a type as `twin.write` takes them: a union's value is (branch number, value)."""
    if isinstance(schema, list):
        return st.integers(0, len(schema) - 1).flatmap(lambda i: st.tuples(st.just(i), records(schema[i])))
    kind = _kind(schema)
    if kind in PRIMITIVES:
        return PRIMITIVE_VALUES[kind]
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "array":
        return st.lists(records(schema["items"]), max_size=4)
    if kind == "map":
        return st.dictionaries(st.text(max_size=4), records(schema["values"]), max_size=3)
    return st.fixed_dictionaries({field["name"]: records(field["type"]) for field in schema["fields"]})


def _kind(type_: Any) -> str:
    return "union" if isinstance(type_, list) else type_ if isinstance(type_, str) else type_["type"]


def _branch(type_: Any) -> Any:
    kind = _kind(type_)
    return id(type_) if kind in ("record", "enum", "fixed") else kind  # they will have names of their own


def _is_union(branches: list[Any]) -> bool:
    return all(not isinstance(branch, list) for branch in branches)


def _record(fields: list[Any]) -> Any:
    return {"type": "record", "fields": [{"name": f"f{i}", "type": type_} for i, type_ in enumerate(fields)]}


def _schema(time: Any, sequence: str | None, rest: list[Any], place: int) -> Any:
    fields: list[Any] = [{"name": f"s{i}", "type": type_} for i, type_ in enumerate(rest)]
    fields.insert(place, {"name": "time", "type": time})
    if sequence:
        fields.insert(
            2 * place % len(fields), {"name": "n", "type": sequence, "speeddata": {"role": "sequence"}}
        )
    return _named({"type": "record", "fields": fields}, count())


def _named(type_: Any, numbers: Any) -> Any:
    """Give every record, enum and fixed a name of its own."""
    if isinstance(type_, list):
        return [_named(branch, numbers) for branch in type_]
    if isinstance(type_, str):
        return type_
    made = dict(type_)
    if made["type"] in ("record", "enum", "fixed"):
        made["name"] = f"N{next(numbers)}"
    for key in ("items", "values"):
        if key in made:
            made[key] = _named(made[key], numbers)
    if "fields" in made:
        made["fields"] = [field | {"type": _named(field["type"], numbers)} for field in made["fields"]]
    return made
