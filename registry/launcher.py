"""What the registry asks of processes: of the keeper, which runs relays, and of the shared relay."""

from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["Ingest", "Launcher", "NoIngest", "Seen"]

Json = dict[str, Any]
Seen = tuple[str, str, int, int]  # what is acknowledged of an alarm: signal, side, epoch, rises


class Launcher(Protocol):
    """What starts relays and knows how they fare: a keeper's client."""

    def start(self, spec: Json) -> int:
        """Start a channel's relay, or find it running with the same spec; its pid. RelayError says why not."""

    def replace(self, name: str, spec: Json | None = None) -> int | None:
        """Have another relay go on, with another spec where one is given, without a loss. RelayError where that cannot be."""

    def stop(self, name: str) -> None:
        """Stop a channel's relay, all it received flushed."""

    def list(
        self, name: str | None = None, *, stats: bool = False, sources: bool = False, alarms: bool = False
    ) -> list[Json]:
        """Name, pid, state, reason, since (ns), restarts of one or each channel that runs or should; with its counters, who
        sends, its alarms."""

    def acknowledge(self, name: str, seen: Sequence[Seen]) -> None:
        """Have a channel's relay know what is acknowledged of its alarms."""


class Ingest(Protocol):
    """The shared relay, which appends what comes by HTTP."""

    def counts(self) -> dict[str, Json]:
        """What it has counted, by channel; empty where it does not answer."""

    def alarms(self) -> Json:
        """By channel, the alarms of what came by HTTP (`channels`), and why records are not checked that were to be (`unchecked`);
        RelayError where it does not answer."""

    def acknowledge(self, name: str, seen: Sequence[Seen]) -> None:
        """Have it know what is acknowledged of them; RelayError where it does not answer."""

    def forget(self, name: str) -> None:
        """Have it end a channel, if it answers."""

    def use(self, spec: Json) -> None:
        """Have it go on with another spec of a channel, if it answers."""


class NoIngest:
    """Stands for a shared relay that is not there."""

    def counts(self) -> dict[str, Json]:
        return {}

    def alarms(self) -> Json:
        return {"channels": {}, "unchecked": {}}

    def acknowledge(self, name: str, seen: Sequence[Seen]) -> None:
        """Nothing is to be done."""

    def forget(self, name: str) -> None:
        """Nothing is to be done."""

    def use(self, spec: Json) -> None:
        """Nothing is to be done."""
