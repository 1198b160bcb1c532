"""A channel's schema: parsed by fastavro, checked against the limits and rules of a channel, its signals listed.

Everything that needs no bytes is here. How bytes are walked is compiled from it by `speeddata.plan`.
`python -m speeddata.schema FILES...` checks schema files.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from pathlib import Path
from reprlib import repr as short
from typing import Any, NoReturn

import fastavro
import fastavro.schema

from speeddata.errors import SchemaError
from speeddata.hdf5_names import NO_TEXT
from speeddata.limits import Limits, find_limits
from speeddata.tree import MAX_DEPTH, NUMBERS, Field, Type, build

__all__ = ["MAX_TEXT", "TIMESTAMPS", "TIME_UNITS", "Schema", "Signal", "main", "record_name"]

MAX_TEXT = 64 * 1024  # bytes of the JSON text
MAX_JSON_DEPTH = 3 * MAX_DEPTH + 8  # a record nests by three brackets: itself, its fields, the field
TIME_UNITS = ("s", "ms", "us", "ns")
TIMESTAMPS = {"ms": "timestamp-millis", "us": "timestamp-micros", "ns": "timestamp-nanos"}
LOGICAL_UNITS = {f"{prefix}{name}": unit for prefix in ("", "local-") for unit, name in TIMESTAMPS.items()}
ROLES = ("time", "sequence")
PARSE_ERRORS = (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType, ArithmeticError, AttributeError,
                LookupError, RecursionError, TypeError, ValueError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signal:
    """One named quantity of a channel."""

    name: str  # dotted where records are nested
    path: tuple[str, ...]
    type: str  # Avro's word for its value, without null: "double", "string", "array", "union" ...
    nullable: bool
    unit: str | None  # as the schema states it, such as "V"
    number: bool  # int, long, float or double
    limits: Limits | None = attribute(default=None, compare=False)  # as the schema states them


@dataclass(frozen=True, eq=False, slots=True)
class Schema:
    """A schema that a channel can have; made by `Schema.parse`."""

    text: str  # JSON; what goes into segments
    json: dict[str, Any]
    name: str  # full name
    fingerprint: bytes  # 8 bytes, CRC-64-AVRO of the Parsing Canonical Form, little-endian
    signals: list[Signal]  # in the order of the bytes
    time: str  # the field that is the abscissa; "" where there is none (see `parse`, `timed`)
    time_unit: str | None  # "s", "ms", "us" or "ns"; None: told by the magnitude of the first plausible time
    sequence: str | None  # the field that numbers the records
    record: Type
    ignored: tuple[str, ...] = ()  # what is wrong with limits that are passed over

    @classmethod
    def parse(
        cls,
        source: str | bytes | dict[str, Any],
        *,
        time_unit: str | None = None,
        timed: bool = True,
        strict: bool = False,
    ) -> "Schema":
        """Parse a schema given as JSON text or as the object it stands for.

        `time_unit` counts where the schema itself does not state the unit of its time. SchemaError names the field.
        Where it need not be `timed`, as no channel's schema may be, one without a usable time is taken too.
        Limits that cannot be used are passed over, so that they keep no record from being archived or read, but where
        a `strict` look is wanted, as for a schema that is new.
        """
        if time_unit is not None and time_unit not in TIME_UNITS:
            raise SchemaError(f"time_unit must be one of {', '.join(TIME_UNITS)}, not {time_unit!r}")
        text, given = _load(source)
        plain = {
            key: value for key, value in given.items() if not key.startswith("__")
        }  # fastavro's own marks
        parsed = _parse(plain)
        record = build(parsed)
        roles = _roles(record)
        time = roles.get("time", "time")
        if not timed and not any(f.name == time and _is_time(f) for f in record.fields):
            time = ""
        limits, wrong = find_limits(record)
        if strict and wrong:
            raise wrong[0]
        canonical = fastavro.schema.to_parsing_canonical_form(parsed)
        return cls(
            text=text,
            json=given,
            name=record.name,
            fingerprint=bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")),
            signals=list(_signals(record, (), limits)),
            time=time,
            time_unit=(_time_unit(record, time) if time else None) or time_unit,
            sequence=_sequence(record, roles.get("sequence")),
            record=record,
            ignored=tuple(map(str, wrong)),
        )

    @property
    def signal_names(self) -> list[str]:
        """Names of the signals, in the order of the bytes."""
        return [signal.name for signal in self.signals]


def _load(source: str | bytes | dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give the text and the object of a schema, neither larger nor deeper than fastavro can be given."""
    try:
        if isinstance(source, Mapping):
            text = json.dumps(source, separators=(",", ":"), allow_nan=False)
        else:
            text = source.removeprefix("\ufeff") if isinstance(source, str) else str(source, "utf-8-sig")
        if len(text.encode()) > MAX_TEXT:
            raise SchemaError(f"the schema is larger than {MAX_TEXT} bytes")
        given = json.loads(text, parse_constant=_no_constant, parse_float=finite)
    except SchemaError:
        raise
    except (
        TypeError,
        ValueError,
    ) as error:  # ValueError: not JSON, not UTF-8, or an object that holds itself
        raise SchemaError(f"not JSON: {error}") from error
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(given, dict) or given.get("type") != "record":
        raise SchemaError("the top level must be a record")
    if deeper_than(given, MAX_JSON_DEPTH):
        raise _too_deep()
    return text, given


