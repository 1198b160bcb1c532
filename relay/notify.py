"""What a service manager such as systemd is told of the orchestrator: it is up, it still turns, it begins anew, it ends.

Plain datagrams to the socket that NOTIFY_SOCKET names (sd_notify(3)), without a library. Where nobody named one nothing is sent.
The signs of life come from the event loop itself, so that they stop when the loop hangs.
"""

import logging
import os
import socket
import time

from speeddata.relay.event_loop import EventLoop

__all__ = ["Notifier"]

log = logging.getLogger(__name__)

# What the manager gives to one process, and its children are not to answer for.
VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
SEND_LIMIT_S = 1.0  # a manager that is busy for longer misses a word
ANEW_LIMIT_S = 60.0  # without a sign of life, while one program takes the place of another
US = 1_000_000


class Notifier:
    """Tells the manager of this process, if it has one."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop
        # The variables that we were given; children do not inherit them.
        self._given = {name: value for name in VARIABLES if (value := os.environ.pop(name, None)) is not None}
        self._address = self._given.get("NOTIFY_SOCKET", "")
        # Within how many seconds a sign of life is expected; 0: never.
        self.limit_s = self._watchdog_s() if self._address else 0.0
        self._silenced = False

    def ready(self, status: str) -> None:
        """All has been started; from here on the loop gives signs of life."""
        self._tell("READY=1", f"STATUS={status}", *self._expect(0.0))
        if self.limit_s:
            self.loop.on_wait = self._allow
            self.loop.after(self.limit_s / 2, self._live)

    def begins_anew(self) -> None:
        """The program is about to be replaced by the one of today, in this process."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        words = ("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=beginning anew, recording goes on")
        self._tell(*words, *self._expect(ANEW_LIMIT_S))

    def stops(self) -> None:
        """What was received is being brought to the disk, then all ends."""
        self._tell("STOPPING=1", "STATUS=stopping: what was received is brought to the disk")

    def give_back(self) -> None:
        """Leave the variables to the program that takes our place."""
        os.environ.update(self._given)

    def _watchdog_s(self) -> float:
        usec, pid = self._given.get("WATCHDOG_USEC", ""), self._given.get("WATCHDOG_PID", str(os.getpid()))
        return int(usec) / US if usec.isdigit() and pid == str(os.getpid()) else 0.0

    def _live(self) -> None:
        """A sign of life, twice as often as one is expected."""
        self._tell("WATCHDOG=1")
        self.loop.after(self.limit_s / 2, self._live)

    def _allow(self, limit_s: float) -> None:
        """Have the manager wait so much longer for the next sign of life."""
        self._tell(*self._expect(limit_s))

    def _expect(self, more_s: float) -> tuple[str, ...]:
        if not self.limit_s:
            return ()
        return ("WATCHDOG=1", f"WATCHDOG_USEC={round((self.limit_s + more_s) * US)}")

    def _tell(self, *words: str) -> None:
        """Send lines; that it cannot be is said once, and no reason to stop."""
        if not self._address:
            return
        # `@` stands for the zero byte of a name that is no file.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(SEND_LIMIT_S)
                sender.sendto("\n".join(words).encode(), address)
        except OSError as error:
            if not self._silenced:
                why = error.strerror or error
                log.warning("NOTIFY_SOCKET %s: %s; the service manager does not hear us", self._address, why)
            self._silenced = True
