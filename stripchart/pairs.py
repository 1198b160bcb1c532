"""Pairs of a minimum and a maximum at one time, brought into the order in which a trace passes them.

The decimated stream tells of each bucket the minima of all signals, then their maxima, both at its last time. Which came
first is not told. A signal that rises from bucket to bucket has its minimum first, one that falls its maximum.
"""

import numpy as np
from numpy.typing import NDArray


def arrange(times: NDArray[np.int64], values: NDArray[np.float64], before: NDArray[np.float64]) -> None:
    """Swap values of pairs where a signal falls; `before` are the middles of the pair before, NaN where there is none.

    `values` has a row per signal and is changed in place, `before` too: to the middles of the last pair.
    """
    second = _seconds(times)
    if not len(second):
        before[:] = np.nan
        return
    low, high = values[:, second - 1], values[:, second]
    with np.errstate(invalid="ignore"):  # infinite on both sides: it has no middle, and none is needed
        middles = low / 2 + high / 2
    previous = np.hstack([before[:, None], middles[:, :-1]])
    falls = middles < previous
    values[:, second - 1], values[:, second] = np.where(falls, high, low), np.where(falls, low, high)
    before[:] = middles[:, -1]


def _seconds(times: NDArray[np.int64]) -> NDArray[np.intp]:
    """Positions of the seconds of pairs: samples of the time of the one before, which is none itself."""
    same = np.append(False, times[1:] == times[:-1])
    # Within a run of samples of one time every other one is a second.
    place = np.arange(len(times))
    start = np.maximum.accumulate(np.where(same, 0, place))
    return np.flatnonzero((place - start) % 2 == 1)
