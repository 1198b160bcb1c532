"""Channels whose signal `value` has limits, and how it stands to them."""

import copy
import socket
from typing import Any

from line import NUMBERED, Line, encode

from speeddata.relay.alarms import tell_alarms

LIMITS = {"warn": [-5, 5], "alarm": [-10, 10]}
LIMITED: dict[str, Any] = copy.deepcopy(NUMBERED)
LIMITED["fields"][2]["speeddata"] = {"unit": "V", "limits": LIMITS}
START = 1_700_000_000_000_000_000
MS = 1_000_000


def record(n: int, value: float = 0.0) -> bytes:
    """Record `n` of a source that sends a thousand a second."""
    return encode(LIMITED, time=START + n * MS, n=n, value=value)


def stands(alarms: list[dict[str, Any]], side: str = "high") -> dict[str, Any] | None:
    """How one side of `value` stands; None where it was never beyond its limits."""
    return next((one for one in alarms if (one["signal"], one["side"]) == ("value", side)), None)


def of_line(line: Line, side: str = "high") -> dict[str, Any] | None:
    return stands(tell_alarms(line.relay.plans, line.mapping.standings()), side)


def of_keeper(keeper: Any, side: str = "high") -> dict[str, Any] | None:
    (channel,) = keeper.list("test", alarms=True)
    return stands(channel["alarms"]["raised"], side)


class Sending:
    """A source of a channel that a keeper runs."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.sent = 0

    def __enter__(self) -> "Sending":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *values: float) -> None:
        """Send the next records, a packet each."""
        for value in values:
            self.socket.send(record(self.sent, value))
            self.sent += 1
