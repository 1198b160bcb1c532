"""Looks once a second at what runs, and notes what has changed: states of channels, services, keeper and archive; leases that run out.

It has a thread of its own, as it asks the keeper, who may let it wait.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from speeddata.errors import RelayError
from speeddata.registry.channels import Registry
from speeddata.registry.conditions import TROUBLED
from speeddata.registry.events import Event
from speeddata.registry.store import StoreError

__all__ = ["Watch"]

log = logging.getLogger(__name__)

LOOK_S = 1.0
KEEPER_LIMIT_S = 30.0  # for a keeper that lives to answer, before it is taken for one that hangs
STOP_S = 2.0
COPY_S = 10.0  # between two looks whether the registry is to be copied

Json = dict[str, Any]


class Watch:
    """Watches over one registry. `parts` gives the other things that have a state: kind, name, and how each fares."""

    def __init__(
        self,
        registry: Registry,
        parts: Callable[[], Iterable[tuple[str, Json]]],
        keeper_pid: Callable[[], int | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = registry
        self.parts = parts
        self.keeper_pid = keeper_pid
        self.clock = clock
        self._states: dict[tuple[str, str], str] = {}
        self._heard: dict[
            str, int
        ] = {}  # when the last packet of each channel with a lease came, as its relay tells
        self._deaths: dict[str, int] = {}  # of each channel's relays, as the keeper counts them
        self._answered = clock()  # when the keeper did last, or could not have been asked
        self._looked = clock()
        self._said = ""
        self._copy_due = clock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self.look()
                self._said = ""
            except (StoreError, RelayError, OSError) as error:
                self._say(str(error))
            except Exception as error:
                log.exception("watching goes on")
                self._say(repr(error))

    def look(self) -> None:
        """Look once."""
        now = self.clock()
        # We were stopped ourselves, and know nothing of how the keeper answered.
        if now - self._looked > 3 * LOOK_S:
            self._answered = now
        try:
            self._look(now)
        finally:
            self._looked = self.clock()

    def _look(self, now: float) -> None:
        for kind, part in self.parts():
            self._note(kind, part["name"], part["state"], part.get("reason") or "")
        running, trouble = self.registry.relays.running()
        if trouble:
            self._mind_keeper(now, trouble)
        else:
            self._answered = now
            self._look_at_channels(running)
        if not self.registry.store.instead_of:
            self.registry.events.flush()
            if now >= self._copy_due:
                self._copy_due = now + COPY_S
                self.registry.store.copy()

    def _look_at_channels(self, running: dict[str, Json]) -> None:
        heard = []
        known = set()
        for channel, told, one in self.registry.catalogue.conditions(running):
            known.add(channel.name)
            self._note("channel", channel.name, told["state"], told["reason"])
            self._note_death(channel.name, one or {})
            last = (one or {}).get("last_packet")
            if channel.ttl_s is not None and last and self._heard.get(channel.name) != last:
                self._heard[channel.name] = last
                heard.append(channel.name)
        for key in [key for key in self._states if key[0] == "channel" and key[1] not in known]:
            del self._states[key]
            self._heard.pop(key[1], None)
            self._deaths.pop(key[1], None)
        self.registry.expire(heard)

    def _note(self, kind: str, name: str, state: str, reason: str) -> None:
        """Take note of a state; one that is seen for the first time is an event where it is trouble."""
        former = self._states.get((kind, name))
        self._states[kind, name] = state
        if former != state and (former is not None or state in TROUBLED):
            self.registry.events.note(Event(kind, name, "state", reason, former, state))

    def _note_death(self, name: str, running: Json) -> None:
        """Take note that a relay has died, also where the next one went on before anybody looked.

        What a keeper had counted before it is first looked at was noted then. Each keeper counts from 0.
        """
        deaths = running.get("deaths", 0)
        if deaths > self._deaths.get(name, deaths):
            self.registry.events.note(Event("channel", name, "relay died", running["death"]))
        self._deaths[name] = deaths

    def _mind_keeper(self, now: float, trouble: str) -> None:
        """A keeper that lives and has not answered for long is ended, for the next one to adopt its relays."""
        pid = self.keeper_pid()
        if pid is None:
            self._answered = now
        elif now - self._answered > KEEPER_LIMIT_S:
            log.error(
                "keeper %d has not answered for %.0f s and is killed: %s", pid, now - self._answered, trouble
            )
            self._answered = now
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def _say(self, words: str) -> None:
        """Log trouble when it begins or changes."""
        if words != self._said:
            log.error("nothing can be noted: %s", words)
            self._said = words
