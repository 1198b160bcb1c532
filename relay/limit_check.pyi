from typing import Any

from speeddata.plan import Plan

class LimitCheck:
    """The limits of a channel, whose versions of the schema are `plans`. By itself it is for tests and tools."""

    plans: list[Plan]
    names: dict[int, str]
    """Of the signals that have limits, by the keys that `standings` tells."""

    def __init__(self, plans: list[Plan]) -> None: ...
    def check(self, record: bytes, time_ns: int, version: int = 0) -> bool:
        """Hold a record against the limits; whether something was noted. Only by itself, not where a relay has it."""

    def standings(self) -> list[dict[str, Any]]:
        """How the signals stand that were ever beyond their limits, each side by itself, under their keys."""

    def acknowledge(self, signal: str, side: str, epoch: int, rises: int) -> bool:
        """Note that so many rises are acknowledged; False where the signal is not there, or of another life."""
