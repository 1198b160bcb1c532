"""Fewer samples without losing a peak: minima and maxima of equal runs of samples.

Every sample that is kept is one that came; none is invented or averaged. NaN means a break in the trace and is kept too.
"""

import numpy as np
from numpy.typing import NDArray


def keep(values: NDArray[np.float64], limit: int) -> NDArray[np.intp]:
    """Choose at most `limit` samples: of each run the smallest, the largest and the first break, in order.

    First and last sample stay as well, so that runs join without a hole.
    """
    n = len(values)
    if n <= limit:
        return np.arange(n)
    runs = max(1, (limit - 2) // 3)
    width = -(-n // runs)
    padded = np.full(runs * width, np.nan)
    padded[:n] = values
    table = padded.reshape(runs, width)
    breaks = np.isnan(table)
    first_of_run = np.arange(runs) * width
    chosen = np.concatenate(
        [
            np.where(breaks, np.inf, table).argmin(axis=1) + first_of_run,
            np.where(breaks, -np.inf, table).argmax(axis=1) + first_of_run,
            (breaks.argmax(axis=1) + first_of_run)[breaks.any(axis=1)],
            [0, n - 1],
        ]
    )
    return np.unique(chosen[chosen < n])
