"""What an export is asked for: query parameters read and checked. No files, no clock."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from speeddata.errors import TimeError
from speeddata.pivot.export_options import Options
from speeddata.pivot.problem import Problem, twice, wrong
from speeddata.times import format_time, parse_duration, parse_time

__all__ = [
    "ExportRequest",
    "Limits",
    "choose_signals",
    "read_channels",
    "read_list",
    "read_range",
    "read_signals",
    "read_stamp",
    "read_url_params",
    "require_span",
]

EARLIEST, LATEST = -(2**63), 2**63 - 1  # what int64 nanoseconds hold
MINUTE_NS = 60_000_000_000
HINT = "POST /api/v1/exports makes long exports in the background"
CHANNELS = "names of channels, with commas between"
STAMP = "a time of ISO 8601, such as 2026-01-01T12:00:00Z"
SPAN = "a duration of ISO 8601, such as PT10S"
# A `+` that was not written %2B in the URL has become a space.
LOST_PLUS = re.compile(r"(?<=\d) (?=\d\d(:?\d\d)?$)")


@dataclass(frozen=True)
class Limits:
    """What one client may ask for."""

    channels: int = 20
    minutes: float = 5.0  # inf: any range
    timeout_s: float = 60.0
    rows: int = 10**8  # of a table whose rows are no records, as on a common time base
    advice: str = HINT  # what to do about a range that is too long
    running: int = 4  # exports being made at a time
    followers: int = 64  # at a time
    admitted: int = 32  # and those that wait
    sending: int = 128  # exports being sent at a time
    stall_s: float = 15.0  # for how long a client may take nothing

    @property
    def hint(self) -> dict[str, Any]:
        """What is told beside that something is too large."""
        return {"hint": self.advice} if self.advice else {}


@dataclass(frozen=True)
class ExportRequest:
    """Some channels over a range of time, both ends included."""

    start_ns: int
    end_ns: int
    channels: tuple[str, ...]
    signals: tuple[str, ...]  # none: all
    options: Options = field(default_factory=Options)
    asked: Mapping[str, str] = field(default_factory=dict)  # the parameters, as they were given


def read_list(text: str | None) -> tuple[str, ...]:
    """Names of a comma list, each once, in their order."""
    names = [name.strip() for name in (text or "").split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def read_url_params(
    items: Sequence[tuple[str, str]], lists: Collection[str], known: Callable[[str, str], str]
) -> dict[str, str]:
    """Parameters of a URL by the names that `known` gives for a name and its value, or refuses; `lists` may be spread over several."""
    params: dict[str, str] = {}
    for given, value in items:
        name = known(given, value)
        if name in params and name not in lists:
            raise twice(name, value)
        params[name] = f"{params[name]},{value}" if name in params else value
    return params


def read_channels(text: str | None, limits: Limits) -> tuple[str, ...]:
    """The channels asked for, not too many."""
    channels = read_list(text)
    if not channels:
        raise Problem(
            400, "Missing required parameter: channels", field="channels", value=text, wanted=CHANNELS
        )
    if len(channels) > limits.channels:
        error = f"Channel count exceeds maximum ({limits.channels})"
        raise Problem(413, error, requested_channels=len(channels), **limits.hint)
    return channels


def read_signals(text: str | None) -> tuple[str, ...]:
    """The signals asked for; none: all. The file names them, and HDF5's text cannot hold U+0000."""
    signals = read_list(text)
    for name in signals:
        if "\0" in name:
            raise Problem(404, "Signal not found", signal=name)
    return signals


def require_span(start: str | None, end: str | None, duration: str | None) -> None:
    """See that the parameters given can make a range."""
    if start and end and duration:
        error = "Give two of start, end and duration, not all three"
        raise Problem(
            400, error, field="duration", value=duration[:100], wanted="nothing beside start and end"
        )
    if not start and not duration:
        error = "Missing required parameter: start (or duration)"
        raise Problem(400, error, field="start", value=start, wanted=STAMP)


def read_range(
    start: str | None,
    end: str | None,
    duration: str | None,
    limits: Limits,
    now_ns: int,
    newest: Callable[[], int | None],
) -> tuple[int, int]:
    """The range asked for.

    Of start, end and duration two make the range; start alone goes up to now, duration alone ends at the newest record.
    """
    require_span(start, end, duration)
    start_ns, end_ns = _read("start", start, read_stamp), _read("end", end, read_stamp)
    span_ns = _read("duration", duration, parse_duration)
    if start_ns is not None and span_ns is not None:
        end_ns = start_ns + span_ns
    if end_ns is None and start_ns is None:
        end_ns = newest()
    end_ns = now_ns if end_ns is None else end_ns
    start_ns = end_ns - (span_ns or 0) if start_ns is None else start_ns
    if start_ns >= end_ns:
        value, wanted = (
            format_time(max(start_ns, EARLIEST)),
            f"a time before {format_time(min(end_ns, LATEST))}",
        )
        raise Problem(400, "start must be before end", field="start", value=value, wanted=wanted)
    minutes = (end_ns - start_ns) / MINUTE_NS
    if minutes > limits.minutes:
        error = f"Time range exceeds maximum ({limits.minutes:g} minutes)"
        raise Problem(413, error, requested_minutes=round(minutes, 3), **limits.hint)
    return max(start_ns, EARLIEST), min(end_ns, LATEST)


def _read(name: str, text: str | None, parse: Callable[[str], int]) -> int | None:
    if not text:
        return None
    try:
        return parse(text)
    except TimeError as error:
        raise wrong(name, text, SPAN if name == "duration" else STAMP, str(error)) from error


def read_stamp(text: str) -> int:
    """A time of a URL in ns, also where its `+` has become a space; TimeError."""
    try:
        return parse_time(text)
    except TimeError:
        mended = LOST_PLUS.sub("+", text.rstrip())
        if mended == text:
            raise
        return parse_time(mended)


def choose_signals(signals: Sequence[str], known: dict[str, list[str] | None]) -> dict[str, list[str] | None]:
    """Of each channel's signals (None: nobody knows them) those asked for, by name or as channel.name; None: all."""
    if not signals:
        return dict.fromkeys(known)
    chosen: dict[str, list[str] | None] = {}
    found: set[str] = set()
    for channel, names in known.items():
        spelled = {
            **{f"{channel}.{name}": name for name in names or ()},
            **{name: name for name in names or ()},
        }
        found |= spelled.keys() & set(signals)
        chosen[channel] = list(dict.fromkeys(spelled[signal] for signal in signals if signal in spelled))
    unknown = [signal for signal in signals if signal not in found]
    if unknown and all(names is not None for names in known.values()):
        raise Problem(404, "Signal not found", signal=unknown[0])
    return chosen
