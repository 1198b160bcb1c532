"""The usual interval of a stream, and the intervals that are too long for it: gaps."""

import numpy as np
from numpy.typing import NDArray

_REMEMBERED = 16
_FACTOR = 3.0
_SHORTEST_GAP_NS = 100_000_000  # less is the jitter of a sender


class Intervals:
    """The last 16 intervals between times.

    The usual interval is the third longest of them: two losses do not stretch it, and a stream that slows down is
    believed at its third slow interval.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self._recent = np.empty(0, np.int64)

    @property
    def usual_ns(self) -> int | None:
        """The usual interval; None as long as fewer than three are known."""
        return _usual(self._recent)

    def gaps(self, times_ns: NDArray[np.int64]) -> NDArray[np.intp]:
        """Take in ascending times; give the positions of those that come after a gap."""
        if not len(times_ns):
            return np.empty(0, np.intp)
        before = times_ns[0] if self.last is None else self.last
        steps = np.diff(times_ns, prepend=before)
        forward = steps[steps > 0]
        usual = self.usual_ns or _usual(forward)
        limit = np.inf if usual is None else max(_FACTOR * usual, _SHORTEST_GAP_NS)
        self.last = int(times_ns[-1])
        self._recent = np.concatenate([self._recent, forward])[-_REMEMBERED:]
        return np.flatnonzero(steps > limit)


def _usual(intervals: NDArray[np.int64]) -> int | None:
    return int(np.partition(intervals, -3)[-3]) if len(intervals) >= 3 else None