def deeper_than(value: Any, levels: int) -> bool:
    """Whether a value read from JSON is nested deeper than so many levels."""
    level: list[Any] = [value]
    for _ in range(levels):
        level = [below for value in level for below in _children(value)]
    return bool(level)


def finite(word: str) -> float:
    """Give the number that JSON text stands for, which JSON cannot write again when it is infinite."""
    number = float(word)
    if math.isinf(number):
        raise ValueError(f"{word} is too large a number")
    return number


def _too_deep() -> SchemaError:
    return SchemaError(f"more than {MAX_DEPTH} levels of nesting")


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _children(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _parse(plain: dict[str, Any]) -> Any:
    if not isinstance(plain.get("fields"), list):
        raise SchemaError("a record needs a list of fields")
    error = _parse_error(plain)
    if error is None:
        return fastavro.parse_schema(plain, {})
    outer = _parse_error(plain | {"fields": []})
    if outer is not None:
        raise SchemaError(_explain(outer, plain)) from outer
    fields = plain["fields"]
    good, bad = 0, len(fields)  # the first `good` fields parse, the first `bad` do not
    while bad - good > 1:
        middle = (good + bad) // 2
        if _parse_error(plain | {"fields": fields[:middle]}) is None:
            good = middle
        else:
            bad = middle
    culprit = fields[good]
    name = culprit.get("name") if isinstance(culprit, dict) else None
    raise SchemaError(_explain(error, culprit), name if isinstance(name, str) else "") from error


def _parse_error(plain: dict[str, Any]) -> Exception | None:
    try:
        fastavro.parse_schema(plain, {})
    except PARSE_ERRORS as error:
        return error
    return None


def _explain(error: Exception, culprit: Any) -> str:
    if isinstance(error, fastavro.schema.UnknownType):
        return f"unknown type {error.name!r}, wanted one of Avro's or one that is defined above"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    if isinstance(error, fastavro.schema.SchemaParseException):
        return str(error)
    return f"not a valid definition: {short(culprit)}"  # fastavro stumbled over it


def _signals(record: Type, path: tuple[str, ...], limits: Mapping[str, Limits]) -> Iterator[Signal]:
    for field in record.fields:
        below = (*path, field.name)
        if field.type.kind == "record":
            yield from _signals(field.type, below, limits)
            continue
        value, null = field.type.without_null()
        unit = field.attributes.get("speeddata", {}).get("unit")
        nullable = null is not None or value.kind == "null" or any(b.kind == "null" for b in value.inner)
        if value.kind in ("array", "map"):
            nullable = null is not None
        name = ".".join(below)
        yield Signal(name, below, value.kind, nullable, unit, value.kind in NUMBERS, limits.get(name))


def _roles(record: Type) -> dict[str, str]:
    """Give the field of each role, having checked every `speeddata` attribute."""
    roles: dict[str, str] = {}
    for path, field in _fields(record, ""):
        role = _check_attribute(path, field)
        if role is None:
            continue
        if not any(field is top for top in record.fields):
            raise SchemaError(f"role {role!r} is for fields of the record itself, not for nested ones", path)
        if role in roles:
            raise SchemaError(f"role {role!r} is taken by field {roles[role]!r}", path)
        roles[role] = field.name
    if roles.get("sequence") == roles.get("time", "time"):
        raise SchemaError("the time cannot be the sequence too", roles["sequence"])
    return roles


def _fields(type_: Type, path: str) -> Iterator[tuple[str, Field]]:
    for field in type_.fields:
        below = f"{path}.{field.name}" if path else field.name
        yield below, field
        yield from _fields(field.type, below)
    for inner in type_.inner:
        yield from _fields(inner, path)


def _check_attribute(path: str, field: Field) -> str | None:
    stated = field.attributes.get("speeddata", {})
    if not isinstance(stated, dict):
        raise SchemaError(f'"speeddata" must be an object such as {{"unit": "V"}}, not {stated!r}', path)
    role, unit = stated.get("role"), stated.get("unit")
    if role is not None and role not in ROLES:
        raise SchemaError(f"role must be one of {', '.join(ROLES)}, not {role!r}", path)
    if unit is not None and not isinstance(unit, str):
        raise SchemaError(f"unit must be text, not {unit!r}", path)
    if unit is not None and NO_TEXT.search(unit):
        raise SchemaError(f"unit must be text without NUL and lone surrogates, not {unit!r}", path)
    return role


def _time_unit(record: Type, time: str) -> str | None:
    """Give the unit that the schema states for its time, having checked that it has a time."""
    field = next((f for f in record.fields if f.name == time), None)
    if field is None:
        raise SchemaError(
            "the record has no time: it needs a field named 'time', or another one with "
            '"speeddata": {"role": "time"}, of type int, long, float or double'
        )
    value, _ = field.type.without_null()
    if not _is_time(field):
        raise SchemaError(f"the time must be int, long, float or double (or null), not {value.kind}", time)
    logical = field.attributes.get("logicalType")
    stated = {LOGICAL_UNITS.get(name) for name in (logical, value.logical) if isinstance(name, str)} - {None}
    if len(stated) > 1:
        raise SchemaError(f"logicalType is {logical} at the field and {value.logical} at its type", time)
    return next(iter(stated), None)


def _is_time(field: Field) -> bool:
    return field.type.without_null()[0].kind in NUMBERS


def _sequence(record: Type, sequence: str | None) -> str | None:
    for field in record.fields:
        if field.name == sequence and field.type.kind not in ("int", "long"):
            raise SchemaError(f"the sequence must be int or long, not {field.type.kind}", sequence)
    return sequence


def record_name(channel: str) -> str:
    """The name of a channel's record, where nothing else gives it one."""
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in channel)
    return f"_{plain}" if plain[:1].isdigit() else plain


def main(files: Sequence[str]) -> int:
    """Compile the plan of each file; print what is wrong, file and field named, and give the exit code."""
    from speeddata.plan import Plan  # plan imports this module

    failed = 0
    for file in files:
        try:
            schema = Schema.parse(Path(file).read_bytes(), strict=True)
            Plan(schema)
        except (OSError, SchemaError) as error:
            failed = 1
            print(f"{file}: {error.strerror if isinstance(error, OSError) else error}", file=sys.stderr)
        else:
            print(f"{file}: {schema.name}, {len(schema.signals)} signals")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
