"""JSON bodies of an ingest: rows or columns, of one channel or of several.

    {"channel": "x", "rows": [{"time": ..., "speed": 1.0}, ...]}
    {"channel": "x", "columns": {"time": [...], "speed": [...]}}
    {"channels": {"x": {"rows": [...]}, "y": {"columns": {...}}, "z": [...]}}
    [{"channel": "x", "time": ..., "speed": 1.0}, ...]

The channel may be named outside the body instead, and then one object may stand for its only row.
"""

from typing import Any

import orjson

from speeddata.pivot.ingest_batch import Columns, Content, Part, Rows
from speeddata.pivot.problem import Problem

__all__ = ["read_json"]

CHANNEL = "channel"
FORMS = (
    '{"channel": "x", "rows": [{"time": ..., ...}]}, {"channel": "x", "columns": {"time": [...], ...}}, '
    '{"channels": {"x": {"rows": [...]}}} or [{"channel": "x", "time": ..., ...}]'
)


def read_json(data: bytes, channel: str | None) -> list[Part]:
    """The parts of a body; `channel` is the one that was named outside it. Problem says what is wrong."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        hint = ""
        if any(word in data for word in (b"NaN", b"Infinity")):
            hint = "; NaN and Infinity are not JSON, send null"
        raise Problem(400, f"The body is not JSON: {str(error)[:300]}{hint}", field="body") from None
    if isinstance(body, list):
        return _rows(body, channel)
    if not isinstance(body, dict):
        raise Problem(400, "The body is neither an object nor a list", field="body", wanted=FORMS)
    if "channels" in body:
        _only(body, {"channels"}, channel)
        return _channels(body["channels"])
    named = body.get(CHANNEL, channel)
    if channel is not None and named != channel:
        raise Problem(
            400, "The body names another channel than the request", channel=channel, body=_text(named)
        )
    if not ({"rows", "columns"} & body.keys()):
        return _single(body, channel)
    _only(body, {CHANNEL, "rows", "columns"}, None)
    return [Part(_name(named), _content(body, _text(named)))]


def _single(body: dict[str, Any], channel: str | None) -> list[Part]:
    """One row that is the whole body."""
    if "time" not in body:
        raise Problem(400, "The body has neither rows nor columns", field="body", wanted=FORMS)
    return _rows([body], channel)


def _rows(rows: list[Any], channel: str | None) -> list[Part]:
    """Rows that each name their channel, unless it was named outside the body."""
    if channel is not None:
        return [Part(channel, Rows(rows))]
    groups: dict[str, tuple[list[Any], list[int]]] = {}
    for number, row in enumerate(rows):
        name = row.get(CHANNEL) if isinstance(row, dict) else None
        if not isinstance(name, str):
            given = row if not isinstance(row, dict) else name
            error = {"row": number, "channel": None, "field": CHANNEL, "value": _text(given)}
            error["expected"] = "the name of a channel in each row, or `channel=` in the URL"
            raise Problem(
                400,
                f"Nothing was ingested: row {number} names no channel",
                errors=[error],
                rows=1,
            )
        if (group := groups.get(name)) is None:
            group = groups[name] = ([], [])
        group[0].append(row)
        group[1].append(number)
    return [
        Part(name, Rows(rows, CHANNEL, numbers if len(groups) > 1 else None))
        for name, (rows, numbers) in groups.items()
    ]


def _channels(given: Any) -> list[Part]:
    if not isinstance(given, dict):
        raise Problem(400, "`channels` is not an object", field="channels", wanted=FORMS)
    return [Part(name, _content(entry, name)) for name, entry in given.items()]


def _content(given: Any, name: Any) -> Content:
    """The rows or columns of one channel."""
    if isinstance(given, list):
        return Rows(given)
    if not isinstance(given, dict) or ("rows" in given) == ("columns" in given):
        raise Problem(
            400, "Each channel needs either rows or columns", field="channels", channel=name, wanted=FORMS
        )
    if "rows" in given:
        if not isinstance(given["rows"], list):
            raise Problem(400, "`rows` is not a list", field="rows", channel=name, wanted=FORMS)
        return Rows(given["rows"])
    columns = given["columns"]
    if not isinstance(columns, dict):
        raise Problem(400, "`columns` is not an object", field="columns", channel=name, wanted=FORMS)
    for signal, column in columns.items():
        if not isinstance(column, list):
            raise Problem(400, "A column is not a list", channel=name, field=signal[:200], wanted=FORMS)
    return Columns(columns)


def _only(body: dict[str, Any], keys: set[str], channel: str | None) -> None:
    unknown = [key for key in body if key not in keys]
    if unknown:
        raise Problem(400, "Unknown key in the body", field=unknown[0][:200], wanted=FORMS)
    if channel is not None:
        raise Problem(
            400, "The body names channels, and so does the request", field="channel", channel=channel
        )


def _name(given: Any) -> str:
    if not isinstance(given, str):
        raise Problem(400, "No channel is named", field="channel", value=_text(given), wanted=FORMS)
    return given


def _text(given: Any) -> Any:
    """A value as an error shows it."""
    if given is None or isinstance(given, bool | float):
        return given
    return given[:200] if isinstance(given, str) else repr(given)[:200]
