"""How fast an archive grows, and how long the room for it lasts: pure."""

from collections import deque
from typing import Any

from speeddata.relay.disk_space import Space

__all__ = ["Growth", "forecast"]

LONG_S = 3600.0  # over which growth is seen: about a segment's life, so that what compression saves is in it
RECENT_S = 600.0  # the same for a source that has just begun
LEAST_S = 9.0  # two looks apart


class Growth:
    """Sizes of an archive over the last hour."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()  # monotonic time and bytes, oldest first

    def add(self, now: float, size: int) -> None:
        """Take in how large the archive is, or would be if nothing had been deleted."""
        self._seen.append((now, size))
        while now - self._seen[0][0] > LONG_S:
            self._seen.popleft()

    def rate(self) -> float | None:
        """Bytes a second, the larger of the last hour's and the last ten minutes'; None while too little was seen."""
        rates = [rate for span in (LONG_S, RECENT_S) if (rate := self._over(span)) is not None]
        return max(0.0, *rates) if rates else None

    def _over(self, span_s: float) -> float | None:
        if not self._seen:
            return None
        now, size = self._seen[-1]
        then, former = next(one for one in self._seen if now - one[0] <= span_s)
        return (size - former) / (now - then) if now - then >= LEAST_S else None


def forecast(space: Space, rate: float | None, min_free_percent: float) -> dict[str, Any]:
    """When the disk is full at this rate, and when the oldest segments go to keep some of it free; null: it does not come to that."""
    floor = int(space.size * min_free_percent / 100)
    return {
        "size_bytes": space.size,
        "free_bytes": space.free,
        "growth_bytes_per_s": None if rate is None else round(rate),
        "full_in_s": _seconds(space.free, rate),
        "deletes_in_s": _seconds(space.free - floor, rate) if floor else None,
    }


def _seconds(room: int, rate: float | None) -> int | None:
    return int(max(0, room) / rate) if rate else None
