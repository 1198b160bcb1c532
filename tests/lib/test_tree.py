"""The tree of types: sizes, counts, and named types used twice. What is refused is in test_schema."""

from typing import Any

import fastavro
from hypothesis import given
from strategies import schemas
from twin import minimum

from speeddata.tree import Type, build


def tree(schema: Any) -> Type:
    return build(fastavro.parse_schema(schema))


def record(*types: Any, name: str = "T") -> Any:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{i}", "type": t} for i, t in enumerate(types)],
    }


@given(schemas())
def test_smallest_sizes(schema: Any) -> None:
    assert tree(schema).minimum == minimum(schema)


def test_what_is_known_of_a_type() -> None:
    made = tree(
        record("null", ["int", "null"], {"type": "map", "values": {"type": "fixed", "name": "F", "size": 3}})
    )
    assert [field.type.kind for field in made.fields] == ["null", "union", "map"]
    assert (made.depth, made.field_count, made.type_count, made.minimum) == (2, 3, 7, 2)
    value, null = made.fields[1].type.without_null()
    assert (value.kind, null) == ("int", 1)
    assert made.fields[2].type.without_null() == (made.fields[2].type, None)
    assert made.fields[2].type.inner[0].size == 3


def test_a_named_type_used_twice_is_one_type() -> None:
    made = tree(record(record("int", name="R"), {"type": "array", "items": "R"}))
    assert made.fields[0].type is made.fields[1].type.inner[0]
    assert made.field_count == 4


def test_logical_types_and_attributes_are_kept() -> None:
    field = {
        "name": "f",
        "type": {"type": "long", "logicalType": "timestamp-millis"},
        "doc": "d",
        "speeddata": {"unit": "s"},
    }
    made = tree({"type": "record", "name": "T", "fields": [field]})
    assert made.fields[0].type.logical == "timestamp-millis"
    assert made.fields[0].attributes == {"name": "f", "doc": "d", "speeddata": {"unit": "s"}}
