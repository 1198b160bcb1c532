"""One connected client: what it watches and how far it has been served.

There is no queue. Per channel a client has a number: the sample up to which it was served. While its connection cannot take more, the
number just stays; the next frame then covers all that came since, reduced to minima and maxima, and says so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection

from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.signals import LiveSignal
from speeddata.stripchart.subscription import SIGNALS_MAX, Request, RequestError, find

BUFFER_HIGH = 64 << 10  # bytes unsent, from which on a client gets no more
BUFFER_LOW = 32 << 10  # and below which it does again


@dataclass
class Watched:
    """The signals of one channel that a client watches."""

    channel: LiveChannel
    served: int
    """Number of the first sample not sent yet."""
    signals: dict[int, LiveSignal] = field(default_factory=dict)
    key: tuple[int, ...] = ()
    """Their ids, in order: clients with the same key and number get the same bytes."""


class Client:
    """A browser or program that listens."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        # Names asked for, as the client spelled them, and the window of each.
        self.windows: dict[str, float] = {}
        # What each name means at present: a signal, or why there is none.
        self.found: dict[str, LiveSignal | str] = {}
        # Names whose window is still to be sent.
        self.awaited: dict[str, None] = {}
        # Signals being served, by channel.
        self.watched: dict[int, Watched] = {}
        # Versions of the texts it has been told, by name.
        self.told: dict[str, int] = {}
        # Ticks held back since its last frame.
        self.merged = 0
        self.is_lagging = False

    def buffered(self) -> int:
        """Bytes that its connection has not taken yet."""
        return self.connection.transport.get_write_buffer_size()

    def can_take(self) -> bool:
        """Whether it gets a frame now; else the tick is merged into a later one."""
        self.is_lagging = self.buffered() > (BUFFER_LOW if self.is_lagging else BUFFER_HIGH)
        self.merged += self.is_lagging
        return not self.is_lagging

    def handle(self, request: Request, channels: Mapping[str, LiveChannel]) -> list[dict[str, Any]]:
        """Follow a request; give what to answer about each signal."""
        if request.type == "unsubscribe":
            for name in request.signals:
                self._forget(name)
            return []
        if len(self.windows.keys() | set(request.signals)) > SIGNALS_MAX:
            raise RequestError(f"signals: at most {SIGNALS_MAX} for one client")
        for name in request.signals:
            self.windows[name] = request.window_s
            self.found[name] = find(name, channels)
            self.awaited[name] = None
            self.told.pop(name, None)
        self._count_in(channels)
        return [self.describe(name) for name in dict.fromkeys(request.signals)]

    def find_again(self, channels: Mapping[str, LiveChannel]) -> list[dict[str, Any]]:
        """Look the names up again after channels came, went or changed; give what to tell about those that changed."""
        changed = []
        for name, before in self.found.items():
            now = find(name, channels)
            if now != before:
                self.found[name] = now
                self.awaited[name] = None
                self.told.pop(name, None)
                changed.append(name)
        if changed:
            self._count_in(channels)
        return [self.describe(name) for name in changed]

    def describe(self, name: str) -> dict[str, Any]:
        """Tell what is known of a name."""
        found = self.found[name]
        if isinstance(found, str):
            return {"name": name, "error": found}
        return {**found.describe(), "name": name}

    def _forget(self, name: str) -> None:
        found = self.found.pop(name, None)
        self.windows.pop(name, None)
        self.awaited.pop(name, None)
        self.told.pop(name, None)
        if isinstance(found, LiveSignal) and found not in self.found.values():
            for watched in self.watched.values():
                watched.signals.pop(found.id, None)
                watched.key = tuple(sorted(watched.signals))
        self.watched = {id: watched for id, watched in self.watched.items() if watched.signals}

    def _count_in(self, channels: Mapping[str, LiveChannel]) -> None:
        """Drop what is watched of channels that are no more."""
        alive = {channel.id for channel in channels.values()}
        self.watched = {id: watched for id, watched in self.watched.items() if id in alive}

    def served(self, channel: LiveChannel, signals: list[LiveSignal]) -> None:
        """Note that the windows of these signals were sent: from here on they are live."""
        watched = self.watched.setdefault(channel.id, Watched(channel, channel.ring.total))
        watched.signals |= {signal.id: signal for signal in signals}
        watched.key = tuple(sorted(watched.signals))

    def news(self, channels: Mapping[str, LiveChannel]) -> str | None:
        """Give the message with the texts that changed since the client was told; None when there are none."""
        values = {}
        for name, found in self.found.items():
            if isinstance(found, LiveSignal) and found.row is None:
                channel = channels[found.channel]
                version = channel.versions.get(found.path, 0)
                if version and self.told.get(name) != version:
                    self.told[name] = version
                    values[name] = channel.texts[found.path]
        return json.dumps({"type": "latest", "values": values}) if values else None
