"""What a live channel knows to be lost: spans of time in which records were sent and did not come.

A silence is no loss. Known losses are numbers that the source's sequence jumped over, and packets that the kernel threw
away at the server's own socket.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_KEPT = 1000
_LARGEST = 1e9  # a larger jump is another beginning
_TRUSTED_SHARE = (
    0.25  # of the steps may jump; where more do, several sources number their records on their own
)


@dataclass(frozen=True)
class Loss:
    """One span without the records that were sent in it."""

    start_ns: int
    end_ns: int
    count: int | None
    """Records; None where nobody numbered them."""


class Losses:
    """The losses of one channel, the last thousand."""

    def __init__(self, step: int | None) -> None:
        # By how much the sequence goes on from one sample to the next; None where that cannot be told.
        self.step = step
        # How many there ever were.
        self.total = 0
        self._kept: deque[Loss] = deque(maxlen=_KEPT)
        # Newest sample: its time and number.
        self._time: int | None = None
        self._number = np.nan
        self._jumping = 0.0

    def since(self, number: int) -> list[Loss]:
        """Those after the first `number` ones, as far as they are kept."""
        new = min(self.total - number, len(self._kept))
        return list(self._kept)[len(self._kept) - new :] if new > 0 else []

    def take(
        self, times: NDArray[np.int64], numbers: NDArray[np.float64] | None, has_lost: bool
    ) -> NDArray[np.intp]:
        """Take in samples in order, with their sequence numbers; give the positions of those that come after a loss.

        `has_lost`: packets before the first of them were thrown away.
        """
        places = np.empty(0, np.intp)
        if numbers is not None and self.step is not None:
            places = self._jumps(times, numbers)
        if has_lost and self._time is not None and 0 not in places:
            self._add(self._time, int(times[0]), None)
            places = np.insert(places, 0, 0)
        self._time = max(int(times[-1]), self._time or 0)
        return places

    def _jumps(self, times: NDArray[np.int64], numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        assert self.step is not None, "asked where the step is known"
        before = np.concatenate([[self._number], numbers[:-1]])
        starts = np.concatenate([[self._time or times[0]], times[:-1]])
        self._number = numbers[-1]
        steps = np.where(times == starts, self.step, numbers - before)  # a pair spans what is in its bucket
        missing = steps / self.step - 1
        jumps = np.flatnonzero((missing >= 1) & (missing < _LARGEST))
        share = len(jumps) / len(times)
        weight = min(1.0, len(times) / 64)
        self._jumping += weight * (share - self._jumping)
        if self._jumping > _TRUSTED_SHARE:
            return np.empty(0, np.intp)
        for place in jumps:
            self._add(int(starts[place]), int(times[place]), int(missing[place]))
        return jumps

    def _add(self, start_ns: int, end_ns: int, count: int | None) -> None:
        self.total += 1
        self._kept.append(Loss(start_ns, end_ns, count))
