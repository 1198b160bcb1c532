"""Records as text: JSON lines, or CSV.

JSON has each record as the schema nests it, null for NaN and infinity, and `{"base64": ...}` for bytes. CSV has a column for
each signal, with dotted names for fields of nested records; null is an empty cell (an empty string is `""`), bytes are
base64, arrays and maps JSON. Times are numbers as the record has them.
"""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, Protocol

from speeddata.errors import FormatError
from speeddata.schema import Schema

__all__ = ["CsvLines", "Form", "JsonLines"]

Record = Mapping[str, Any]
QUOTED = frozenset(',"\r\n')


class Form(Protocol):
    """A form that records can be printed in."""

    def begin(self, schema: Schema) -> str:
        """What is printed before the records of a file; FormatError when they cannot follow those before."""

    def line(self, record: Record) -> str:
        """A record of the file begun last."""


class JsonLines:
    """A JSON object a line."""

    def begin(self, _schema: Schema) -> str:
        return ""

    def line(self, record: Record) -> str:
        return f"{_as_json(record)}\n"


class CsvLines:
    """A line of names, then one for each record."""

    def __init__(self) -> None:
        # Where the value of each column is in a record; None before the first file.
        self._paths: list[tuple[str, ...]] | None = None

    def begin(self, schema: Schema) -> str:
        paths = [signal.path for signal in schema.signals]
        if self._paths is None:
            self._paths = paths
            return _row([_quoted(name) for name in schema.signal_names])
        if paths != self._paths:
            raise FormatError("its columns are not those of the files before it, so they cannot be one CSV")
        return ""

    def line(self, record: Record) -> str:
        cells = []
        for path in self._paths or ():
            value: Any = record
            for name in path:
                value = value[name]
            cells.append(_cell(value))
        return _row(cells)


def _row(cells: list[str]) -> str:
    # A line of one empty cell would be no line.
    return (",".join(cells) if cells != [""] else '""') + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (dict, list)):
        return _quoted(_as_json(value))
    return repr(value)


def _quoted(text: str) -> str:
    if text and QUOTED.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _bytes(value: Any) -> dict[str, str]:
    assert isinstance(value, bytes), f"a value of type {type(value).__name__}"
    return {"base64": base64.b64encode(value).decode()}


ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_bytes)


def _as_json(value: Any) -> str:
    try:
        return ENCODER.encode(value)
    except ValueError:  # NaN or infinity, which are rare
        return ENCODER.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value
