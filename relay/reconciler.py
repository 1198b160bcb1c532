"""Sees that registered channels run: starts each, tries again with back-off those that cannot start, minds the keeper.

Relays that die are the keeper's affair. Here is what the keeper cannot do: start channels after the keeper itself was
started, and start the keeper again when it is gone.
"""

import contextlib
import logging
import os
import time
from typing import Any

from speeddata.errors import NoKeeper, RelayError
from speeddata.registry.channels import Registry
from speeddata.registry.store import StoreError
from speeddata.relay.client import ANSWER_LIMIT_S, KeeperClient
from speeddata.relay.ending import end_keeper
from speeddata.relay.event_loop import EventLoop
from speeddata.relay.services import back_off_s, jittered
from speeddata.times import format_time

__all__ = ["Reconciler"]

log = logging.getLogger(__name__)


class Reconciler:
    """Brings what runs to what is registered."""

    def __init__(self, loop: EventLoop, keeper: KeeperClient) -> None:
        self.loop = loop
        self.keeper = keeper
        self.registry: Registry | None = None
        self.keeper_pid: int | None = None
        self.keeper_since_ns = 0
        self.keeper_reason = ""
        self.keeper_restarts = 0
        # The keeper was there before us.
        self.adopted = False
        self.stopping = False
        # Failed attempts in a row, by channel.
        self.attempts: dict[str, int] = {}
        self._keeper_deaths = 0
        self._pidfd = -1
        # Counts the times that all channels were started; what an earlier round has still to do is void.
        self._round = 0

    def start_keeper(self) -> None:
        """See that a keeper runs, and watch it; RelayError if it cannot be started."""
        self.adopted = self.keeper.ping() is not None
        while self._pidfd < 0:
            self.keeper_pid = self.keeper.start_keeper()
            with contextlib.suppress(ProcessLookupError):  # it has ended since
                self._pidfd = os.pidfd_open(self.keeper_pid)
        self.keeper_since_ns, self.keeper_reason = time.time_ns(), ""
        self.loop.watch(self._pidfd, self._on_keeper_end)
        log.info("keeper %d %s", self.keeper_pid, "found running" if self.adopted else "started")

    def start_channels(self, registry: Registry) -> None:
        """Stop relays that nobody registered, and start every channel, one at each turn of the loop."""
        self.registry = registry
        try:
            self._start_all(registry)
        except RelayError as error:  # such as a keeper that ends just now
            log.error("channels are not started: %s", error)
            self.loop.after(back_off_s(1), self._restart_keeper)

    def _start_all(self, registry: Registry) -> None:
        for name in registry.stop_strangers():
            log.info("channel %s is not registered, its relay is stopped", name)
        self._round += 1
        for name, port, _ in registry.store.places():
            if port is not None:
                self._start_later(0, name)

    def leave(self) -> None:
        """Start nothing any more; what runs goes on."""
        self.stopping = True

    def stop(self) -> None:
        """Stop all relays and the keeper, all data flushed."""
        self.stopping = True
        if self.keeper_pid is None:
            return
        for line in end_keeper(self.keeper, self.keeper_pid):
            log.info("%s", line)
        self.loop.forget(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1

    def to_json(self, trouble: str = "") -> dict[str, Any]:
        """The keeper as the API shows it; `trouble`: why it does not answer, where it was asked."""
        alive = "degraded" if trouble else "active"
        return {
            "pid": self.keeper_pid,
            "state": alive if self.keeper_pid else "backoff",
            "reason": (trouble if self.keeper_pid else "") or self.keeper_reason,
            "since": format_time(self.keeper_since_ns),
            "restarts": self.keeper_restarts,
        }

    def begin(self, name: str) -> None:
        """Start a channel that is new, and try again where that cannot be."""
        self._start_later(0, name)

    def _start_later(self, delay_s: float, name: str) -> None:
        number = self._round
        self.loop.after(delay_s, lambda: self._start(name) if number == self._round else None)

    def _start(self, name: str) -> None:
        if self.stopping or self.registry is None or self.keeper_pid is None:
            return
        try:
            with self.loop.waiting(ANSWER_LIMIT_S):
                pid = self.registry.start(name)
        except (RelayError, StoreError) as error:
            self.attempts[name] = self.attempts.get(name, 0) + 1
            delay = jittered(back_off_s(self.attempts[name]))
            # That there is no keeper is said of the keeper, if none comes.
            level = logging.INFO if isinstance(error, NoKeeper) else logging.WARNING
            log.log(level, "channel %s cannot start: %s; next try in %.0f s", name, error, delay)
            self._start_later(delay, name)
            return
        self.attempts.pop(name, None)
        if pid is not None:
            log.info("channel %s runs, relay %d", name, pid)

    def _on_keeper_end(self) -> None:
        assert self.keeper_pid is not None, "only a living keeper is watched"
        self.loop.forget(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.keeper_pid, os.WNOHANG)  # if it was ours
        log.warning("keeper %d has ended, its relays go on", self.keeper_pid)
        self.keeper_pid, self.keeper_since_ns = None, time.time_ns()
        self.keeper_reason, self.keeper_restarts = "the keeper ended", self.keeper_restarts + 1
        self._keeper_deaths = 0
        self._restart_keeper()

    def _restart_keeper(self) -> None:
        if self.stopping:
            return
        assert self.registry is not None, "a keeper that was watched had channels"
        try:
            if self._pidfd < 0:
                with self.loop.waiting(ANSWER_LIMIT_S):
                    self.start_keeper()
            self._start_all(self.registry)
        except (RelayError, StoreError, OSError) as error:
            self._keeper_deaths += 1
            self.keeper_reason = str(error)
            delay = back_off_s(self._keeper_deaths)
            log.error("the keeper cannot be started: %s; next try in %.0f s", error, delay)
            self.loop.after(delay, self._restart_keeper)
