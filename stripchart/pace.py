"""How fast a client takes what it is sent: when it gets a frame, when it has to wait, and when it is given up.

Two things tell. The connection's unsent bytes, which say nothing of what the network and a page that hangs hold; and the
reports of a page, which say which frame it has taken in. As for TCP, so many frames may be on their way: half as many
when a frame is reported late, more when it is reported soon, so that what waits on a slow way makes no frame old. A page
that nobody looks at is not judged by its reports, as browsers let such pages run but now and then.
"""

from collections import deque
from typing import Any

from speeddata.stripchart.subscription import Report

BUFFER_HIGH = 64 << 10  # bytes unsent, from which on a client gets no more
BUFFER_LOW = 32 << 10  # and below which it does again
BEHIND_S = 2.0  # a frame reported so late halves what may be on its way
SOON_S = 1.2  # one reported so soon lets two more be
AT_ONCE_S = 0.6  # and one reported so soon half as many again
FAR_BEHIND_S = 10.0  # with a frame on its way for so long, there is no other
WINDOW = 60  # frames on their way at most: three seconds of them
# After so long there is another all the same: the page may have taken all, and reports with the next.
_PROBE_S = 3.0
GIVEN_UP_S = 30.0  # with nothing taken for so long, the connection is closed
HIDDEN_S = 1.0  # between the frames of a page that nobody looks at
_EARLY_S = 0.025  # half a tick: frames a second apart are not to become so many ticks more
_TICKS = 2**32


class Pace:
    """The pace of one client."""

    def __init__(self) -> None:
        # Ticks held back since its last frame.
        self.merged = 0
        # Whether ticks before its last frame were held back because it did not take them.
        self.was_held = self._is_held = False
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
        # Frames that may be on their way, and how late the last were reported.
        self.window = WINDOW
        self.late_s = 0.0
        # When the frame was sent that the last report told of; None when that was taken into account.
        self._reported: float | None = None
        self._adapted_s = -1e9

    def report(self, report: Report) -> None:
        """Take in what the page tells."""
        self.is_hidden, self.drawn = report.is_hidden, report.drawn
        self._reports = True
        while self._sent and (report.tick - self._sent[0][0]) % _TICKS < _TICKS // 2:
            _, sent_s = self._sent.popleft()
            self.stuck_since = None  # it takes something
            self._reported = sent_s  # of the newest: the others' reports were spared

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
        if self._reported is not None:
            self._adapt(now_s - self._reported, now_s)
        waits = HIDDEN_S - _EARLY_S if self.is_hidden else 0.0
        if not self.is_hidden and len(self._sent) >= self.window:
            waits = _PROBE_S
        is_due = not is_stuck and now_s - self._sent_s >= waits
        self.merged += not is_due
        self._is_held |= not is_due and not self.is_hidden
        return is_due

    @property
    def is_slow(self) -> bool:
        """Whether it gets fewer frames than there are, as it does not take them in time."""
        return not self.is_hidden and (self.was_held or self.window < WINDOW // 2)

    def _adapt(self, late_s: float, now_s: float) -> None:
        """Take in how long the frame just reported was on its way; once a second, as what is done shows late."""
        self._reported, self.late_s = None, late_s
        if now_s - self._adapted_s < 1:
            return
        self._adapted_s = now_s
        if self.is_hidden or late_s <= SOON_S:
            more = self.window // 2 if late_s <= AT_ONCE_S else 0
            self.window = min(self.window + max(2, more), WINDOW)
        elif late_s > BEHIND_S:
            self.window = max(self.window // 2, 1)

    def sent(self, tick: int, now_s: float) -> int:
        """Note that a frame was sent; give the ticks that were held back before it."""
        merged, self.merged = self.merged, 0
        self.was_held, self._is_held = self._is_held, False
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
        is_late = not self.is_hidden and (behind_s or 0.0) > BEHIND_S
        return {
            "lagging": self.stuck_since is not None or self.is_slow or is_late,
            "hidden": self.is_hidden,
            "behind_s": None if behind_s is None else round(behind_s, 3),
            **self.drawn,
        }
