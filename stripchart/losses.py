"""What a live channel knows to be lost: spans of time in which records were sent and did not come.

A silence is no loss. Known losses are numbers that the source's sequence jumped over, packets that the kernel threw
away at the server's own socket, and what the relay lost where the stream itself cannot show it.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speeddata.stripchart.catalogue import Making
from speeddata.stripchart.relay_counts import Missing

_KEPT = 1000
_LARGEST = 1e9  # a larger jump is another beginning
_WINDOW = 64  # numbers by which a sample may be late; one farther back is another beginning
_RESTARTS_MAX = 8  # in one batch; with more, several sources number their records on their own
_TRUSTED_SHARE = 0.25  # of the samples may be odd: where more are, the sequence tells nothing
_MEMORY = 16  # samples
_STREAM_LATE_NS = 100_000_000  # a decimated stream is so far behind the counters of its relay


@dataclass(frozen=True)
class Loss:
    """One span without the records that were sent in it."""

    start_ns: int
    end_ns: int
    count: int | None
    """Records; None where nobody numbered them."""


class Losses:
    """The losses of one channel, the last thousand."""

    def __init__(self, making: Making) -> None:
        self._step = making.sequence_step
        # Buckets of a width hold as many records as come: only a sample that is a record by itself can be judged.
        self._only_lone = making.bucket_ns is not None
        # How many there ever were.
        self.total = 0
        self._kept: deque[Loss] = deque(maxlen=_KEPT)
        # Newest sample: its time and number.
        self._time: int | None = None
        self._number = np.nan
        self._is_numbered = False
        # Share of samples that do not follow the one before; trust is earned.
        self._odd = 0.5

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
        starts = np.append(times[0] if self._time is None else self._time, times[:-1])
        places = np.empty(0, np.intp)
        self._is_numbered = numbers is not None
        if numbers is not None and self._step is not None:
            missing = self._missing(times, numbers, self._step)
            places = np.flatnonzero(missing)
            for place in places:
                self._add(int(starts[place]), int(times[place]), int(missing[place]))
        if has_lost and self._time is not None and 0 not in places:
            self._add(self._time, int(times[0]), None)
            places = np.insert(places, 0, 0)
        self._time = max(int(times[-1]), int(starts[0]))
        return places

    def lose(self, newest_ns: int, missing: Missing) -> None:
        """Take in what the relay lost, as far as the stream does not show it; its newest sample is of `newest_ns`."""
        if self._is_numbered and self._step is not None and self._odd <= _TRUSTED_SHARE:
            return
        count = missing.records if self._is_numbered else 0
        if count or missing.has_unnumbered:
            start_ns = newest_ns - missing.over_ns - _STREAM_LATE_NS
            self._add(start_ns, newest_ns + _STREAM_LATE_NS, count or None)

    def _missing(
        self, times: NDArray[np.int64], numbers: NDArray[np.float64], step: int
    ) -> NDArray[np.float64]:
        """How many numbers were jumped over right before each sample: 0 where none were, or it cannot be told."""
        steps = self._steps(numbers)
        if self._only_lone:
            same = times[1:] == times[:-1]
            paired = np.append(same, False) | np.append(False, same)
        else:
            paired = np.zeros(len(times), np.bool_)
        missing = np.nan_to_num(steps - step)
        jumps = ~paired & (missing > 0) & (missing < _LARGEST)
        share = np.mean(jumps | paired | (steps < -_WINDOW))
        self._odd += min(1.0, len(times) / _MEMORY) * (share - self._odd)
        return np.where(jumps & (self._odd <= _TRUSTED_SHARE), missing, 0.0)

    def _steps(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much each number is over the highest before it; one that is another beginning by how much it went back."""
        steps = numbers.copy()
        start = 0
        for _ in range(_RESTARTS_MAX):
            highest = np.fmax.accumulate(np.append(self._number, numbers[start:]))
            steps[start:] = numbers[start:] - highest[:-1]
            back = steps[start:] < -_WINDOW
            if not back.any():
                self._number = highest[-1]
                return steps
            start += int(back.argmax())
            steps[start] = -np.inf
            self._number = numbers[start]
            start += 1
        self._number = numbers[-1]
        return np.full(len(numbers), -np.inf)

    def _add(self, start_ns: int, end_ns: int, count: int | None) -> None:
        self.total += 1
        self._kept.append(Loss(min(start_ns, end_ns), end_ns, count))
