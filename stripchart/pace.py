"""How fast a client takes what it is sent: when it gets a frame, when it has to wait, and when it is given up.

Two things tell. The connection's unsent bytes, which say nothing of what the network and a page that hangs hold; and the
reports of a page, which say which frame it has taken in.
"""

from typing import Any

from speeddata.stripchart.subscription import Report

BUFFER_HIGH = 64 << 10  # bytes unsent, from which on a client gets no more
BUFFER_LOW = 32 << 10  # and below which it does again
BEHIND_S = 2.0  # a page so far behind gets a frame a second
FAR_BEHIND_S = 10.0  # and one so far behind none
GIVEN_UP_S = 30.0  # with nothing taken for so long, the connection is closed
HIDDEN_S = 1.0  # between the frames of a page that nobody looks at


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
        # Seconds from a frame's making until the page's report of it; None for a client that does not report.
        self.behind_s: float | None = None
        self._is_full = False
        # When each of the last ticks was sent, by its number; what was reported is dropped.
        self._sent: dict[int, float] = {}
        self._sent_s = -1e9

    def report(self, report: Report) -> None:
        """Take in what the page tells."""
        self.is_hidden, self.drawn = report.is_hidden, report.drawn
        sent = self._sent.get(report.tick)
        if sent is not None:
            self._sent = {tick: at for tick, at in self._sent.items() if at > sent}
        self.behind_s = self.behind_s or 0.0

    def _age(self, now_s: float) -> float:
        """Seconds since the oldest frame was sent that the page has not reported; 0 for one that never reports."""
        if self.behind_s is None or not self._sent:
            return 0.0
        self.behind_s = now_s - next(iter(self._sent.values()))
        return self.behind_s

    def is_due(self, unsent: int, now_s: float) -> bool:
        """Whether it gets a frame now; else the tick is merged into a later one."""
        self._is_full = unsent > (BUFFER_LOW if self._is_full else BUFFER_HIGH)
        age = self._age(now_s)
        is_stuck = self._is_full or age > FAR_BEHIND_S
        if not is_stuck:
            self.stuck_since = None
        elif self.stuck_since is None:
            self.stuck_since = now_s
        waits = HIDDEN_S if self.is_hidden or age > BEHIND_S else 0.0
        is_due = not is_stuck and now_s - self._sent_s >= waits
        self.merged += not is_due
        return is_due

    def sent(self, tick: int, now_s: float) -> int:
        """Note that a frame was sent; give the ticks that were held back before it."""
        merged, self.merged = self.merged, 0
        self._sent_s = now_s
        if self.behind_s is not None:
            self._sent[tick & 0xFFFFFFFF] = now_s
        return merged

    def is_given_up(self, now_s: float) -> bool:
        """Whether it has taken nothing for too long."""
        return self.stuck_since is not None and now_s - self.stuck_since > GIVEN_UP_S

    def to_json(self, now_s: float) -> dict[str, Any]:
        """What the status tells of it."""
        return {
            "lagging": self.stuck_since is not None or self._age(now_s) > BEHIND_S,
            "hidden": self.is_hidden,
            "behind_s": None if self.behind_s is None else round(self._age(now_s), 3),
            **self.drawn,
        }
