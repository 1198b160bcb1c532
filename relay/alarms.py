"""How the signals of a channel stand to their limits, as JSON: what the keeper and the shared relay tell, and what is kept.

Each side of a signal is one of them. Times are nanoseconds since 1970; a value may be infinite, as Python's JSON has it.
"""

from collections.abc import Sequence
from typing import Any

from speeddata.plan import Kind, Plan
from speeddata.relay.standings import signal_key
from speeddata.schema import Signal

__all__ = ["SIDES", "limited_signals", "read_alarms", "tell_alarms"]

Json = dict[str, Any]
SIDES = ("low", "high")
LEVELS = 2  # of limits: warn, alarm
REAL = (Kind.KIND_FLOAT, Kind.KIND_DOUBLE)
KINDS = (*REAL, Kind.KIND_BOOLEAN, Kind.KIND_INT, Kind.KIND_LONG)


def limited_signals(plans: Sequence[Plan]) -> dict[str, Signal]:
    """The signals that have limits, by name, as the newest version has them that states some."""
    return {signal.name: signal for plan in plans for signal in plan.schema.signals if signal.limits}


def tell_alarms(plans: Sequence[Plan], standings: Sequence[Json]) -> list[Json]:
    """The sides that were ever beyond their limits: `standings` with names, units and limits."""
    signals = {signal_key(name): signal for name, signal in limited_signals(plans).items()}
    return [
        _about(signals[one["key"]]) | {key: value for key, value in one.items() if key != "key"}
        for one in standings
        if one["key"] in signals
    ]


def read_alarms(value: Any) -> list[Json]:
    """What `tell_alarms` gave, read from a file; ValueError where it is anything else."""
    if not isinstance(value, list) or not all(isinstance(one, dict) and _is_alarm(one) for one in value):
        raise ValueError("not alarms")
    return value


def _is_alarm(one: Json) -> bool:
    counts: list[Any] = [one.get(key) for key in ("epoch", "rises", "seen", "level", "highest")]
    pairs = [one.get("since"), one.get("records")]
    numbers = [*counts, *(number for pair in pairs if isinstance(pair, list) for number in pair)]
    return (
        isinstance(one.get("signal"), str)
        and one.get("side") in SIDES
        and "unit" in one
        and isinstance(one.get("limits"), dict)
        and all(type(number) is int and -(2**63) <= number < 2**63 for number in numbers)
        and all(isinstance(pair, list) and len(pair) == LEVELS for pair in pairs)
        and 0 <= one["level"] <= LEVELS
        and 1 <= one["highest"] <= LEVELS
        and min(counts) >= 0
        and all(_is_value(one.get(key)) for key in ("last", "worst"))
    )


def _is_value(beyond: Any) -> bool:
    """Whether it is a value and a limit that it was beyond."""
    if not isinstance(beyond, dict) or beyond.get("kind") not in KINDS or type(beyond.get("time")) is not int:
        return False
    value, limit = beyond.get("value"), beyond.get("limit")
    whole = isinstance(value, int) and -(2**63) <= value < 2**63
    return isinstance(limit, int | float) and (isinstance(value, float) if beyond["kind"] in REAL else whole)


def _about(signal: Signal) -> Json:
    assert signal.limits is not None, "it is limited"
    limits = {"warn": list(signal.limits.warn), "alarm": list(signal.limits.alarm)}
    return {"signal": signal.name, "unit": signal.unit, "limits": limits}
