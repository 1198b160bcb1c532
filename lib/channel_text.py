"""A channel as `speeddata channels NAME` prints it: what the API tells of it, for a reader. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from speeddata.archive_commands import shown
from speeddata.errors import TimeError
from speeddata.status_view import span_text
from speeddata.times import format_time, parse_time

__all__ = ["channel_lines", "limits_text", "mapping_lines", "time_text"]

FIRST = ("name", "state", "reason", "since", "port")
APART = ("stats", "ingested", "sources")  # have tables of their own
FORMER = ("status",)  # what SpeedData 0.6 says for the state
STAMPS = ("heartbeat",)  # nanoseconds
PLAIN = ("pid", "port")  # numbers that are names
FEW = ("rejected", "not_archived", "repaired", "sequence")  # counts of which most are 0
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")  # without a zone it is UTC
MS, NS = 10**6, 10**9


def channel_lines(channel: Mapping[str, Any], now_ns: int) -> Iterator[str]:
    """A line for each thing that is not in a table of its own."""
    keys = [*(key for key in FIRST if key in channel), *(key for key in channel if key not in FIRST)]
    left = {key: channel[key] for key in keys if key not in (*APART, *FORMER)}
    yield from mapping_lines("", left, now_ns)


def mapping_lines(indent: str, told: Mapping[str, Any], now_ns: int) -> Iterator[str]:
    """A line for each key; mappings within it in one line."""
    width = max(map(len, told), default=0)
    for key, value in told.items():
        yield f"{indent}{key:{width}}  {_words(key, value, now_ns)}"


def time_text(text: str, now_ns: int) -> str:
    """A time to the millisecond with its zone, and how long ago that was; text that is no time as it is."""
    try:
        return _stamp_text(parse_time(text), now_ns) if TIME.fullmatch(text) else text
    except TimeError:
        return text


def limits_text(limits: Mapping[str, Sequence[float | None]] | None) -> str:
    """The limits of a signal: `warn 0 to 3000, alarm up to 5000`."""
    bounds = ((level, _bounds(*pair)) for level, pair in (limits or {}).items())
    return ", ".join(f"{level} {words}" for level, words in bounds if words)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return "" if high is None else f"up to {json.dumps(high)}"
    return f"from {json.dumps(low)}" if high is None else f"{json.dumps(low)} to {json.dumps(high)}"


def _stamp_text(stamp_ns: int, now_ns: int) -> str:
    ago = now_ns - stamp_ns
    words = f"{span_text(ago / NS)} ago" if ago >= 0 else f"in {span_text(-ago / NS)}"
    return f"{format_time(stamp_ns // MS * MS)}, {words}"


def _words(key: str, value: Any, now_ns: int) -> str:
    if isinstance(value, dict):
        return _mapping(key, value, now_ns)
    if isinstance(value, list):
        return ", ".join(_words("", one, now_ns) for one in value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if key in STAMPS:
            return _stamp_text(value, now_ns)
        return str(value) if key in PLAIN else f"{value:,}"
    return "-" if value is None or value == "" else shown(time_text(str(value), now_ns))


def _mapping(key: str, value: Mapping[str, Any], now_ns: int) -> str:
    if set(value) == {"address", "port"}:
        return shown(f"{value['address']}:{value['port']}")
    some = {inner: one for inner, one in value.items() if one or key not in FEW}
    words = ", ".join(f"{shown(inner)} {_words(inner, one, now_ns)}" for inner, one in some.items())
    return words or ("none" if value else "-")
