"""Keeps services running: starts them, starts them again with back-off when they end, ends them.

What they say goes to files, so that they can neither be blocked by us nor die with us: a service outlives its
orchestrator, and the next one ends it and starts its own.
"""

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speeddata.exit_codes import CANNOT_START
from speeddata.heartbeat import PIPE, VARIABLE, newest
from speeddata.logs import read_line
from speeddata.pidfile import write_pidfile
from speeddata.relay.event_loop import EventLoop
from speeddata.relay.services import Service, back_off_s, jittered
from speeddata.relay.strays import MARK, end, find_strays
from speeddata.times import format_time

__all__ = ["Supervisor", "Watch"]

log = logging.getLogger(__name__)

STEADY_S = 60.0  # a service that lived as long as this starts with the shortest delay again
STRAY_GRACE_S = 5.0
LOOK_S = 5.0  # between two looks for services that do not go on
REPLACE_GRACE_S = 5.0  # for a service to end that is to begin with other settings
LAST_WORDS = 300  # characters
RUNNING = ("active", "degraded")
# More threads of the matrix library are of no use to a service, and take as long to start as numpy.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


@dataclass
class Watch:
    """A service and how it fares."""

    service: Service
    state: str = "stopped"  # active, degraded, backoff, stopped
    reason: str = ""  # why it is not active, in its own last words
    since_ns: int = 0  # of the present state
    restarts: int = 0
    deaths: int = 0  # quick ones in a row
    started: float = 0.0  # monotonic
    process: subprocess.Popen[bytes] | None = None
    pidfd: int = -1
    pulse: int = -1  # where its signs of life come
    beaten: float | None = None  # monotonic, when the last came; None: it has given none, and need not
    hung: bool = False  # it was killed as it gave none any more
    replaced: bool = False  # its end was asked for, to be followed by another

    @property
    def serves(self) -> bool:
        """Whether it runs and, where it gives signs of life, has given one."""
        return self.state in RUNNING and (self.beaten is not None or not self.service.beats)

    def turn(self, state: str, reason: str = "") -> None:
        """Enter a state."""
        self.state, self.reason, self.since_ns = state, reason, time.time_ns()

    def told(self, trouble: str) -> None:
        """Take note of what keeps it from doing all of its work; empty: nothing."""
        if trouble != self.reason and self.state in RUNNING:
            self.turn("degraded" if trouble else "active", trouble)

    def ended(self, code: int, words: str, now: float) -> float:
        """Take note of the end of the process; gives the seconds to wait before the next start."""
        self.deaths = 1 if now - self.started >= STEADY_S else self.deaths + 1
        self.restarts += 1
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        how = f"did not go on for {self.service.silent_s:g} s" if self.hung else how
        self.turn("backoff", f"{how}: {words}" if words else how)
        return back_off_s(self.deaths)

    def to_json(self) -> dict[str, Any]:
        """The form that the API shows."""
        return {
            "name": self.service.name,
            "pid": self.process.pid if self.process else None,
            "state": self.state,
            "reason": self.reason,
            "since": format_time(self.since_ns),
            "restarts": self.restarts,
        }


Spawn = Callable[[Service, Mapping[str, str], int], "subprocess.Popen[bytes]"]


