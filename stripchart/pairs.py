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
    second = np.flatnonzero(np.concatenate([[False], times[1:] == times[:-1]]) & ~_third(times))
    if not len(second):
        before[:] = np.nan
        return
    low, high = values[:, second - 1], values[:, second]
    middles = (low + high) / 2
    previous = np.hstack([before[:, None], middles[:, :-1]])
    falls = middles < previous
    values[:, second - 1], values[:, second] = np.where(falls, high, low), np.where(falls, low, high)
    before[:] = middles[:, -1]


def _third(times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a time comes for at least the third time running: not a pair's second."""
    third = np.zeros(len(times), np.bool_)
    third[2:] = (times[2:] == times[1:-1]) & (times[1:-1] == times[:-2])
    return third
