"""Leases: a channel that has one goes inactive when nothing is heard of its device for so long. Nothing of it is deleted.

What is heard of a device is its registration, a renewal, and every packet. Times are those of a clock that nobody sets.
"""

import threading
import time
from collections.abc import Callable

__all__ = ["Leases"]


class Leases:
    """When each channel was heard of last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._heard: dict[str, float] = {}
        # Channels that have run out, until they are heard of again.
        self._out: set[str] = set()
        self._lock = threading.Lock()

    def renew(self, name: str) -> bool:
        """Take note that a channel's device is there; whether it had been given up."""
        with self._lock:
            was_out = name in self._out
            self._out.discard(name)
            self._heard[name] = self.clock()
            return was_out

    def forget(self, name: str) -> None:
        """The channel is no more, or has no lease any more."""
        with self._lock:
            self._out.discard(name)
            self._heard.pop(name, None)

    def has_run_out(self, name: str) -> bool:
        """Whether a channel was given up."""
        return name in self._out

    def left_s(self, name: str, ttl_s: float) -> float:
        """For how long a lease still holds, in seconds; 0 when it does not. One that was never heard of is, from now on."""
        with self._lock:
            if name in self._out:
                return 0.0
            heard = self._heard.setdefault(name, self.clock())
            return max(0.0, heard + ttl_s - self.clock())

    def give_up(self, name: str, ttl_s: float) -> bool:
        """Take a channel for one whose device is gone, until it is heard of again; False where its lease holds, or it was given up."""
        with self._lock:
            if name in self._out or self._heard.setdefault(name, self.clock()) + ttl_s > self.clock():
                return False
            self._out.add(name)
            return True

    def take_back(self, name: str) -> None:
        """Have a channel not be given up, though nothing was heard of it."""
        with self._lock:
            self._out.discard(name)
