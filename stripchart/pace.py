"""How fast a client takes what it is sent: when it gets a frame, when it has to wait, and when it is given up.

Two things tell. The connection's unsent bytes, which say nothing of what the network and a page that hangs hold; and the
reports of a page, which say which frame it has taken in. A page that nobody looks at is not judged by its reports, as
browsers let such pages run but now and then.
"""

from collections import deque
from typing import Any

from speeddata.stripchart.subscription import Report

BUFFER_HIGH = 64 << 10  # bytes unsent, from which on a client gets no more
BUFFER_LOW = 32 << 10  # and below which it does again
BEHIND_S = 2.0  # a page so far behind gets a frame a second
FAR_BEHIND_S = 10.0  # and one so far behind none
GIVEN_UP_S = 30.0  # with nothing taken for so long, the connection is closed
HIDDEN_S = 1.0  # between the frames of a page that nobody looks at
_EARLY_S = 0.025  # half a tick: frames a second apart are not to become so many ticks more
_TICKS = 2**32


class Pace:
    """The pace of one client."""

    def __init__(self) -> None:
        # Ticks held back since its last frame.
        self.merged = 0
        # Since when it takes nothing, on the monotonic clock; None while it does.
        self.stuck_since: float | None = None
        self.is_hidden = False
        # How it draws, as it says.
        self.drawn: dict[str, float] = {}
        self._reports = False
        self._is_full = False
        # Numbers of ticks that were sent and not reported, and when; those of a page far behind are few.
        self._sent: deque[tuple[int, float]] = deque(maxlen=1000)
        self._sent_s = -1e9

    def report(self, report: Report) -> None:
        """Take in what the page tells."""
        self.is_hidden, self.drawn = report.is_hidden, report.drawn
        self._reports = True
        while self._sent and (report.tick - self._sent[0][0]) % _TICKS < _TICKS // 2:
            self._sent.popleft()

    def behind_s(self, now_s: float) -> float | None:
        """Age of the oldest frame that the page has not reported; 0 when there is none, None for one that never reports."""
        if not self._reports:
            return None
        return now_s - self._sent[0][1] if self._sent else 0.0

    def is_due(self, unsent: int, now_s: float) -> bool:
        """Whether it gets a frame now; else the tick is merged into a later one."""
        self._is_full = unsent > (BUFFER_LOW if self._is_full else BUFFER_HIGH)
        behind_s = 0.0 if self.is_hidden else self.behind_s(now_s) or 0.0
        is_stuck = self._is_full or behind_s > FAR_BEHIND_S
        if not is_stuck:
            self.stuck_since = None
        elif self.stuck_since is None:
            self.stuck_since = now_s
        waits = HIDDEN_S - _EARLY_S if self.is_hidden or behind_s > BEHIND_S else 0.0
        is_due = not is_stuck and now_s - self._sent_s >= waits
        self.merged += not is_due
        return is_due

    def sent(self, tick: int, now_s: float) -> int:
        """Note that a frame was sent; give the ticks that were held back before it."""
        merged, self.merged = self.merged, 0
        self._sent_s = now_s
        if self._reports:
            self._sent.append((tick % _TICKS, now_s))
        return merged

    def is_given_up(self, now_s: float) -> bool:
        """Whether it has taken nothing for too long."""
        return self.stuck_since is not None and now_s - self.stuck_since > GIVEN_UP_S

    def to_json(self, now_s: float) -> dict[str, Any]:
        """What the status tells of it."""
        behind_s = self.behind_s(now_s)
        return {
            "lagging": self.stuck_since is not None or not self.is_hidden and (behind_s or 0.0) > BEHIND_S,
            "hidden": self.is_hidden,
            "behind_s": None if behind_s is None else round(behind_s, 3),
            **self.drawn,
        }
