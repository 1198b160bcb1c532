"""Values of JSON against Avro's types: what a field expects, in words, and what stands for what JSON has no form for."""

from typing import Any

from speeddata.errors import RecordError
from speeddata.tree import Field, Type

__all__ = ["default_of", "describe", "plain"]

WORDS = {
    "null": "null",
    "boolean": "true or false",
    "int": "a whole number from -2147483648 to 2147483647",
    "long": "a whole number from -9223372036854775808 to 9223372036854775807",
    "float": "a number that fits a float",
    "double": "a number",
    "string": "text",
    "bytes": "text of characters up to U+00FF, one a byte",
}
UNIT_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
MAX_SYMBOLS = 20  # of an enum that are named


def describe(type_: Type, unit: str | None = None) -> str:
    """Say what a field of a type expects; `unit` is that of a time, empty where nothing tells it yet, None for other fields."""
    if unit is not None:
        value, null = type_.without_null()
        number = "a whole number" if value.kind in ("int", "long") else "a number"
        told = f" of {UNIT_WORDS[unit]} since 1970" if unit else ""
        return f"a time: {number}{told}, or ISO 8601 text" + (", or null" if null is not None else "")
    if type_.kind == "union":
        return " or ".join(describe(branch) for branch in sorted(type_.inner, key=lambda b: b.kind == "null"))
    if type_.kind == "enum":
        more = " ..." if len(type_.symbols) > MAX_SYMBOLS else ""
        return f"one of {', '.join(type_.symbols[:MAX_SYMBOLS])}{more}"
    if type_.kind == "fixed":
        return f"text of {type_.size} characters up to U+00FF, one a byte"
    if type_.kind == "array":
        return f"a list, each item {describe(type_.inner[0])}"
    if type_.kind == "map":
        return f"an object, each value {describe(type_.inner[0])}"
    if type_.kind == "record":
        return f"an object of {', '.join(field.name for field in type_.fields)}"
    return WORDS[type_.kind]


def default_of(field: Field) -> tuple[bool, Any]:
    """Whether something stands for a field that is missing, and what: its default, or null where it may be null."""
    if "default" in field.attributes:
        type_ = field.type.inner[0] if field.type.kind == "union" else field.type
        return True, plain(type_, field.attributes["default"])
    nullable = field.type.kind == "null" or any(branch.kind == "null" for branch in field.type.inner)
    return nullable and field.type.kind in ("null", "union"), None


def plain(type_: Type, value: Any) -> Any:
    """Give the value that JSON's stands for: bytes are text of code points up to 255. RecordError for other text."""
    if type_.kind in ("bytes", "fixed"):
        return _bytes(value)
    if type_.kind == "array" and isinstance(value, list):
        return value if _is_number(type_.inner[0]) else [plain(type_.inner[0], item) for item in value]
    if type_.kind == "map" and isinstance(value, dict):
        return {key: plain(type_.inner[0], item) for key, item in value.items()}
    if type_.kind == "record" and isinstance(value, dict):
        return {
            field.name: plain(field.type, value[field.name]) for field in type_.fields if field.name in value
        }
    if type_.kind == "union" and value is not None:
        return _branch(type_, value)
    return value


def _is_number(type_: Type) -> bool:
    return type_.kind in ("int", "long", "float", "double")


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        raise RecordError(f"expected {WORDS['bytes']}") from None


def _branch(type_: Type, value: Any) -> Any:
    """The value as that branch has it which it can only be meant for: text is bytes where no branch is text."""
    inner, null = type_.without_null()
    if null is not None:
        return plain(inner, value)
    kinds = [branch.kind for branch in type_.inner]
    if isinstance(value, str) and not {"string", "enum"} & set(kinds) and {"bytes", "fixed"} & set(kinds):
        return _bytes(value)
    for branch in type_.inner:
        if (branch.kind == "array" and isinstance(value, list)) or (
            branch.kind in ("map", "record") and isinstance(value, dict)
        ):
            return plain(branch, value)
    return value
