"""The two forms in which a follower is told: lines of JSON, or Arrow streams one after the other."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from speeddata.channel import Channel
from speeddata.pivot.follow_session import Message
from speeddata.set_frames import beside_time

__all__ = ["ARROW", "LINES", "form_of"]

LINES, ARROW = "application/x-ndjson", "application/vnd.apache.arrow.stream"
NOTHING = pa.table({})


def form_of(accept: str) -> tuple[str, Callable[[Message], bytes]]:
    """Media type, and what makes the bytes of a message."""
    if ARROW in accept:
        return ARROW, _as_arrow
    return LINES, _as_line


def _as_line(message: Message) -> bytes:
    """One object: `resume` and `live` always; of records `channel`, `signals` (unit and type of each) and `columns`.

    Times are ISO 8601 with nanoseconds, NaN and infinity null, bytes `{"base64": ...}`.
    """
    out: dict[str, Any] = {"live": message.live, "resume": message.resume}
    if message.notices:
        out["notices"] = message.notices
    if message.data is not None:
        channel = message.data
        out["channel"] = channel.name
        out["signals"] = {
            name: {"type": signal.dtype.name, "unit": signal.unit} for name, signal in beside_time(channel)
        }
        out["columns"] = {"time": _stamps(channel)} | {
            name: _values(signal) for name, signal in beside_time(channel)
        }
    return orjson.dumps(out, _other, orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS) + b"\n"


def _as_arrow(message: Message) -> bytes:
    """A whole Arrow stream: a table as the library has it, with the rest of the message in the schema's metadata."""
    table = NOTHING if message.data is None else message.data.to_arrow()
    about = {**(table.schema.metadata or {}), "live": str(message.live).lower(), "resume": message.resume}
    if message.notices:
        about["notices"] = json.dumps(message.notices)
    table = table.replace_schema_metadata(about)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    made: bytes = sink.getvalue().to_pybytes()
    return made


def _stamps(channel: Channel) -> list[str]:
    texts = np.datetime_as_string(channel.real_time, unit="ns")
    return [f"{text}Z" for text in texts.tolist()]


def _values(signal: Any) -> Any:
    if isinstance(signal, np.ma.MaskedArray) or signal.dtype == object:
        return signal.tolist()
    return np.ascontiguousarray(signal.view(np.ndarray))


def _other(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": b64encode(value).decode()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
