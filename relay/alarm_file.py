"""Alarms kept over the end of a channel's relays: `alarms.json` in the channel's folder.

The mapping has them while the channel runs, over any number of relays. The file is written when a signal went beyond its
limits or came back, at most once a second, and at the end; it is read when a channel begins.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from speeddata.durable import sync_folder
from speeddata.limits import ALARM_FILE
from speeddata.plan import Plan
from speeddata.relay.alarms import limited_signals, read_alarms, tell_alarms
from speeddata.relay.mapping import Mapping

__all__ = ["AlarmFile", "load_json", "save_json"]

log = logging.getLogger(__name__)

REST_S = 1.0  # between two times that it is written
Json = dict[str, Any]


class AlarmFile:
    """The alarms of one channel, for the main thread of its relay."""

    def __init__(
        self,
        folder: Path,
        mapping: Mapping,
        plans: Sequence[Plan],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = folder / ALARM_FILE
        self.mapping = mapping
        self.plans = plans
        self.clock = clock
        self.limited = limited_signals(plans)
        # The turns that the file knows of, and when to write it again at the earliest.
        self.kept = 0
        self.next = 0.0
        self.trouble = ""

    def restore(self) -> None:
        """Go on with the alarms of the channel's former life; before its decimator begins."""
        if not self.limited:
            return
        try:
            alarms = read_alarms(load_json(self.path).get("alarms"))
            self.mapping.restore([one for one in alarms if one["signal"] in self.limited])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError) as error:
            log.error("%s: the alarms of before cannot be read: %s", self.path, error)

    @property
    def waiting(self) -> bool:
        """Whether there is something to be written."""
        return self.mapping.turns != self.kept

    def keep(self) -> bool:
        """Write what has changed, if it is time; whether there is, or was, something to be written."""
        turns = self.mapping.turns
        if not self.waiting:
            return False
        if self.clock() >= self.next:
            self.next = self.clock() + REST_S
            if self.write():
                self.kept = turns
        return True

    def write(self) -> bool:
        """Write the alarms as they are; whether that was done."""
        alarms = tell_alarms(self.plans, self.mapping.standings()) if self.limited else []
        if not alarms:
            return True
        try:
            save_json(self.path, {"alarms": alarms})
        except OSError as error:
            if self.trouble != str(error):
                log.warning("%s: alarms are not kept: %s", self.path, error)
            self.trouble = str(error)
            return False
        self.trouble = ""
        return True


def load_json(path: Path) -> Json:
    """The object in a file, which is not a link. FileNotFoundError, OSError, ValueError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with open(fd, encoding="utf-8") as file:
        found = json.load(file)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def save_json(path: Path, content: Json) -> None:
    """Have a file hold an object: on the disk, and at no instant half of it."""
    fresh = path.with_name(f".{path.name}.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    with open(fd, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(fd)
    fresh.replace(path)
    sync_folder(path.parent)
