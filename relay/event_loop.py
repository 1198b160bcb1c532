"""Descriptors that become readable, and things to do later: one thread, no polling."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable

__all__ = ["EventLoop"]

Action = Callable[[], None]


class EventLoop:
    """Calls handlers of readable descriptors and of timers that are due."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._selector = selectors.DefaultSelector()
        # When, a number that keeps equal times in order, what.
        self._timers: list[tuple[float, int, Action]] = []
        self._numbers = itertools.count()

    def watch(self, fd: int, handler: Action) -> None:
        """Call `handler` whenever `fd` is readable."""
        self._selector.register(fd, selectors.EVENT_READ, handler)

    def forget(self, fd: int) -> None:
        """Watch `fd` no more."""
        self._selector.unregister(fd)

    def after(self, delay_s: float, action: Action) -> None:
        """Call `action` once, later."""
        heapq.heappush(self._timers, (self.clock() + delay_s, next(self._numbers), action))

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
