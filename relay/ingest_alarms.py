"""Alarms of what came by HTTP and was sent live, for all channels: how their signals stand, kept over the shared relay's end.

While a channel is sent live its streams have them; here is how they stood when they were looked at last. They are kept in a
file beside the journal, written at most once a second when a signal went beyond its limits or came back, and at the end.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from speeddata.relay.alarm_file import REST_S, load_json, save_json
from speeddata.relay.alarms import SIDES, read_alarms
from speeddata.relay.ingest_protocol import Refusal

__all__ = ["IngestAlarms", "Seen", "read_seen"]

log = logging.getLogger(__name__)

Json = dict[str, Any]
Seen = tuple[str, str, int, int]  # what somebody has acknowledged: signal, side, epoch, rises


def read_seen(head: Json) -> list[Seen]:
    """What a request acknowledges."""
    seen = head.get("seen")
    if not isinstance(seen, list) or not all(_is_seen(one) for one in seen):
        raise Refusal(400, "seen is wrong", field="seen", wanted="a list of [signal, side, epoch, rises]")
    return [tuple(one) for one in seen]


def _is_seen(one: Any) -> bool:
    return (
        isinstance(one, list)
        and [type(part) for part in one] == [str, str, int, int]
        and one[1] in SIDES
        and all(0 <= number < 2**64 for number in one[2:])
    )


class IngestAlarms:
    """The alarms of one data folder's shared relay."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.clock = clock
        # By channel, in the form of `tell_alarms`.
        self.raised: dict[str, list[Json]] = {}
        self.changed = False
        self.next = 0.0  # when they may be written again
        # Why records of channels that have limits are not checked though they were to be sent live.
        self.unchecked: dict[str, str] = {}
        try:
            channels = load_json(path).get("channels")
            if not isinstance(channels, dict):
                raise ValueError("no channels")
            self.raised = {name: read_alarms(alarms) for name, alarms in channels.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError) as error:
            log.error("%s: the alarms of before cannot be read: %s", path, error)

    def note(self, channel: str, alarms: list[Json]) -> None:
        """A channel's signals stand so now."""
        if alarms != self.raised.get(channel, []):
            self.raised[channel] = alarms
            self.changed = True

    def forget(self, channel: str) -> None:
        """A channel is not registered any more."""
        self.unchecked.pop(channel, None)
        if self.raised.pop(channel, None) is not None:
            self.changed = True

    def acknowledge(self, channel: str, seen: Sequence[Seen]) -> None:
        """Note signals, sides, epochs and rises that somebody has acknowledged."""
        for signal, side, epoch, rises in seen:
            for one in self.raised.get(channel, ()):
                if (one["signal"], one["side"], one["epoch"]) == (signal, side, epoch) and rises > one[
                    "seen"
                ]:
                    one["seen"] = rises
                    self.changed = True

    def keep(self, *, now: bool = False) -> None:
        """Write what has changed, if it is time."""
        if not self.changed or (self.clock() < self.next and not now):
            return
        self.next = self.clock() + REST_S
        try:
            save_json(self.path, {"channels": self.raised})
            self.changed = False
        except OSError as error:
            log.warning("%s: alarms are not kept: %s", self.path, error)
