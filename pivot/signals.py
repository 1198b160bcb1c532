"""The list of signals: of each its channel, type, unit, span, how many records there are, and its newest value."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from speeddata.pivot.problem import wrong
from speeddata.pivot.query import Engine
from speeddata.pivot.request import read_list
from speeddata.rollup_channel import ChannelRollups
from speeddata.rollup_segments import View
from speeddata.times import format_time

__all__ = ["SignalList"]

LIMIT, MAX_LIMIT = 1000, 10_000  # signals of a page
KEPT = 20_000  # channels whose signals are remembered
Stamp = tuple[int, ...]


@dataclass(frozen=True)
class _Told:
    """What was told of a channel, what tells that it is so still, and the segments that may grow."""

    stamp: Stamp
    growing: tuple[str, ...]
    signals: list[dict[str, Any]]


class SignalList:
    """Lists the signals in an archive. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._told: OrderedDict[str, _Told] = OrderedDict()

    def page(self, params: dict[str, str], check: Callable[[], None]) -> dict[str, Any]:
        """The signals of the channels named, or of all whose names begin with `prefix`, by name; whole channels at a time."""
        limit = _limit(params.get("limit"))
        asked = read_list(params.get("channels") or params.get("channel"))
        if asked:
            self._engine.catalogue.find(asked)
        names = sorted(asked) if asked else self._engine.catalogue.names()
        prefix, after = params.get("prefix") or "", params.get("cursor") or ""
        signals: list[dict[str, Any]] = []
        cursor, last = None, ""
        for name in names:
            if name <= after or not name.startswith(prefix):
                continue
            if len(signals) >= limit:
                cursor = last
                break
            check()
            signals += self.of_channel(name, check)
            last = name
        return {"signals": signals, "cursor": cursor}

    def of_channel(self, name: str, check: Callable[[], None]) -> list[dict[str, Any]]:
        """The signals of one channel; none when nobody knows them."""
        folder = os.path.join(self._engine.catalogue.folder, name)
        with self._lock:
            told = self._told.get(name)
        if told is not None and told.stamp == _stamp(folder, told.growing):
            return told.signals
        channel = self._engine.channels([name])[name]
        growing = channel.look().growing
        stamp = _stamp(folder, growing)
        # Looked at after the stamp was taken: what comes in between makes the stamp another one.
        told = _Told(stamp, growing, _signals(name, channel, channel.look(), check))
        with self._lock:
            self._told[name] = told
            self._told.move_to_end(name)
            while len(self._told) > KEPT:
                self._told.popitem(last=False)
        return told.signals


def _signals(
    name: str, channel: ChannelRollups, view: View, check: Callable[[], None]
) -> list[dict[str, Any]]:
    span = view.span
    values = _newest(channel, span[1], check) if span else {}
    first, last = (format_time(stamp) for stamp in span) if span else (None, None)
    return [
        {
            "channel": name, "signal": signal.name, "type": signal.type, "unit": signal.unit,
            "first_time": first, "last_time": last, "count": view.count, "value": values.get(signal.name),
        }
        for signal in view.signals
    ]  # fmt: skip


def _newest(channel: ChannelRollups, time_ns: int, check: Callable[[], None]) -> dict[str, Any]:
    """The values of the newest record."""
    values: dict[str, Any] = {}
    with channel.archive.open(time_ns, time_ns) as reader:
        for table in reader.batches(None, check):
            values = {name: column[-1] for name, column in table.columns.items()}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if value is np.ma.masked:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _stamp(folder: str, growing: Sequence[str]) -> Stamp:
    """Tells whether a channel's folder or its newest segments have changed."""
    stamp = []
    for path in (folder, *(os.path.join(folder, name) for name in growing)):
        try:
            status = os.stat(path)
        except FileNotFoundError:
            stamp.append(0)
            continue
        stamp += [status.st_mtime_ns, 0 if path == folder else status.st_size]
    return tuple(stamp)


def _limit(text: str | None) -> int:
    if not text:
        return LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        raise wrong("limit", text, f"a whole number from 1 to {MAX_LIMIT}")
    return int(text)
