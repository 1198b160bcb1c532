"""What an import will do: the fields of its records, the schema they make, and how they fit a channel that there is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from speeddata.errors import FormatError
from speeddata.schema import TIME_UNITS, TIMESTAMPS, Schema, record_name

__all__ = [
    "UNITS",
    "Chunk",
    "Fit",
    "Found",
    "ImportField",
    "Records",
    "Source",
    "fit_schema",
    "make_schema",
    "unit_index",
]

UNITS = TIME_UNITS
ORDER_TIME, ORDER_NULL = -1, -2
# What a channel's field may be that takes values of a type.
TAKES = {
    "double": ("double", "float"), "float": ("float", "double"), "long": ("long", "int", "double"), "int": ("int", "long", "double"),
    "boolean": ("boolean",), "string": ("string",),
}  # fmt: skip

# Records of a piece: the number of the channel, how many, and their bytes. A channel may have several bodies.
Records = list[tuple[int, int, bytes]]


@dataclass(frozen=True)
class ImportField:
    """A field of the records, besides the time."""

    name: str
    type: str  # Avro's word, or a whole type as JSON has it
    nullable: bool
    unit: str = ""
    heading: str = ""  # what the file calls it
    array: bool = False  # of that type


@dataclass(frozen=True)
class Chunk:
    """A piece of a file that is sent at once."""

    mark: str  # where it is in the file, and what it holds
    size: int  # of the progress
    rows: int


@dataclass
class Found:
    """What an examination found out."""

    rows: int
    fields: list[ImportField]
    time_unit: str  # the coarsest that holds all times
    first_ns: int
    last_ns: int
    keys: dict[str, int]  # rows of each value that names a channel; {"": all} where none does
    about: dict[str, str]  # what was detected, in words
    chunks: list[Chunk]
    identity: str  # the same only for the same content
    bad_count: int = 0
    bad: list[Any] = field(default_factory=list)  # csv_check.Bad
    notes: list[str] = field(default_factory=list)
    examples: list[list[str]] = field(default_factory=list)
    schema: dict[str, Any] | None = None  # the file's own, which a new channel has too


@dataclass(frozen=True)
class Fit:
    """How the fields go into the records of a schema."""

    schema: Schema
    unit: str
    order: tuple[int, ...]  # the place of a field in those found, -1 the time, -2 always null
    branches: tuple[int, ...]  # which branch is null, by place in `order`; -1: none
    types: tuple[str, ...]  # by place in `order`


class Source(Protocol):
    """A file that can be imported."""

    def examine(self, progress: Callable[[int, int], None]) -> Found:
        """Look at all of it; FormatError tells what cannot be done. Progress is told as done, of all."""

    def jobs(self, fit: Fit, done: set[int]) -> Iterator[tuple[int, Callable[[], Records]]]:
        """The chunks that are not done, each with what makes its records; that may run in any thread."""

    def close(self) -> None:
        """Let go of the file."""


def unit_index(unit: str) -> int:
    return UNITS.index(unit)


def make_schema(name: str, fields: Sequence[ImportField], unit: str) -> dict[str, Any]:
    """The schema of a new channel. Seconds have no logical type: the channel's config tells them."""
    time = {"type": "long", "logicalType": TIMESTAMPS[unit]} if unit in TIMESTAMPS else "long"
    made: list[dict[str, Any]] = [{"name": "time", "type": time}]
    for one in fields:
        kind: Any = {"type": "array", "items": one.type} if one.array else one.type
        entry: dict[str, Any] = {"name": one.name, "type": ["null", kind] if one.nullable else kind}
        if one.heading and one.heading != one.name:
            entry["doc"] = one.heading
        if one.unit:
            entry["speeddata"] = {"unit": one.unit}
        made.append(entry)
    return {"type": "record", "name": record_name(name), "fields": made}


def fit_schema(channel: str, schema: Schema, unit: str | None, found: Found) -> Fit:
    """How the fields found go into a channel's records; FormatError tells what does not."""
    unit = schema.time_unit or unit or "ns"
    if found.schema is not None:
        if Schema.parse(found.schema).fingerprint != schema.fingerprint:
            raise FormatError(
                f"channel {channel!r} has another schema than the file: import into another channel"
            )
        return Fit(schema, unit, (), (), ())
    if unit_index(unit) < unit_index(found.time_unit):
        raise FormatError(
            f"channel {channel!r} has times in {unit}, those of the file need {found.time_unit} to be kept exactly"
        )
    places = {one.name: place for place, one in enumerate(found.fields)}
    order, branches, types = [], [], []
    for one in schema.record.fields:
        value, null = one.type.without_null()
        branch = -1 if null is None else null
        kind = value.kind
        if one.name == schema.time:
            if kind not in ("long", "double"):
                raise FormatError(f"channel {channel!r} has times of type {kind}, which imports cannot write")
            order.append(ORDER_TIME)
        elif one.name in places:
            order.append(_checked(channel, found.fields, places.pop(one.name), kind, branch))
        elif branch < 0:
            raise FormatError(f"channel {channel!r} has the signal {one.name!r}, which the file has not")
        else:
            order.append(ORDER_NULL)
        branches.append(branch)
        types.append(kind)
    if places:
        raise FormatError(
            f"channel {channel!r} has no signal {', '.join(map(repr, places))}: leave out the column, or import into "
            "another channel"
        )
    return Fit(schema, unit, tuple(order), tuple(branches), tuple(types))


def _checked(channel: str, fields: Sequence[ImportField], place: int, kind: str, branch: int) -> int:
    one = fields[place]
    if one.array != (kind == "array") or (not one.array and kind not in TAKES.get(one.type, (one.type,))):
        raise FormatError(
            f"channel {channel!r} has the signal {one.name!r} as {kind}, the file has {one.type}"
            f"{' arrays' if one.array else ''}"
        )
    if one.nullable and branch < 0:
        raise FormatError(
            f"channel {channel!r} cannot have the signal {one.name!r} null, which it is in the file now and then"
        )
    return place