class Supervisor:
    """The services of one orchestrator."""

    def __init__(self, loop: EventLoop, spawn: Spawn | None = None) -> None:
        self.loop = loop
        self.spawn = spawn or spawn_service
        self.watches: dict[str, Watch] = {}
        self.stopping = False
        self._looked = loop.clock()
        loop.after(LOOK_S, self._look_for_silent)

    def end_strays(self, pidfiles: Iterable[Path]) -> None:
        """End what an earlier orchestrator started and left."""
        strays = find_strays(pidfiles)
        killed = end(strays, STRAY_GRACE_S)
        for stray in strays:
            log.info(
                "%s %d of an earlier run %s", stray.name, stray.pid, "killed" if stray in killed else "ended"
            )
            stray.close()

    def start(self, services: Iterable[Service]) -> None:
        """Start services."""
        watches = {service.name: Watch(service) for service in services}
        self.watches |= watches  # all are known before the first of them takes its time
        for watch in watches.values():
            self._start(watch)

    def replace(self, service: Service) -> bool:
        """Have a service run as it is given now, started anew where that is another way than before; whether it is."""
        watch = self.watches.get(service.name)
        if watch is None or self.stopping:
            return False
        if watch.service == service:
            return False
        watch.service = service
        if watch.process is not None:
            watch.replaced = True
            self._signal(watch, signal.SIGTERM)
            process = watch.process
            self.loop.after(REPLACE_GRACE_S, lambda: self._kill(watch, process))
        return True

    def _kill(self, watch: Watch, process: "subprocess.Popen[bytes]") -> None:
        """End a process that did not when it was asked to."""
        if watch.process is process:
            self._signal(watch, signal.SIGKILL)

    def stop(self) -> None:
        """Ask all services to end, but those that the others use; `wait` waits for it."""
        self.stopping = True
        for watch in self.watches.values():
            if watch.process is None:
                watch.turn("stopped")
            elif not watch.service.last:
                self._signal(watch, signal.SIGTERM)

    def wait(self, limit_s: float, last_limit_s: float | None = None) -> None:
        """Handle events until all services have ended, those last that the others use; kill those that live at the limit."""
        self._wait([watch for watch in self._living() if not watch.service.last], limit_s)
        last = self._living()
        for watch in last:
            self._signal(watch, signal.SIGTERM)
        self._wait(last, limit_s if last_limit_s is None else last_limit_s)

    def _wait(self, watches: list[Watch], limit_s: float) -> None:
        deadline = self.loop.clock() + limit_s
        while _living(watches) and self.loop.clock() < deadline:
            self.loop.turn(max(0.0, deadline - self.loop.clock()))
        for watch in _living(watches):
            log.warning("%s did not end within %.0f s, killed", watch.service.name, limit_s)
            self._signal(watch, signal.SIGKILL)
        while _living(watches):
            self.loop.turn()

    def not_serving(self) -> list[str]:
        """Services that do not run, or have given no sign of life yet."""
        return [watch.service.name for watch in list(self.watches.values()) if not watch.serves]

    def to_json(self) -> list[dict[str, Any]]:
        """All services as the API shows them."""
        return [watch.to_json() for watch in self.watches.values()]

    def _living(self) -> list[Watch]:
        return _living(self.watches.values())

    def _signal(self, watch: Watch, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(watch.pidfd, number)

    def _start(self, watch: Watch) -> None:
        if self.stopping:
            watch.turn("stopped")
            return
        service = watch.service
        watch.pulse, pulse = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        watch.beaten, watch.hung = None, False
        try:
            watch.process = self.spawn(service, {MARK: str(service.pidfile), VARIABLE: str(pulse)}, pulse)
        except OSError as error:
            os.close(watch.pulse)
            delay = watch.ended(CANNOT_START, error.strerror or str(error), self.loop.clock())
            log.error("%s cannot be started: %s", service.name, error)
            self.loop.after(delay, lambda: self._start(watch))
            return
        finally:
            os.close(pulse)
        watch.pidfd = os.pidfd_open(watch.process.pid)
        watch.started = self.loop.clock()
        watch.turn("active")
        write_pidfile(service.pidfile, watch.process.pid)
        self.loop.watch(watch.pidfd, lambda: self._on_exit(watch))
        self.loop.watch(watch.pulse, lambda: self._on_pulse(watch))
        log.info("%s %d started", service.name, watch.process.pid)

    def _on_exit(self, watch: Watch) -> None:
        assert watch.process is not None, "only a living service ends"
        code = watch.process.wait()
        self.loop.forget(watch.pidfd)
        os.close(watch.pidfd)
        self._end_pulse(watch)
        pid, watch.process, watch.pidfd = watch.process.pid, None, -1
        watch.service.pidfile.unlink(missing_ok=True)
        if watch.replaced and not self.stopping:
            watch.replaced = False
            log.info("%s %d ended, to begin with other settings", watch.service.name, pid)
            self._start(watch)
            return
        words = last_words(watch.service) if code else ""
        delay = jittered(watch.ended(code, words, self.loop.clock()))
        if self.stopping:
            watch.turn("stopped", watch.reason if code else "")
            log.info("%s %d ended", watch.service.name, pid)
            return
        log.warning("%s %d: %s; next start in %.0f s", watch.service.name, pid, watch.reason, delay)
        self.loop.after(delay, lambda: self._start(watch))

    def _on_pulse(self, watch: Watch) -> None:
        """Take note of a sign of life; an end of them is no sign, and says nothing by itself."""
        signs = os.read(watch.pulse, PIPE)
        if not signs:
            self._end_pulse(watch)
            return
        watch.beaten = self.loop.clock()
        watch.told(newest(signs))

    def _end_pulse(self, watch: Watch) -> None:
        if watch.pulse >= 0:
            self.loop.forget(watch.pulse)
            os.close(watch.pulse)
            watch.pulse, watch.beaten = -1, None

    def _look_for_silent(self) -> None:
        """Kill services that gave signs of life and give none any more; the end of each has another started."""
        now = self.loop.clock()
        was_away, self._looked = now - self._looked > 3 * LOOK_S, now
        for watch in self._living():
            if watch.beaten is None or watch.hung:
                continue
            if was_away:  # we were stopped ourselves, and do not know
                watch.beaten = now
            elif now - watch.beaten > watch.service.silent_s:
                log.error(
                    "%s %d: no sign of life for %.0f s, killed",
                    watch.service.name,
                    watch.process and watch.process.pid,
                    now - watch.beaten,
                )
                watch.hung = True
                self._signal(watch, signal.SIGKILL)
        self.loop.after(LOOK_S, self._look_for_silent)


def _living(watches: Iterable[Watch]) -> list[Watch]:
    return [watch for watch in watches if watch.process is not None]


def spawn_service(service: Service, environment: Mapping[str, str], pulse: int) -> "subprocess.Popen[bytes]":
    """Start a service in a session of its own, its output appended to its log; `pulse` is where it gives signs of life."""
    with service.log.open("ab") as output:
        return subprocess.Popen(
            service.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(pulse,),
            env={**ONE_THREAD, **os.environ, **environment},
        )


def last_words(service: Service) -> str:
    """The last line that a service said."""
    try:
        with service.log.open("rb") as output:
            output.seek(max(0, output.seek(0, os.SEEK_END) - 4096))
            lines = output.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return read_line(said[-1], service.name).message[:LAST_WORDS] if said else ""
