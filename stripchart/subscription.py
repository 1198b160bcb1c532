"""What a client asks for: its messages read."""

import json
from dataclasses import dataclass
from typing import Any

from speeddata.stripchart.classes import COLUMNS_PER_S_MAX

WINDOW_MAX_S = 600.0
SIGNALS_MAX = 1024  # per client
NAME_MAX = 512  # characters
_TYPES = ("subscribe", "unsubscribe", "report")
_STREAMS = ("live", "full")
_FEED_MAX = 2**31
_MEASURED_MAX = 1e6


class RequestError(ValueError):
    """A message that is not one of the protocol."""


@dataclass(frozen=True)
class Request:
    """A message of a client about signals."""

    type: str
    signals: tuple[str, ...]
    window_s: float
    feed: int
    """The client's number for what is asked for together: a name can be watched in several ways at once."""
    columns_per_s: float | None
    """None: samples as they are."""
    stream: str
    """`live`: decimated; `full`: at full rate."""
    arrays: bool = False
    """Signals that are arrays of numbers are sent row by row."""


@dataclass(frozen=True)
class Report:
    """What a client tells of itself once a second."""

    tick: int
    """Of the newest frame that it took in."""
    is_hidden: bool
    """Nobody looks: it needs no frames for now."""
    drawn: dict[str, float]
    """How it draws: fps, ms."""


def read_request(message: str | bytes) -> Request | Report:
    """Read a message; RequestError says what is wrong with it."""
    if isinstance(message, bytes):
        raise RequestError("expected JSON text, got a binary message")
    try:
        told = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"expected JSON: {error}") from None
    if not isinstance(told, dict):
        raise RequestError(f"expected an object, got {type(told).__name__}")
    kind = told.get("type")
    if kind not in _TYPES:
        raise RequestError(f"type: expected {', '.join(_TYPES)}, got {kind!r:.80}")
    if kind == "report":
        return _report(told)
    return Request(
        kind,
        _names(told.get("signals")),
        _window(told.get("window", 30)),
        _whole("feed", told.get("feed", 0), _FEED_MAX),
        _columns(told.get("columns")),
        _stream(told.get("stream", "live")),
        _flag("arrays", told),
    )


def _report(told: dict[str, Any]) -> Report:
    # How it draws is told for people alone: what is no figure is left out.
    drawn = {
        key: float(told[key])
        for key in ("fps", "ms")
        if _is_number(told.get(key)) and abs(told[key]) <= _MEASURED_MAX
    }
    return Report(_whole("tick", told.get("tick", 0), 2**32), told.get("hidden") is True, drawn)


def _flag(name: str, told: dict[str, Any]) -> bool:
    value = told.get(name, False)
    if not isinstance(value, bool):
        raise RequestError(f"{name}: expected true or false, got {value!r:.80}")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise RequestError(f"signals: expected a list of names, got {value!r:.80}")
    return tuple(value)


def _window(value: Any) -> float:
    if not _is_number(value) or not 0 < value <= WINDOW_MAX_S:
        raise RequestError(f"window: expected seconds over 0 and up to {WINDOW_MAX_S:g}, got {value!r:.80}")
    return float(value)


def _columns(value: Any) -> float | None:
    if value is None:
        return None
    if not _is_number(value) or not 0 < value <= COLUMNS_PER_S_MAX:
        raise RequestError(
            f"columns: expected a number a second, up to {COLUMNS_PER_S_MAX:g}, got {value!r:.80}"
        )
    return max(float(value), 1e-3)


def _stream(value: Any) -> str:
    if value not in _STREAMS:
        raise RequestError(f"stream: expected {' or '.join(_STREAMS)}, got {value!r:.80}")
    return str(value)


def _whole(name: str, value: Any, limit: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise RequestError(f"{name}: expected a whole number from 0 to {limit - 1}, got {value!r:.80}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
