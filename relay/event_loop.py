"""Descriptors that become readable, and things to do later: one thread, no polling."""

import contextlib
import heapq
import itertools
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator

__all__ = ["EventLoop"]

Action = Callable[[], None]


class EventLoop:
    """Calls handlers of readable descriptors and of timers that are due."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._selector = selectors.DefaultSelector()
        # What other threads want done, and by what we wake for it.
        self._posted: deque[Action] = deque()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.watch(self._bell, self._take_posted)
        # When, a number that keeps equal times in order, what.
        self._timers: list[tuple[float, int, Action]] = []
        self._numbers = itertools.count()
        # Told the seconds that a handler may take before the loop turns again, and 0 when it is done.
        self.on_wait: Callable[[float], None] = lambda _: None

    def watch(self, fd: int, handler: Action) -> None:
        """Call `handler` whenever `fd` is readable."""
        self._selector.register(fd, selectors.EVENT_READ, handler)

    def forget(self, fd: int) -> None:
        """Watch `fd` no more."""
        self._selector.unregister(fd)

    def post(self, action: Action) -> None:
        """Call `action` in the loop's own thread, soon; for any other thread."""
        self._posted.append(action)
        os.eventfd_write(self._bell, 1)

    def _take_posted(self) -> None:
        os.eventfd_read(self._bell)
        while self._posted:
            self._posted.popleft()()

    def after(self, delay_s: float, action: Action) -> None:
        """Call `action` once, later."""
        heapq.heappush(self._timers, (self.clock() + delay_s, next(self._numbers), action))

    @contextlib.contextmanager
    def waiting(self, limit_s: float) -> Iterator[None]:
        """Say that what follows may keep the loop from turning for so long, without being hung."""
        self.on_wait(limit_s)
        try:
            yield
        finally:
            self.on_wait(0.0)

    def turn(self, limit_s: float | None = None) -> None:
        """Wait for something to happen, `limit_s` at most, and handle it."""
        timeout = max(0.0, self._timers[0][0] - self.clock()) if self._timers else None
        if limit_s is not None:
            timeout = limit_s if timeout is None else min(timeout, limit_s)
        for key, _ in self._selector.select(timeout):
            key.data()
        now = self.clock()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def close(self) -> None:
        """Watch nothing any more."""
        self._selector.close()
        os.close(self._bell)
