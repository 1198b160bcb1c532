"""Where samples stand on the server's time axis.

A sample stands at its own time. Where that cannot be (the source's clock is off by more than 5 s), the whole channel is
shifted so that its newest sample stands at its arrival, and the shift is told as `skew`: a wrong clock shows, but it does
not hide the data.
"""

import numpy as np
from numpy.typing import NDArray

TOLERANCE_NS = 5_000_000_000
_AHEAD_NS = 1_000_000_000  # one sample may be this far ahead of the server
_BEHIND_NS = 600_000_000_000  # and as far behind as the ring reaches
_FARTHEST_NS = 2**62  # 146 years; a clock that is off by more is none


class Placing:
    """Maps source times to the server's clock."""

    def __init__(self) -> None:
        # Source clock minus server clock; 0 while they agree within the tolerance.
        self.skew_ns = 0
        # Samples whose own time could not be right.
        self.bad_time = 0
        # Times the shift changed.
        self.steps = 0

    def place(self, times: NDArray[np.int64], bad: NDArray[np.bool_], now_ns: int) -> NDArray[np.int64]:
        """Give where samples that arrived at `now_ns` stand; those with `bad` times stand at their arrival."""
        bad = bad | (np.abs(times.astype(np.float64) - float(now_ns)) > _FARTHEST_NS)
        good = times[~bad]
        if len(good):
            self._adjust(int(good[-1]), now_ns)
        # In floating point, as any int64 may come; a microsecond is lost only where the time is wrong anyway.
        ahead = times.astype(np.float64) - float(now_ns + self.skew_ns)
        bad = bad | (ahead > _AHEAD_NS) | (ahead < -_BEHIND_NS)
        self.bad_time += int(bad.sum())
        return np.where(bad, now_ns, np.where(bad, 0, times) - self.skew_ns)

    def _adjust(self, newest: int, now_ns: int) -> None:
        skew = newest - now_ns
        if abs(skew) <= TOLERANCE_NS:
            wanted = 0
        elif abs(skew - self.skew_ns) <= TOLERANCE_NS:
            return
        else:
            wanted = skew
        self.steps += wanted != self.skew_ns
        self.skew_ns = wanted
