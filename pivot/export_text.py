"""Columns as the text of a cell or of a JSON value, a batch at a time."""

import base64
import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from speeddata.pivot.arrow_types import json_text
from speeddata.pivot.export_sink import Sink
from speeddata.pivot.spreadsheet import plain_texts
from speeddata.table import Array

__all__ = ["cell", "compressed", "json_value", "time_text"]

ESCAPED = r'[\x00-\x1f"\\]'
BILLION = 10**9


def time_text(time_ns: Array, how: str) -> Any:
    """Times as ISO 8601 with nine digits of a second, as nanoseconds, or as seconds with nine digits; an Arrow array."""
    stamps = pa.array(time_ns, pa.int64())
    if how == "ns":
        return stamps.cast(pa.string())
    if how == "s":
        whole = time_ns // BILLION
        rest = time_ns - whole * BILLION
        negative = (whole < 0) & (rest > 0)
        signs = np.where(negative & (whole == -1), "-", "")
        whole, rest = np.where(negative, whole + 1, whole), np.where(negative, BILLION - rest, rest)
        digits = pc.utf8_lpad(pa.array(rest).cast(pa.string()), 9, "0")
        return pc.binary_join_element_wise(
            pc.binary_join_element_wise(pa.array(signs, pa.string()), pa.array(whole).cast(pa.string()), ""),
            digits,
            ".",
        )
    # With a zone the cast takes fifteen times as long.
    text = stamps.cast(pa.timestamp("ns")).cast(pa.string())
    return pc.binary_join_element_wise(pc.binary_replace_slice(text, 10, 11, "T"), "Z", "")


def cell(values: Any) -> Any:
    """A column as pyarrow writes it to CSV: bytes as base64, lists, maps and structs as JSON."""
    kind = values.type
    if pa.types.is_string(kind):
        return plain_texts(values)
    if pa.types.is_binary(kind):
        return plain_texts(pa.array([_base64(value) for value in values.to_pylist()], pa.string()))
    if pa.types.is_nested(kind):
        return plain_texts(pa.array([_nested(value, kind) for value in values.to_pylist()], pa.string()))
    return values


def json_value(values: Any) -> Any:
    """A column as JSON values: null for null and for what is not finite; an Arrow array of text without nulls."""
    kind = values.type
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, kind))
    if pa.types.is_string(kind):
        text = _quoted(values)
    elif pa.types.is_binary(kind):
        told = [json_text(value) for value in values.to_pylist()]
        text = pa.array(told, pa.string())
    elif pa.types.is_nested(kind):
        text = pa.array([_nested(value, kind) for value in values.to_pylist()], pa.string())
    else:
        text = values.cast(pa.string())
    return pc.fill_null(text, "null")


def _quoted(values: Any) -> Any:
    if pc.any(pc.match_substring_regex(values, ESCAPED)).as_py():
        told = [None if value is None else orjson.dumps(value).decode() for value in values.to_pylist()]
        return pa.array(told, pa.string())
    return pc.binary_join_element_wise('"', values, '"', "")


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _nested(value: Any, kind: Any) -> str | None:
    if value is None:
        return None
    return json_text(dict(value) if pa.types.is_map(kind) else value)


@contextlib.contextmanager
def compressed(sink: Sink, compression: str) -> Iterator[Any]:
    """What text is written to so that it arrives compressed."""
    if compression == "none":
        yield sink
        return
    with pa.CompressedOutputStream(pa.PythonFile(sink, "w"), compression) as stream:
        yield stream
