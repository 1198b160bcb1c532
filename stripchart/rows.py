"""The recent arrays of one signal, such as spectra for a waterfall: a time and a row of numbers each.

A row has at most 512 numbers: of a longer array the largest of each of equal runs, so that no line of a spectrum is lost.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 4096  # an array of more numbers has no rows
WIDTH_MAX = 512
SPAN_NS = 60 * 1_000_000_000
MAX_BYTES = 16 << 20
_BESIDE = 256  # bytes that each row takes beside its numbers


class RowRing:
    """Rows [first, total) of a signal, in order of arrival: those of the last minute, at most 16 MiB."""

    def __init__(self, span_ns: int = SPAN_NS, max_bytes: int = MAX_BYTES) -> None:
        # Number after the newest row.
        self.total = 0
        self._span_ns = span_ns
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: deque[tuple[int, NDArray[np.float32]]] = deque()

    @property
    def first(self) -> int:
        """Number of the oldest row kept."""
        return self.total - len(self._kept)

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return self._bytes

    def append(self, times: NDArray[np.int64], arrays: Iterable[Any]) -> None:
        """Add arrays; what is none, or is empty or too long, is left out."""
        for time_ns, array in zip(times.tolist(), arrays, strict=True):
            row = reduced(array)
            if row is None:
                continue
            self._kept.append((time_ns, row))
            self._bytes += row.nbytes + _BESIDE
            self.total += 1
        newest = self._kept[-1][0] if self._kept else 0
        while self._kept and (
            self._bytes > self._max_bytes or abs(newest - self._kept[0][0]) > self._span_ns
        ):
            self._bytes -= self._kept.popleft()[1].nbytes + _BESIDE

    def since(self, time_ns: int) -> int:
        """Number of the first kept row at or after a time, at least of the newest; `total` when there is none."""
        for place, (own, _) in enumerate(self._kept):
            if own >= time_ns:
                return self.first + place
        return max(self.first, self.total - 1)

    def read(self, start: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows from number `start` to the newest, in order; of those as long as the newest."""
        chosen = [self._kept[place] for place in range(max(0, start - self.first), len(self._kept))]
        chosen = [one for one in chosen if len(one[1]) == len(chosen[-1][1])]
        chosen.sort(key=lambda one: one[0])
        times = np.array([one[0] for one in chosen], np.int64)
        return times, np.stack([one[1] for one in chosen]) if chosen else np.empty((0, 0), np.float32)


def reduced(array: Any) -> NDArray[np.float32] | None:
    """An array of numbers as a row; None when it is none, or too long."""
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "if":
        return None
    if not 0 < len(array) <= LONGEST:
        return None
    run = -(-len(array) // WIDTH_MAX)
    starts = np.arange(0, len(array), run)
    with np.errstate(over="ignore"):  # what is beyond float32 is infinite there
        return np.fmax.reduceat(array.astype(np.float32), starts)
