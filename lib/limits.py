"""The limits of signals, as a schema's annotations state them: `"limits": {"warn": [low, high], "alarm": [low, high]}`.

What is less than a low limit or more than a high one is beyond it. Here they are read and checked; records are held against
them by `speeddata.relay.limits`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.errors import SchemaError
from speeddata.tree import NUMBERS, Type

__all__ = ["ALARM_FILE", "MAX_LIMITED", "Bounds", "Limits", "find_limits", "set_limits", "without_limits"]

MAX_LIMITED = 256  # signals of a channel that can have limits
ALARM_FILE = (
    "alarms.json"  # in a channel's folder: what its relay has seen beyond them, over the end of the system
)
LEVELS = ("warn", "alarm")
WHOLE = ("boolean", "int", "long")
LOWEST, HIGHEST = -(2**63), 2**63 - 1  # of what a long holds
WANTED = 'wanted an object such as {"warn": [0.5, 4], "alarm": [null, 5]}'

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Low and high limits of a signal; None: there is none on that side."""

    warn: Bounds = (None, None)
    alarm: Bounds = (None, None)


def find_limits(record: Type) -> tuple[dict[str, Limits], list[SchemaError]]:
    """Give the limits of a record's signals, by dotted name, and what is wrong with those that cannot be used."""
    found: dict[str, Limits] = {}
    wrong = []
    for path, type_, stated, is_signal in _stated(record, "", is_signal=True):
        try:
            if not is_signal:
                raise ValueError("limits are for signals, not for what is inside an array, a map or a union")
            if limits := _read(stated, type_):
                found[path] = limits
        except ValueError as error:
            wrong.append(SchemaError(str(error), path))
    if len(found) > MAX_LIMITED:
        wrong.append(SchemaError(f"limits at {len(found)} signals, at most {MAX_LIMITED} can have some"))
        found = dict(list(found.items())[:MAX_LIMITED])
    return found, wrong


def set_limits(schema: Any, signal: str, limits: Mapping[str, Any] | None) -> None:
    """State other limits of a signal, by its dotted name, in a schema as JSON; None: none. KeyError says why it has no such field."""
    record, *_ = _records(schema)
    *above, last = signal.split(".")
    for name in above:
        inner = _records(_field(record, name).get("type"))
        if not inner:
            raise KeyError(f"a signal; {name!r} is no record that is defined there")
        record = inner[0]
    field = _field(record, last)
    about = dict(field.get("speeddata") or {})
    about.pop("limits", None)
    if limits is not None:
        about["limits"] = dict(limits)
    field.pop("speeddata", None)
    if about:
        field["speeddata"] = about


def without_limits(schema: Any) -> Any:
    """A schema as JSON without the limits of its signals: what two that differ in these alone have in common."""
    if isinstance(schema, list):
        return [without_limits(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: without_limits(value) for key, value in schema.items() if key != "speeddata"}
    about = schema.get("speeddata")
    if isinstance(about, dict):
        about = {key: value for key, value in about.items() if key != "limits"}
    return told | ({"speeddata": about} if about else {})


def _records(type_: Any) -> list[dict[str, Any]]:
    """The record that a type is, or the records among those of a union."""
    branches = type_ if isinstance(type_, list) else [type_]
    return [one for one in branches if isinstance(one, dict) and isinstance(one.get("fields"), list)]


def _field(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    for field in record["fields"]:
        if field.get("name") == name:
            found: dict[str, Any] = field
            return found
    raise KeyError(f"one of {', '.join(str(field.get('name')) for field in record['fields'])}")


def _stated(type_: Type, path: str, *, is_signal: bool) -> Iterator[tuple[str, Type, Any, bool]]:
    """Path, type and limits of every field that states some, and whether it is a signal or has signals."""
    for field in type_.fields:
        below = f"{path}.{field.name}" if path else field.name
        about = field.attributes.get("speeddata")
        if isinstance(about, dict) and about.get("limits") is not None:
            yield below, field.type, about["limits"], is_signal
        yield from _stated(field.type, below, is_signal=is_signal)
    for inner in type_.inner:
        yield from _stated(inner, path, is_signal=False)


def _read(stated: Any, type_: Type) -> Limits | None:
    """The limits that a field states; None where it states none. ValueError says what is wrong."""
    if not isinstance(stated, Mapping):
        raise ValueError(f"limits must be an object, not {stated!r}; {WANTED}")
    for key in stated:
        if key not in LEVELS:
            raise ValueError(f"limits: unknown key {key!r}; {WANTED}")
    kind = _kind(type_)
    if kind not in (*NUMBERS, "boolean"):
        raise ValueError(f"limits are for numbers, booleans and arrays of them, not for {kind}")
    given = {level: _bounds(level, stated[level], kind) for level in LEVELS if stated.get(level) is not None}
    if not given:
        return None
    limits = Limits(**given)
    _check_order(limits)
    return limits


def _kind(type_: Type) -> str:
    """Avro's word for the values that limits hold for: those of an array are its items."""
    value, _ = type_.without_null()
    if value.kind == "array":
        value, _ = value.inner[0].without_null()
    return value.kind


def _bounds(level: str, value: Any, kind: str) -> Bounds:
    wanted = f"limits: {level} must be [low, high], two numbers of which one may be null, not {value!r}"
    if not isinstance(value, list | tuple) or len(value) != 2 or all(one is None for one in value):
        raise ValueError(wanted)
    for one in value:
        if one is None:
            continue
        if not isinstance(one, int | float) or isinstance(one, bool) or not _is_finite(one):
            raise ValueError(wanted)
        if kind in WHOLE and not LOWEST <= one <= HIGHEST:
            raise ValueError(f"limits: {level} has {one!r}, which is outside what a long holds")
    low, high = value
    if low is not None and high is not None and not low < high:
        raise ValueError(f"limits: {level} must have its low limit below its high one, not {value!r}")
    return low, high


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _check_order(limits: Limits) -> None:
    """Whether what is no warning can be: within the limits of the warning, which are within those of the alarm."""
    (warn_low, warn_high), (alarm_low, alarm_high) = limits.warn, limits.alarm
    pairs = (
        (alarm_low, warn_low, True),
        (warn_high, alarm_high, True),
        (alarm_low, warn_high, False),
        (warn_low, alarm_high, False),
    )
    for less, more, equal in pairs:
        if less is not None and more is not None and not (less < more or (equal and less == more)):
            shown = f"{list(limits.warn)!r} and {list(limits.alarm)!r}"
            raise ValueError(f"limits: warn must be within alarm, not {shown}")
