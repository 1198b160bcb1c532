"""One connected client: what it watches and how far it has been served.

There is no queue. Per channel and width of columns a client has a number: the sample up to which it was served. While its
connection cannot take more, or its page does not keep up, the number just stays; the next frame then covers all that came
since, in columns that lose no peak, and says so.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection

from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.classes import is_raw, width_ns
from speeddata.stripchart.pace import Pace
from speeddata.stripchart.signals import LiveSignal
from speeddata.stripchart.subscription import SIGNALS_MAX, Request, RequestError

RAW = 0  # in place of a width: samples as they are

Key = tuple[int, int]


class Finder(Protocol):
    """Where signals are looked up."""

    def find(self, name: str, stream: str) -> LiveSignal | str:
        """Find a signal by what a client calls it; else say why not."""

    def channel_of(self, signal: LiveSignal, stream: str) -> LiveChannel:
        """The channel of a signal that was found in a stream."""


@dataclass
class Want:
    """A name that a client asked for, in one of its feeds."""

    name: str
    request: Request
    found: LiveSignal | str = ""
    """What the name means at present: a signal, or why there is none."""
    channel: LiveChannel | None = None
    width: int = RAW
    """Of the columns that it is drawn with, in ns."""
    sent_as: int = RAW
    """Width of the columns that it is sent in; RAW where samples as they are take no more room."""
    told: int = 0
    """Version of the text that the client was told."""


@dataclass
class Watched:
    """The signals of one channel that a client is served in one way."""

    channel: LiveChannel
    width: int
    served: int
    """Number of the first sample not sent yet."""
    signals: dict[int, LiveSignal] = field(default_factory=dict)
    ids: tuple[int, ...] = ()
    """Theirs, in order: clients with the same ids, width and number get the same bytes."""


class Client:
    """A browser or program that listens."""

    def __init__(self, connection: ServerConnection, number: int) -> None:
        self.connection = connection
        self.number = number
        # By feed and name.
        self.wants: dict[tuple[int, str], Want] = {}
        # Those whose window is still to be sent.
        self.awaited: dict[tuple[int, str], None] = {}
        # What is being served, by channel and width.
        self.watched: dict[Key, Watched] = {}
        self.pace = Pace()
        # Losses of each channel that it was told, by the channel's number.
        self.losses: dict[int, int] = {}
        # Totals.
        self.frames = self.bytes = self.merged_ticks = 0

    def buffered(self) -> int:
        """Bytes that its connection has not taken yet."""
        return self.connection.transport.get_write_buffer_size()

    def handle(self, request: Request, finder: Finder) -> list[dict[str, Any]]:
        """Follow a request; give what to answer about each signal."""
        names = dict.fromkeys(request.signals)
        if request.type == "unsubscribe":
            for name in names:
                self._forget((request.feed, name))
            self.tidy()
            return []
        asked = {(request.feed, name) for name in names}
        if len(self.wants.keys() | asked) > SIGNALS_MAX:
            raise RequestError(f"signals: at most {SIGNALS_MAX} for one client")
        for name in names:
            key = (request.feed, name)
            self.wants[key] = want = Want(name, request)
            _look_up(want, finder)
            self.awaited[key] = None
        self.tidy()
        return [describe(self.wants[request.feed, name]) for name in names]

    def find_again(self, finder: Finder) -> list[dict[str, Any]]:
        """Look the names up again after channels came, went or changed; give what to tell about those that changed."""
        changed = []
        for key, want in self.wants.items():
            before = want.found, want.width
            _look_up(want, finder)
            if (want.found, want.width) != before:
                want.told = 0
                self.awaited[key] = None
                changed.append(want)
        if changed:
            self.tidy()
        return [describe(want) for want in changed]

    def _forget(self, key: tuple[int, str]) -> None:
        self.wants.pop(key, None)
        self.awaited.pop(key, None)

    def tidy(self) -> None:
        """Drop what is served and no longer wanted."""
        wanted: dict[Key, set[int]] = {}
        for want in self.wants.values():
            if want.channel and isinstance(want.found, LiveSignal):
                wanted.setdefault((want.channel.id, want.sent_as), set()).add(want.found.id)
        self.watched = {key: one for key, one in self.watched.items() if key in wanted}
        for key, one in self.watched.items():
            one.signals = {id: signal for id, signal in one.signals.items() if id in wanted[key]}
            one.ids = tuple(sorted(one.signals))

    def window_s(self, key: Key, signal: int) -> float:
        """The longest window that is asked for of a signal served in a way."""
        return max(want.request.window_s for want in self.wanting(key, signal))

    def wanting(self, key: Key, signal: int) -> Iterable[Want]:
        """What asks for a signal served in a way."""
        return (
            want
            for want in self.wants.values()
            if isinstance(want.found, LiveSignal)
            and want.found.id == signal
            and want.channel is not None
            and (want.channel.id, want.sent_as) == key
        )

    def served(self, key: Key, channel: LiveChannel, signals: Iterable[LiveSignal]) -> None:
        """Note that the windows of these signals were sent: from here on they are live."""
        watched = self.watched.setdefault(key, Watched(channel, key[1], channel.ring.total))
        watched.signals |= {signal.id: signal for signal in signals}
        watched.ids = tuple(sorted(watched.signals))

    def news(self) -> str | None:
        """Give the message with the texts that changed since the client was told; None when there are none."""
        values = {}
        for want in self.wants.values():
            if isinstance(want.found, LiveSignal) and want.found.row is None and want.channel:
                version = want.channel.versions.get(want.found.path, 0)
                if version and want.told != version:
                    want.told = version
                    values[want.name] = want.channel.texts[want.found.path]
        return json.dumps({"type": "latest", "values": values}) if values else None

    def to_json(self, now_s: float) -> dict[str, Any]:
        """What the status tells of it."""
        address = self.connection.remote_address
        return {
            "id": self.number,
            "address": f"{address[0]}:{address[1]}" if address else None,
            "signals": len({want.name for want in self.wants.values()}),
            "frames": self.frames,
            "bytes": self.bytes,
            "merged_ticks": self.merged_ticks,
            "unsent": self.buffered(),
            **self.pace.to_json(now_s),
        }


def _look_up(want: Want, finder: Finder) -> None:
    request = want.request
    want.found = finder.find(want.name, request.stream)
    want.channel, want.width, want.sent_as = None, RAW, RAW
    if isinstance(want.found, str):
        return
    want.channel = channel = finder.channel_of(want.found, request.stream)
    if request.columns_per_s is not None and want.found.row is not None:
        want.width = width_ns(request.columns_per_s, channel.info.bucket_ns)
        want.sent_as = RAW if is_raw(want.width, channel.usual_ns) else want.width


def describe(want: Want) -> dict[str, Any]:
    """Tell what is known of a name."""
    about = {"feed": want.request.feed, "name": want.name}
    if isinstance(want.found, str):
        return about | {"error": want.found}
    return {**want.found.describe(), **about, "width": want.width / 1e6, "raw": want.sent_as == RAW}
