"""Where samples stand on the server's time axis.

A sample stands at its own time. Where that cannot be (the source's clock is off by more than 5 s), the whole channel is
shifted so that its newest sample stands at its arrival, and the shift is told as `skew`: a wrong clock shows, but it does
not hide the data. Samples whose times go on where they were, but that come late, are late, not of a wrong clock: only when
that lasts are they shifted.
"""

import numpy as np
from numpy.typing import NDArray

TOLERANCE_NS = 5_000_000_000
_PATIENCE_NS = 10_000_000_000
_AHEAD_NS = 1_000_000_000  # one sample may be this far ahead of the server
_BEHIND_NS = 600_000_000_000  # and as far behind as the ring reaches
_FARTHEST_NS = 2**62  # 146 years; a clock that is off by more is none


class Placing:
    """Maps source times to the server's clock.

    A shift is a multiple of `step_ns`, the width of the stream's buckets, so that columns are made of whole ones.
    """

    def __init__(self, step_ns: int = 1) -> None:
        self._step_ns = step_ns
        # Source clock minus server clock; 0 while they agree within the tolerance.
        self.skew_ns = 0
        # Samples whose own time could not be right.
        self.bad_time = 0
        # Times the shift changed.
        self.steps = 0
        # Newest time of the source.
        self._newest: int | None = None
        # Since when samples that go on where they were are late; None when they are not.
        self._late_since: int | None = None

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
        goes_on = self._newest is not None and abs(newest - self._newest) <= TOLERANCE_NS
        self._newest = newest
        if abs(skew) <= TOLERANCE_NS:
            wanted = 0
        elif abs(skew - self.skew_ns) <= TOLERANCE_NS:
            wanted = self.skew_ns
        elif goes_on and self._is_patient(now_ns):
            return
        else:
            wanted = -(-skew // self._step_ns) * self._step_ns  # up: no sample stands in the future
        self._late_since = None
        self.steps += wanted != self.skew_ns
        self.skew_ns = wanted

    def _is_patient(self, now_ns: int) -> bool:
        if self._late_since is None:
            self._late_since = now_ns
        return now_ns - self._late_since < _PATIENCE_NS
