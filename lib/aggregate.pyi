from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = tuple[
    NDArray[np.int64],
    NDArray[Any],
    NDArray[Any],
    NDArray[Any],
    NDArray[Any],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
]

def find_runs(times: NDArray[np.int64], width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split ascending times [n] into runs of one bucket each, buckets being `width` ns wide and aligned to 1970 UTC.

    Gives where the buckets begin [runs] and the bounds of the runs [runs + 1]. Times must be at least `width` above the
    lowest int64.
    """

def reduce_values(
    values: NDArray[Any], nulls: NDArray[np.bool_] | None, times: NDArray[np.int64], bounds: NDArray[np.int64]
) -> Rows:
    """Aggregate the runs of a column [n], of which `nulls` do not count, between bounds [runs + 1].

    Gives columns [runs]: count, minimum, maximum, first, last (float64 for real values, else int64), sum, sum of squared
    deviations from the mean, time of the first and of the last. A run without values has count 0, and 0 everywhere.
    TypeError for other values than float64, float32, int64, int32 and bool; ValueError for lengths and bounds that do
    not fit.
    """

def merge_rows(rows: Rows, bounds: NDArray[np.int64]) -> Rows:
    """Merge runs of such rows, which stand in order of arrival, into one each.

    Of equally old first values the one that stands before the other counts, of equally new last values the one after it.
    """

def weigh(
    values: NDArray[np.float64],
    times: NDArray[np.int64],
    edges: NDArray[np.int64],
    area: NDArray[np.float64],
    weight: NDArray[np.float64],
    held: float,
    since: int,
    until: int,
) -> tuple[float, int]:
    """Add to `area` and `weight` of the buckets between edges: value times ns, and ns, of a value that holds until the next.

    `held` holds since `since` (NaN: nothing does), the last of the values until `until`. Gives what holds then, and since
    when.
    """
