"""What happened: states that changed, relays that died, channels that came, went or were changed. Newest first, and a bounded number of them.

Who notes an event never waits for the disk, or fails for it: what is noted is written by `flush`, all at once.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from speeddata.registry.store import Store
from speeddata.times import format_time

__all__ = ["KEPT", "KINDS", "Event", "Events"]

KINDS = ("channel", "service", "keeper", "archive", "settings")
KEPT = 100_000  # events
PENDING = 10_000  # that are not written yet, as when the disk is full; beyond that the oldest of them go
MAX_REASON = 500  # characters


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    kind: str
    name: str
    event: str
    reason: str = ""
    former: str | None = None
    state: str | None = None


class Events:
    """The events of one registry."""

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        self.store = store
        self.clock = clock
        self.left_out = 0  # that went before they could be written
        self._pending: deque[tuple[int, Event]] = deque(maxlen=PENDING)
        self._turn = threading.Lock()  # held for moments, by who notes
        self._lock = threading.Lock()  # held by who writes

    def note(self, event: Event) -> None:
        """Have an event among those that are told."""
        with self._turn:
            self.left_out += len(self._pending) == self._pending.maxlen
            self._pending.append((self.clock(), event))

    def flush(self) -> None:
        """Write what was noted. StoreError where that cannot be; then it is kept for the next time."""
        with self._lock:
            with self._turn:
                noted, self._pending = self._pending, deque(maxlen=self._pending.maxlen)
            if not noted:
                return
            try:
                self._write(noted)
            except BaseException:
                self._take_back(noted)
                raise

    def _write(self, noted: Iterable[tuple[int, Event]]) -> None:
        with self.store.transaction() as writer:
            writer.executemany(
                "INSERT INTO events (at_ns, kind, name, event, former, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (at_ns, one.kind, one.name, one.event, one.former, one.state, one.reason[:MAX_REASON])
                    for at_ns, one in noted
                ],
            )
            writer.execute("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (KEPT,))

    def _take_back(self, noted: deque[tuple[int, Event]]) -> None:
        """Keep what could not be written, before what was noted meanwhile, as far as there is room."""
        with self._turn:
            self.left_out += max(0, len(noted) + len(self._pending) - (noted.maxlen or 0))
            noted.extend(self._pending)  # which lets the oldest go
            self._pending = noted

    def list(
        self, limit: int, before: int | None = None, kind: str | None = None, name: str | None = None
    ) -> list[dict[str, Any]]:
        """Events, newest first: those before an id, of a kind, about a name."""
        self.flush()
        wanted = {"id < ?": before, "kind = ?": kind, "name = ?": name}
        given = {condition: value for condition, value in wanted.items() if value is not None}
        where = f"WHERE {' AND '.join(given)} " if given else ""
        with self.store.reading() as reader:
            rows = reader.execute(
                f"SELECT id, at_ns, kind, name, event, former, state, reason FROM events {where}ORDER BY id DESC LIMIT ?",
                (*given.values(), limit),
            ).fetchall()
        return [
            {"id": id, "time": format_time(at_ns), "kind": kind, "name": name, "event": event,
             "from": former, "to": state, "reason": reason}
            for id, at_ns, kind, name, event, former, state, reason in rows
        ]  # fmt: skip
