"""The usual interval of a stream, and the intervals that are too long for it: gaps."""

import numpy as np
from numpy.typing import NDArray

_REMEMBERED = 16
_FACTOR = 3.0
# A sender on a busy machine is held up for less than this, without losing anything.
_SHORTEST_GAP_NS = 250_000_000
# Times farther back than this come from a clock set back, not from a late packet.
_SET_BACK_NS = 5_000_000_000


class Intervals:
    """The last 16 intervals between times.

    The usual interval is the third longest of them: two losses do not stretch it, and a stream that slows down is
    believed at its third slow interval. A time that was overtaken on its way counts for nothing: it ends no interval, and
    the next one does not begin at it.
    """

    def __init__(self) -> None:
        # The newest time.
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
        newest = int(times_ns[-1])
        if self.last is None or newest < self.last - _SET_BACK_NS:
            self.last = int(times_ns[0])
        steps = times_ns - np.maximum(np.append(self.last, times_ns[:-1]), self.last)
        forward = steps[steps > 0]
        usual = self.usual_ns or _usual(forward)
        limit = np.inf if usual is None else max(_FACTOR * usual, _SHORTEST_GAP_NS)
        self.last = max(self.last, newest)
        self._recent = np.concatenate([self._recent, forward])[-_REMEMBERED:]
        return np.flatnonzero(steps > limit)


def _usual(intervals: NDArray[np.int64]) -> int | None:
    return int(np.partition(intervals, -3)[-3]) if len(intervals) >= 3 else None


def breaks(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where a gap is between spans in order, such as buckets: positions of those that come after one, all at once.

    `begins` may have one more than `ends`: what comes next.
    """
    usual = _usual_of_all(np.diff(begins))
    if usual is None:
        return np.empty(0, np.intp)
    silences = begins[1:] - ends[: len(begins) - 1]
    return np.flatnonzero(silences > max(_FACTOR * usual, _SHORTEST_GAP_NS)) + 1


def _usual_of_all(steps: NDArray[np.int64]) -> int | None:
    forward = steps[steps > 0]
    return int(np.median(forward)) if len(forward) >= 3 else None
