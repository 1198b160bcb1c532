"""The relays of registered channels, through the launcher (the keeper) that runs them: started, replaced, looked at."""

import contextlib
import logging
import time
from typing import Any

from speeddata.errors import RelayError
from speeddata.registry.conditions import Fault
from speeddata.registry.launcher import Launcher

__all__ = ["Relays"]

log = logging.getLogger(__name__)

Json = dict[str, Any]


class Relays:
    """What is asked of the launcher."""

    def __init__(self, launcher: Launcher, looking: Launcher | None = None) -> None:
        self.launcher = launcher
        # Asked by who only looks: it does not wait for long.
        self.looking = looking or launcher
        # Channels that could not be started, until they are.
        self.faults: dict[str, Fault] = {}

    def running(
        self, name: str | None = None, *, stats: bool = False, sources: bool = False
    ) -> tuple[dict[str, Json], str]:
        """What the launcher says of one or all channels, by name, or soon why it says nothing."""
        try:
            told = self.looking.list(name, stats=stats, sources=sources)
        except RelayError as error:
            return {}, str(error)
        return {running["name"]: running for running in told}, ""

    def runs(self, name: str) -> bool:
        """Whether a channel has a relay, for who is going to change that. RelayError where that cannot be known."""
        return any(running["name"] == name for running in self.launcher.list(name))

    def start(self, wanted: Json) -> int:
        """Start a relay; one that runs with another spec is replaced. RelayError says why not."""
        name = wanted["name"]
        try:
            pid = self.launcher.start(wanted)
        except RelayError:
            if not self._runs_surely(name):
                raise
            log.info("channel %s runs with other settings, its relay is replaced", name)
            pid = self._replace(wanted)
        self.faults.pop(name, None)
        return pid

    def note_fault(self, name: str, error: RelayError) -> None:
        """Keep why a channel cannot be started."""
        former = self.faults.get(name)
        tries = former.tries + 1 if former else 1
        self.faults[name] = Fault(str(error), former.since_ns if former else time.time_ns(), tries)

    def go_over(self, wanted: Json, present: Json) -> int | None:
        """Have a relay go over to another spec; its pid, None where none lives, and the next one will have it.

        `present` is what it should have now. When that fails the relay is left alone: one that cannot even start has a keeper
        that holds what it received and starts it again, and one that knows a version of the schema too many does no harm.
        """
        name = wanted["name"]
        if not self.runs(name):
            return None
        with contextlib.suppress(RelayError):
            return self.launcher.start(wanted)  # which has it, by an attempt that failed in the end
        self.start(present)  # one that has another, by such an attempt, is replaced
        return self.launcher.replace(name, wanted)

    def restart(self, wanted: Json) -> int | None:
        """Have another relay go on where the present one is, without a loss; one that does not run is started.

        Its pid; None where the keeper is about to start one. RelayError says why not.
        """
        if not self.runs(wanted["name"]):
            return self.start(wanted)
        return self.launcher.replace(wanted["name"])

    def stop(self, name: str) -> bool:
        """Stop a relay; whether there was one."""
        if not self.runs(name):
            return False
        self.launcher.stop(name)
        return True

    def _runs_surely(self, name: str) -> bool:
        with contextlib.suppress(RelayError):
            return self.runs(name)
        return False

    def _replace(self, wanted: Json) -> int:
        """Have a channel that runs go on with another spec: without a pause where that can be."""
        with contextlib.suppress(RelayError):
            if pid := self.launcher.replace(wanted["name"], wanted):
                return pid
        self.launcher.stop(wanted["name"])
        return self.launcher.start(wanted)
