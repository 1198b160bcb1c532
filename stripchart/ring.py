"""The recent samples of one channel: a time and, per numeric signal, a float64, in order of arrival.

Samples have running numbers from 0, so a reader remembers the number it has come to. Samples of before the first may be put
before it: they have negative numbers. The ring keeps the last 10 minutes, but never takes more than `max_bytes` (64 MiB by
default): a channel too fast or too wide for that keeps a shorter time.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Choice = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Which samples are wanted, of their times in order."""

SPAN_NS = 600 * 1_000_000_000
MAX_BYTES = 64 << 20
_FIRST_ALLOCATION = 1024
_LEAST = -(2**63)


class Ring:
    """Samples [first, total) of a channel."""

    def __init__(self, rows: int, span_ns: int = SPAN_NS, max_bytes: int = MAX_BYTES) -> None:
        # Older than this against the newest sample may go.
        self.span_ns = span_ns
        # Number after the newest sample.
        self.total = 0
        # Most samples kept. The arrays are twice as long, so that moving the kept ones to the front is rare.
        self.limit = _limit(rows, max_bytes)
        allocation = min(_FIRST_ALLOCATION, 2 * self.limit)
        self._times = np.empty(allocation, np.int64)
        self._values = np.empty((rows, allocation), np.float64)
        # The kept samples are [_start, _stop) of the arrays.
        self._start = 0
        self._stop = 0
        # From this number on times ascend, and those before are at most `_highest`.
        self._ascending = 0
        self._highest = _LEAST
        self._max_bytes = max_bytes

    @property
    def rows(self) -> int:
        """How many signals it has."""
        return len(self._values)

    @property
    def first(self) -> int:
        """Number of the oldest sample kept."""
        return self.total - (self._stop - self._start)

    @property
    def nbytes(self) -> int:
        """Bytes allocated."""
        return self._times.nbytes + self._values.nbytes

    def append(self, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add samples: `values` has a row per signal."""
        if not len(times):
            return
        self._note_order(times)
        self.total += len(times)
        times, values = times[-self.limit :], values[:, -self.limit :]
        n = len(times)
        if self._stop + n > len(self._times):
            self._make_room(n)
        self._times[self._stop : self._stop + n] = times
        self._values[:, self._stop : self._stop + n] = values
        self._stop += n
        self._start = max(self._start, self._stop - self.limit)

    def _note_order(self, times: NDArray[np.int64]) -> None:
        before = self._times[self._stop - 1] if self._stop > self._start else _LEAST
        falls = np.flatnonzero(np.append(before, times[:-1]) > times)
        if len(falls):
            fall = int(falls[-1])
            kept = self._times[self._start : self._stop]
            highest = max(kept.max(initial=_LEAST), times[:fall].max(initial=_LEAST))
            self._ascending, self._highest = self.total + fall, max(self._highest, int(highest))

    def put_before(self, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Put samples in the order of their times before number 0, in place of what was put there; the newest that fit.

        Nothing is done where number 0 is no longer kept.
        """
        if self.first > 0:
            return
        live = slice(self._stop - self.total, self._stop)
        n = min(len(times), self.limit - self.total)
        times = np.append(times[len(times) - n :], self._times[live])
        values = np.hstack([values[:, values.shape[1] - n :], self._values[:, live]])
        allocation = len(self._times)
        while allocation < 2 * self.limit and len(times) > allocation // 2:
            allocation = min(2 * allocation, 2 * self.limit)
        self._allocate(allocation)
        self._times[: len(times)], self._values[:, : len(times)] = times, values
        self._start, self._stop = 0, len(times)
        falls = np.flatnonzero(times[:-1] > times[1:])
        self._ascending = self.first + (int(falls[-1]) + 1 if len(falls) else 0)
        self._highest = int(times[: self._ascending - self.first].max(initial=_LEAST))

    def widen(self, rows: int) -> int:
        """Add signals, without values so far; gives the row of the first of them."""
        first = self.rows
        self._values = np.vstack([self._values, np.full((rows, len(self._times)), np.nan)])
        self.limit = _limit(self.rows, self._max_bytes)
        return first

    def _allocate(self, allocation: int) -> None:
        if allocation != len(self._times):
            self._times = np.empty(allocation, np.int64)
            self._values = np.empty((len(self._values), allocation), np.float64)

    def _make_room(self, n: int) -> None:
        kept = slice(self._start, self._stop)
        if self._stop > self._start:
            oldest = self._times[kept].max() - self.span_ns
            self._start += int(np.argmax(self._times[kept] >= oldest))
            self._start = max(self._start, self._stop + n - self.limit)
            kept = slice(min(self._start, self._stop), self._stop)
        held = kept.stop - kept.start
        allocation = len(self._times)
        while allocation < 2 * self.limit and held + n > allocation // 2:
            allocation = min(2 * allocation, 2 * self.limit)
        times = self._times[kept].copy()
        values = self._values[:, kept].copy()
        self._allocate(allocation)
        self._times[:held] = times
        self._values[:, :held] = values
        self._start, self._stop = 0, held

    @property
    def highest_ns(self) -> int:
        """The largest time that ever came."""
        return self._highest

    def since(self, time_ns: int) -> int:
        """Number of the first kept sample at or after a time; `total` when there is none."""
        if time_ns > self._highest or self._ascending <= self.first:
            start = max(self._ascending, self.first)
            return start + int(np.searchsorted(self.times(start), time_ns))
        reached = self._times[self._start : self._stop] >= time_ns
        return self.first + int(np.argmax(reached)) if reached.any() else self.total

    def select(
        self, time_ns: int, rows: list[int], chosen: Choice | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Samples from a time on in the order of their times, and at least one before it where there is one: copies.

        `chosen` tells of the times in order which samples are wanted; all when there is none.
        """
        start = max(self.first, self.since(time_ns) - 1)
        return self.ordered(start, rows, chosen)

    def ordered(
        self, start: int, rows: list[int], chosen: Choice | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Samples from number `start` to the newest in the order of their times, or those chosen of them: copies."""
        times = self.times(start)
        first = self._position(start)
        if start >= self._ascending and chosen is None:
            return times.copy(), self._values[rows, first : self._stop]
        order = np.arange(len(times)) if start >= self._ascending else np.argsort(times, kind="stable")
        if chosen is not None:
            order = order[chosen(times[order])]
        return times[order], self._values[np.array(rows, np.intp)[:, np.newaxis], first + order]

    def times(self, start: int) -> NDArray[np.int64]:
        """Times of the samples from number `start` (not before `first`) to the newest. A view: copy to keep."""
        return self._times[self._position(start) : self._stop]

    def values(self, row: int, start: int) -> NDArray[np.float64]:
        """Values of one signal from sample number `start`. A view: copy to keep."""
        return self._values[row, self._position(start) : self._stop]

    def _position(self, number: int) -> int:
        assert self.first <= number <= self.total, f"sample {number} is not kept"
        return self._stop - (self.total - number)


def _limit(rows: int, max_bytes: int) -> int:
    return max(1, max_bytes // (8 * (rows + 1)) // 2)
