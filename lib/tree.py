"""The types of a schema as a tree: references to named types resolved, limits checked, sizes known.

It is made from what fastavro parsed. fastavro checks the grammar of a schema; what it lets pass and the Avro
specification or a channel does not (bad names, unions in unions, recursion, sizes) is refused here, with the field named.
A named type that is used twice is one `Type`, so a small schema that unfolds into a huge one costs nothing to refuse.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from speeddata.errors import SchemaError

__all__ = [
    "MAX_DEPTH",
    "MAX_FIELDS",
    "MAX_NAMES",
    "MAX_SIZE",
    "MAX_TYPES",
    "NUMBERS",
    "Field",
    "Type",
    "build",
]

MAX_DEPTH = 32  # records, arrays, maps and unions inside each other, the channel's record included
MAX_FIELDS = 1_000  # with every use of a named record written out
MAX_NAMES = 1_000  # records, enums and fixed
MAX_TYPES = 10_000  # with every use of a named type written out
MAX_SIZE = 2**31 - 1  # bytes of a fixed, and of the smallest record

PRIMITIVES = {"null": 0, "boolean": 1, "int": 1, "long": 1, "float": 4, "double": 8, "bytes": 1, "string": 1}
NUMBERS = ("int", "long", "float", "double")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, eq=False, slots=True)
class Field:
    """A field of a record."""

    name: str
    type: "Type"
    attributes: Mapping[str, Any]  # everything else that the schema says about it


@dataclass(frozen=True, eq=False, slots=True)
class Type:
    """An Avro type with all that is below it."""

    kind: str  # Avro's word: "null" ... "union"
    minimum: int = 0  # bytes of its smallest value
    name: str = ""  # record, enum, fixed: the full name
    fields: tuple[Field, ...] = ()  # record
    inner: tuple["Type", ...] = ()  # array: the item; map: the value; union: the branches
    symbols: tuple[str, ...] = ()  # enum
    size: int = 0  # fixed: bytes
    logical: str = ""  # its logicalType
    depth: int = field(init=False)  # levels of nesting; 0 for what holds no other type
    field_count: int = field(init=False)  # fields and types, written out
    type_count: int = field(init=False)

    def __post_init__(self) -> None:
        below = [*self.inner, *(f.type for f in self.fields)]
        nests = self.kind in ("record", "array", "map", "union")
        object.__setattr__(self, "depth", nests + max((t.depth for t in below), default=0))
        object.__setattr__(self, "field_count", len(self.fields) + sum(t.field_count for t in below))
        object.__setattr__(self, "type_count", 1 + sum(t.type_count for t in below))

    def without_null(self) -> "tuple[Type, int | None]":
        """Give the type of the value, and which branch is null when this is a union of null and one other."""
        if self.kind == "union" and len(self.inner) == 2:
            for null in (0, 1):
                if self.inner[null].kind == "null":
                    return self.inner[1 - null], null
        return self, None


def build(parsed: Any) -> Type:
    """Make the tree of a schema that fastavro has parsed; SchemaError when a limit or rule is broken."""
    return _Builder().build(parsed, "")


class _Builder:
    """Builds each type of one schema; `path` is the dotted field it stands at."""

    def __init__(self) -> None:
        self.named: dict[str, Type | None] = {}  # None while the type is being built
        self.nested: dict[str, Callable[[Any, str], Type]] = {
            "record": self._record,
            "error": self._record,
            "enum": self._enum,
            "fixed": self._fixed,
            "array": self._array,
            "map": self._map,
        }

    def build(self, parsed: Any, path: str) -> Type:
        """Build one type, whatever it is."""
        if isinstance(parsed, list):
            made = self._union(parsed, path)
        elif isinstance(parsed, str):
            made = self._primitive(parsed, "") if parsed in PRIMITIVES else self._reference(parsed, path)
        elif parsed["type"] in PRIMITIVES:
            made = self._primitive(parsed["type"], parsed.get("logicalType"))
        else:
            made = self.nested[parsed["type"]](parsed, path)
        return _checked(made, path)

    def _primitive(self, kind: str, logical: Any) -> Type:
        return Type(kind, PRIMITIVES[kind], logical=logical if isinstance(logical, str) else "")

    def _reference(self, name: str, path: str) -> Type:
        known = self.named.get(name)
        if known is None:
            raise SchemaError(
                f"{name!r} is used inside itself; a channel's records cannot be recursive", path
            )
        return known

    def _define(self, parsed: Mapping[str, Any], path: str) -> str:
        name: str = parsed["name"]
        if not all(NAME.fullmatch(part) for part in name.split(".")):
            raise SchemaError(
                f"{name!r} is not an Avro name (letters, digits and _, parts joined by dots)", path
            )
        if len(self.named) == MAX_NAMES:
            raise SchemaError(f"more than {MAX_NAMES} named types", path)
        self.named[name] = None
        return name

    def _record(self, parsed: Any, path: str) -> Type:
        name = self._define(parsed, path)
        fields: dict[str, Field] = {}
        for entry in parsed["fields"]:
            if not isinstance(entry["name"], str) or not NAME.fullmatch(entry["name"]):
                raise SchemaError(f"{entry['name']!r} is not an Avro name (letters, digits and _)", path)
            below = f"{path}.{entry['name']}" if path else entry["name"]
            if entry["name"] in fields:
                raise SchemaError("the record has two fields of this name", below)
            attributes = {key: value for key, value in entry.items() if key != "type"}
            fields[entry["name"]] = Field(entry["name"], self.build(entry["type"], below), attributes)
        minimum = sum(f.type.minimum for f in fields.values())
        made = self.named[name] = Type("record", minimum, name, tuple(fields.values()))
        return made

    def _enum(self, parsed: Any, path: str) -> Type:
        name = self._define(parsed, path)
        if not isinstance(parsed["symbols"], list):
            raise SchemaError(f"symbols must be a list, not {parsed['symbols']!r}", path)
        made = self.named[name] = Type("enum", 1, name, symbols=tuple(parsed["symbols"]))
        return made

    def _fixed(self, parsed: Any, path: str) -> Type:
        name = self._define(parsed, path)
        size = parsed["size"]
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_SIZE:
            raise SchemaError(
                f"the size of a fixed must be a whole number from 1 to {MAX_SIZE}, not {size!r}", path
            )
        made = self.named[name] = Type(
            "fixed", size, name, size=size, logical=str(parsed.get("logicalType", ""))
        )
        return made

    def _array(self, parsed: Any, path: str) -> Type:
        return Type("array", 1, inner=(self.build(parsed["items"], f"{path}[]"),))

    def _map(self, parsed: Any, path: str) -> Type:
        return Type("map", 1, inner=(self.build(parsed["values"], f"{path}{{}}"),))

    def _union(self, parsed: Sequence[Any], path: str) -> Type:
        branches = tuple(self.build(branch, path) for branch in parsed)
        if not branches:
            raise SchemaError("a union without branches", path)
        seen = set()
        for branch in branches:
            if branch.kind == "union":
                raise SchemaError("a union directly inside a union", path)
            if (branch.kind, branch.name) in seen:
                raise SchemaError(f"{branch.name or branch.kind} is twice in the union", path)
            seen.add((branch.kind, branch.name))
        return Type("union", 1 + min(branch.minimum for branch in branches), inner=branches)


def _checked(made: Type, path: str) -> Type:
    for count, limit, what in (
        (made.depth, MAX_DEPTH, "levels of nesting"),
        (made.field_count, MAX_FIELDS, "fields"),
        (made.type_count, MAX_TYPES, "types"),
        (made.minimum, MAX_SIZE, "bytes in the smallest record"),
    ):
        if count > limit:
            raise SchemaError(f"more than {limit} {what}", path)
    return made
