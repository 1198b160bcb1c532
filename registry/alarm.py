"""An alarm: one side of a signal that is or was beyond its limits, and how the API shows it. Pure."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from speeddata.errors import SchemaError
from speeddata.schema import Schema
from speeddata.times import format_time

__all__ = ["HTTP", "UDP", "Acknowledgement", "Alarm", "Key", "limited_sides", "quiet", "side_of"]

Json = dict[str, Any]
Key = tuple[str, str, str, str]  # channel, signal, side, via
LEVELS = ("ok", "warn", "alarm")
SIDES = ("low", "high")
UDP, HTTP = "udp", "http"  # by which way records came
OCCURRENCE = re.compile(r"[0-9a-f]{16}-(low|high)-[1-9][0-9]{0,19}")


@dataclass(frozen=True)
class Acknowledgement:
    """What somebody has acknowledged of a side, and who."""

    epoch: int
    rises: int
    at_ns: int
    by: str
    note: str


@dataclass(frozen=True)
class Alarm:
    """A side of a signal that was beyond its limits once, as its relay tells it."""

    channel: str
    via: str
    told: Mapping[str, Any]
    by: Acknowledgement | None = None  # of the occurrence that there is

    def acknowledged(self, by: Acknowledgement | None) -> "Alarm":
        """The alarm with what is acknowledged, as far as that is of this occurrence."""
        told = self.told
        same = by is not None and by.epoch == told["epoch"] and by.rises >= told["rises"]
        return replace(self, by=by if same else None)

    @property
    def key(self) -> Key:
        return self.channel, self.told["signal"], self.told["side"], self.via

    @property
    def name(self) -> str:
        """The signal's, with that of its channel."""
        return f"{self.channel}.{self.told['signal']}"

    @property
    def occurrence(self) -> str:
        """What tells it from what comes after it."""
        return f"{self.told['epoch']:016x}-{self.told['side']}-{self.told['rises']}"

    @property
    def state(self) -> str:
        if self.told["level"]:
            return "active"
        return "normal" if self.by else "returned"

    @property
    def order(self) -> tuple[int, bool, int]:
        """The most severe first, of these what is not acknowledged, of these the newest."""
        highest = self.told["highest"]
        return -highest, self.by is not None, -self.told["since"][highest - 1]

    def to_json(self) -> Json:
        """The form that the API shows."""
        told, by = self.told, self.by
        last, worst = told["last"], told["worst"]
        return {
            **_about(self.channel, told, told["side"]),
            "via": self.via,
            "level": LEVELS[told["highest"]],
            "limit": worst["limit"],
            "state": self.state,
            "now": LEVELS[told["level"]],
            "acknowledged": by is not None,
            "since": format_time(told["since"][told["highest"] - 1]),
            "value": _finite(last["value"]),
            "last_beyond": format_time(last["time"]),
            "worst": _finite(worst["value"]),
            "worst_at": format_time(worst["time"]),
            "count": told["records"][0],
            "alarm_count": told["records"][1],
            "occurrence": self.occurrence,
            "by": by and by.by,
            "note": by and by.note,
            "acknowledged_at": by and format_time(by.at_ns),
        }


def quiet(channel: str, told: Mapping[str, Any], side: str) -> Json:
    """The same of a side that was never beyond."""
    nothing = ("level", "limit", "since", "value", "last_beyond", "worst", "worst_at")
    ends = ("occurrence", "by", "note", "acknowledged_at")
    return {
        **_about(channel, told, side),
        "via": None,
        "state": "normal",
        "now": "ok",
        "acknowledged": False,
        "count": 0,
        "alarm_count": 0,
        **dict.fromkeys((*nothing, *ends)),
    }


def _about(channel: str, told: Mapping[str, Any], side: str) -> Json:
    return {
        "signal": f"{channel}.{told['signal']}",
        "channel": channel,
        "side": side,
        "unit": told["unit"],
        "limits": told["limits"],
    }


def _finite(value: float) -> float | None:
    """JSON knows no infinity: beyond a limit, null is that of the side."""
    return value if not isinstance(value, float) or math.isfinite(value) else None


@lru_cache(maxsize=1024)
def limited_sides(schema: str) -> tuple[tuple[Json, str], ...]:
    """The sides that have limits by a schema: signal, unit and limits, and which side."""
    if "limits" not in schema and "\\" not in schema:  # thousands of channels have none
        return ()
    try:
        signals = Schema.parse(json.loads(schema)).signals
    except (SchemaError, ValueError):
        return ()
    found = []
    for signal in signals:
        if signal.limits is None:
            continue
        limits = {"warn": list(signal.limits.warn), "alarm": list(signal.limits.alarm)}
        about = {"signal": signal.name, "unit": signal.unit, "limits": limits}
        sides = zip(SIDES, signal.limits.warn, signal.limits.alarm, strict=True)
        found += [(about, side) for side, *bounds in sides if bounds != [None, None]]
    return tuple(found)


def side_of(occurrence: str) -> str | None:
    """The side that an occurrence is of; None for what tells none."""
    found = OCCURRENCE.fullmatch(occurrence)
    return found and found[1]
