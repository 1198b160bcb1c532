"""What a client asks for: its messages read, and the names in them found among the channels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.signals import LiveSignal

WINDOW_MAX_S = 600.0
SIGNALS_MAX = 1024  # per client
_NAME_MAX = 512


class RequestError(ValueError):
    """A message that is not one of the protocol."""


@dataclass(frozen=True)
class Request:
    """A message of a client."""

    type: str
    signals: tuple[str, ...]
    window_s: float


def read_request(message: str | bytes) -> Request:
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
    if kind not in ("subscribe", "unsubscribe"):
        raise RequestError(f"type: expected subscribe or unsubscribe, got {kind!r:.80}")
    return Request(kind, _names(told.get("signals")), _window(told.get("window", 30)))


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise RequestError("signals: expected a list of names")
    if len(value) > SIGNALS_MAX or any(len(name) > _NAME_MAX for name in value):
        raise RequestError(f"signals: at most {SIGNALS_MAX} names of at most {_NAME_MAX} characters")
    return tuple(value)


def _window(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 < value <= WINDOW_MAX_S:
        raise RequestError(f"window: expected seconds over 0 and up to {WINDOW_MAX_S:g}, got {value!r:.80}")
    return float(value)


def find(name: str, channels: Mapping[str, LiveChannel]) -> LiveSignal | str:
    """Find a signal by `channel.signal`, or by its own name when only one channel has it; else say why not.

    Channel names and signal names may have dots themselves, so each dot is tried.
    """
    dot = name.find(".")
    while dot >= 0:
        channel = channels.get(name[:dot])
        if channel and name[dot + 1 :] in channel.by_path:
            return channel.by_path[name[dot + 1 :]]
        dot = name.find(".", dot + 1)
    having = [channel for channel in channels.values() if name in channel.by_path]
    if len(having) == 1:
        return having[0].by_path[name]
    if having:
        names = ", ".join(sorted(f"{channel.info.name}.{name}" for channel in having))
        return f"several signals of that name: {names}"
    return f"no such signal: {name}"
