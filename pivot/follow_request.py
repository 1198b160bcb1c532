"""What a follower asks for: query parameters and the token of where it was, read and checked."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.errors import TimeError
from speeddata.follow_positions import Positions
from speeddata.pivot.problem import Problem, wrong
from speeddata.pivot.request import SPAN, STAMP, Limits, read_channels, read_signals
from speeddata.times import parse_duration, parse_time

__all__ = ["FollowRequest", "pack_token", "read_request"]

VERSION = 1
LONGEST = 1 << 16  # characters of a token
HEARTBEAT_S = 5.0


@dataclass(frozen=True)
class FollowRequest:
    """Some channels from a time on, or from where the follower was."""

    channels: tuple[str, ...]
    signals: tuple[str, ...]  # none: all
    start_ns: int | None  # None: what comes from now on, whatever its time
    positions: Mapping[str, Positions] | None  # where the follower was; None: it begins
    heartbeat_s: float


def pack_token(start_ns: int | None, positions: Mapping[str, Positions]) -> str:
    """The token that a follower shows to go on from these positions."""
    body = {"v": VERSION, "t": start_ns, "c": {name: one.to_json(name) for name, one in positions.items()}}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode().rstrip("=")


def read_request(params: Mapping[str, str | None], limits: Limits, now_ns: int) -> FollowRequest:
    """Check the query parameters."""
    start, duration, token = (params.get(name) for name in ("start", "duration", "resume"))
    if sum(value is not None for value in (start, duration, token)) > 1:
        field = "duration" if token is None else "resume"
        raise wrong(field, params[field], "one of start, duration and resume")
    signals, heartbeat = read_signals(params.get("signals")), _heartbeat(params.get("heartbeat"))
    if token is not None:
        start_ns, positions = _unpack(token)
        named = params.get("channels")
        channels = tuple(positions) if named is None else read_channels(named, limits)
        if set(channels) != set(positions):
            raise wrong("channels", named, f"those of resume: {', '.join(positions)}")
        if len(channels) > limits.channels:
            raise Problem(
                413, f"Channel count exceeds maximum ({limits.channels})", requested_channels=len(channels)
            )
        return FollowRequest(channels, signals, start_ns, positions, heartbeat)
    channels = read_channels(params.get("channels"), limits)
    return FollowRequest(channels, signals, _start(start, duration, now_ns), None, heartbeat)


def _start(start: str | None, duration: str | None, now_ns: int) -> int | None:
    try:
        if start is not None:
            return parse_time(start)
        if duration is not None:
            return max(-(2**63), now_ns - parse_duration(duration))
    except TimeError as error:
        field, value, wanted = ("duration", duration, SPAN) if start is None else ("start", start, STAMP)
        raise wrong(field, value, wanted, str(error)) from error
    return None


def _heartbeat(text: str | None) -> float:
    if text is None:
        return HEARTBEAT_S
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 60:
        raise wrong("heartbeat", text, "seconds from 0.1 to 60")
    return value


def _unpack(token: str) -> tuple[int | None, dict[str, Positions]]:
    try:
        if len(token) > LONGEST:
            raise ValueError("too long")
        body: Any = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True))
        if (
            not isinstance(body, dict)
            or body.get("v") != VERSION
            or not isinstance(body.get("c"), dict)
            or not body["c"]
        ):
            raise ValueError("of another kind")
        start_ns = body.get("t")
        if start_ns is not None and (type(start_ns) is not int or not -(2**63) <= start_ns < 2**63):
            raise ValueError("no time")
        return start_ns, {name: Positions.from_json(name, one) for name, one in body["c"].items()}
    except (ValueError, RecursionError) as error:
        # What base64, UTF-8 and JSON find wrong is of no use to who shows a token.
        reason = str(error) if type(error) is ValueError else "it is no token of this service"
        raise wrong(
            "resume", token, "the token of an answer", f"{reason}, wanted the token of an answer"
        ) from None
