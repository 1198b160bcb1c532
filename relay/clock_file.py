"""The trusted clock of a data folder: read at each pass, kept in a file so that a restart does not forget a step."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from speeddata.relay.trusted_clock import ClockState, Reading, read_clocks

__all__ = ["ClockFile"]

log = logging.getLogger(__name__)

S = 1_000_000_000
SAVE_NS = 60 * S  # of running time between two savings


class ClockFile:
    """What is known of the wall clock."""

    def __init__(self, path: Path, clocks: Callable[[], Reading] = read_clocks) -> None:
        self.path = path
        self.clocks = clocks
        self.state = self._load()
        self._saved: ClockState | None = None

    def read(self) -> None:
        """Read the clocks."""
        former = self.state
        self.state = former.after(self.clocks())
        changed = self.state.since_ns != former.since_ns or bool(self.state.ahead_ns) != bool(former.ahead_ns)
        if changed:
            self._say(former)
        if changed or self._saved is None or self._ran_since(self._saved) >= SAVE_NS:
            self._save()

    def to_json(self) -> dict[str, Any] | None:
        """The step that is not believed yet; None when the wall clock is trusted."""
        if not self.state.ahead_ns:
            return None
        return {"by_s": round(self.state.ahead_ns / S), "held_s": round(self.state.held_ns / S)}

    def _ran_since(self, saved: ClockState) -> int:
        return abs(self.state.reading.boot_ns - saved.reading.boot_ns)

    def _say(self, former: ClockState) -> None:
        if self.state.ahead_ns and self.state.ahead_ns != former.ahead_ns:
            log.warning(
                "the wall clock is %+d s off from what it should be; ages are not reckoned by it until it has held for a day",
                round(self.state.ahead_ns / S),
            )
        elif former.ahead_ns and not self.state.ahead_ns:
            log.info("the wall clock is trusted again")

    def _load(self) -> ClockState:
        try:
            return ClockState.from_json(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s: %s; steps of the wall clock while nothing ran are not noticed", self.path, error)
        return ClockState.begin(self.clocks())

    def _save(self) -> None:
        # Without fsync, which once a minute would wear out a memory card: what is lost by that is a minute.
        self._saved = self.state
        fresh = self.path.with_name(f".{self.path.name}.new")
        try:
            fresh.write_text(json.dumps(self.state.to_json()), encoding="utf-8")
            fresh.replace(self.path)
        except OSError as error:
            log.warning("%s cannot be written: %s", self.path, error)
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
