"""What Avro's plain types are in Arrow, and values that Arrow has no type for, as JSON text."""

import base64
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

__all__ = ["PLAIN", "json_text", "plain_json"]

PLAIN = {
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "enum": pa.string(),
    "bytes": pa.binary(),
    "fixed": pa.binary(),
}
OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def json_text(value: Any) -> str | None:
    """A value as JSON text: null for what is not finite, `{"base64": ...}` for bytes; None, which is no text, for None."""
    return None if value is None else orjson.dumps(value, default=plain_json, option=OPTIONS).decode()


def plain_json(value: Any) -> Any:
    """What stands in JSON for a value that it has no form for."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"a value of type {type(value).__name__}")
