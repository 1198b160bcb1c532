"""Work in threads that a client waits for: given up at its deadline, and when the client has left or the service stops."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from speeddata.pivot.problem import Problem

__all__ = ["Attendance", "Left", "Stopped", "attend", "checker", "stopping"]

POLL_S = 0.2  # how often a client is looked after while its answer is made
T = TypeVar("T")
Left = Callable[[], Awaitable[bool]]  # tells whether the client has gone


class Stopped(Exception):
    """The work is not wanted any more."""


def checker(stop: threading.Event) -> Callable[[], None]:
    """What raises Stopped as soon as it is called after the event."""

    def check() -> None:
        if stop.is_set():
            raise Stopped

    return check


def stopping() -> Problem:
    """What a client is told while the service stops."""
    return Problem(503, "The service is stopping")


async def attend(
    work: "asyncio.Future[T]", left: Left | None, timeout_s: float, late: Problem, closing: Callable[[], bool]
) -> T:
    """What work comes to; Problem `late` at its deadline, 499 when the client has left, 503 when the service is `closing`.

    Without `left` the client is somebody else's affair. The work itself is not ended.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        await asyncio.wait({work}, timeout=min(POLL_S, max(0.0, deadline - time.monotonic())))
        if work.done():
            break
        if time.monotonic() >= deadline:
            raise late
        if closing():
            raise stopping()
        if left is not None and await left():
            raise Problem(499, "The client has left")
    try:
        return work.result()
    except (Stopped, asyncio.CancelledError):
        if not closing():
            raise
        raise stopping() from None


class Attendance:
    """Threads in which work for clients is done, so much at a time."""

    def __init__(self, name: str, running: int) -> None:
        self._threads = ThreadPoolExecutor(running, name)
        self._stops: set[threading.Event] = set()
        self.closing = False

    def close(self) -> None:
        """Stop all that is under way; what is to come is refused."""
        self.closing = True
        for stop in self._stops:
            stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def begin(self) -> threading.Event:
        """The event that ends what is done for one client; 503 while the service stops."""
        if self.closing:
            raise stopping()
        stop = threading.Event()
        self._stops.add(stop)
        return stop

    def end(self, stop: threading.Event) -> None:
        """No more is done for a client."""
        self._stops.discard(stop)
        stop.set()

    async def step(
        self,
        work: Callable[[], T],
        stop: threading.Event,
        left: Left | None,
        timeout_s: float,
        late: Problem,
        discard: Callable[[T], None] | None = None,
    ) -> T:
        """Do one thing for a client; what nobody takes is given to `discard`, and its event is set."""
        if self.closing:
            raise stopping()
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        taken = False
        try:
            made = await attend(future, left, timeout_s, late, lambda: self.closing)
            taken = True
            return made
        finally:
            if not taken:
                stop.set()
                future.add_done_callback(lambda done: _let_go(done, discard))


def _let_go(done: "asyncio.Future[T]", discard: Callable[[T], None] | None) -> None:
    """Look at what work that nobody waits for came to, so that it is not complained about."""
    if not done.cancelled() and done.exception() is None and discard is not None:
        discard(done.result())
