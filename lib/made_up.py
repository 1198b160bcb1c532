"""Made-up records of a schema, as JSON has them: sines for numbers, something fitting for everything else. Pure."""

import math
from typing import Any

from speeddata.schema import Schema
from speeddata.tree import Type

__all__ = ["made_up"]

ITEMS = 8  # of an array
SLOWEST_HZ = 0.1  # of the first signal; each further one is a bit faster
STEP_HZ = 0.05
WHOLE = 100  # amplitude of whole numbers


def made_up(schema: Schema, number: int, time_s: float) -> dict[str, Any]:
    """A record without its time: `number` counts from 0, `time_s` is when it is."""
    place = 0
    record: dict[str, Any] = {}
    for field in schema.record.fields:
        if field.name == schema.time:
            continue
        place += 1
        if field.name == schema.sequence:
            record[field.name] = number
        else:
            record[field.name] = _value(field.type, number, (SLOWEST_HZ + STEP_HZ * place) * time_s)
    return record


def _value(type_: Type, number: int, turns: float) -> Any:
    """A value of a type, where a sine has made so many turns."""
    value, _ = type_.without_null()
    if value.kind == "union":  # of several types besides null
        value = next(one for one in value.inner if one.kind != "null")
    sine = math.sin(2 * math.pi * turns)
    if value.kind in ("float", "double"):
        return sine
    if value.kind in ("int", "long"):
        return round(WHOLE * sine)
    if value.kind == "boolean":
        return sine >= 0
    if value.kind == "enum":
        return value.symbols[number % len(value.symbols)]
    if value.kind == "record":
        return {
            field.name: _value(field.type, number, turns + place / len(value.fields))
            for place, field in enumerate(value.fields)
        }
    if value.kind == "array":
        return [_value(value.inner[0], number, turns + item / ITEMS) for item in range(ITEMS)]
    if value.kind == "map":
        return {"test": _value(value.inner[0], number, turns)}
    plain = {"null": None, "string": f"test {number}", "bytes": "test", "fixed": "t" * value.size}
    return plain[value.kind]
