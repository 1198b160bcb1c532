"""How often the live server ticks: 20 times a second, and more slowly while its work does not fit between ticks."""

from collections import deque
from typing import Any

RATES_HZ = (20, 10, 5, 2)
BUSY_SHARE = 0.7  # of the time between ticks: with more work than this, ticks come more slowly
IDLE_SHARE = 0.25  # and with less than this faster again
_PATIENCE = 20  # ticks in a row
_REMEMBERED = 1000  # ticks


class Rhythm:
    """The rhythm of the ticks, by how long the last of them took."""

    def __init__(self) -> None:
        self._place = 0
        self._over = 0
        self._under = 0
        self._worked: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def period_s(self) -> float:
        """Between ticks."""
        return 1 / RATES_HZ[self._place]

    @property
    def tick_ms(self) -> int:
        """The same in ms."""
        return 1000 // RATES_HZ[self._place]

    def worked(self, seconds: float) -> bool:
        """Take in how long a tick took; True when the rhythm changed."""
        self._worked.append(seconds)
        share = seconds / self.period_s
        self._over = self._over + 1 if share > BUSY_SHARE else 0
        self._under = self._under + 1 if share < IDLE_SHARE else 0
        if self._over >= _PATIENCE and self._place < len(RATES_HZ) - 1:
            return self._go(1)
        if self._under >= 10 * _PATIENCE and self._place > 0:
            return self._go(-1)
        return False

    def _go(self, by: int) -> bool:
        self._place += by
        self._over = self._under = 0
        return True

    def to_json(self) -> dict[str, Any]:
        """What the status tells of it."""
        worked = sorted(self._worked) or [0.0]
        return {
            "tick_ms": self.tick_ms,
            "work_ms_p50": round(worked[len(worked) // 2] * 1e3, 3),
            "work_ms_p99": round(worked[len(worked) * 99 // 100] * 1e3, 3),
        }
