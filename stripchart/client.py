"""One connected client: what it asked for, and how far it has been served.

There is no queue. For each way in which it is served a channel there is a number: the sample up to which it was served.
While its connection cannot take more, or its page does not keep up, the number just stays; the next frame then covers all
that came since, in columns that lose no peak, and says so.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection

from speeddata.stripchart.allowance import Allowance
from speeddata.stripchart.channel import RAW, LiveChannel
from speeddata.stripchart.classes import is_raw, width_ns
from speeddata.stripchart.pace import Pace
from speeddata.stripchart.serving import Serving
from speeddata.stripchart.signals import LiveSignal
from speeddata.stripchart.subscription import NAME_MAX, SIGNALS_MAX, Request

_ARRAYS = -1  # in place of a width

Key = tuple[int, int]
"""A way in which a channel is served: its id and the width of the columns, or RAW; an array signal's id and _ARRAYS."""
Position = tuple[tuple[Key, int, tuple[int, ...]], ...]
"""How far somebody was served: of each way the number of the first sample not sent yet, and the ids of the signals, in
order. Clients at the same position get the same bytes."""


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
    signal: LiveSignal | None = None
    """What the name means at present."""
    error: str = ""
    """Why it means nothing."""
    channel: LiveChannel | None = None
    width: int = RAW
    """Of the columns that it is drawn with, in ns."""
    key: Key | None = None
    """How it is served; None for what has but a latest text."""
    told: int = 0
    """Version of the text that the client was told."""

    def look_up(self, finder: Finder) -> bool:
        """See what the name means now; whether that is something else."""
        before = self.signal, self.error, self.key
        found = finder.find(self.name, self.request.stream)
        self.signal, self.error = (None, found) if isinstance(found, str) else (found, "")
        self.channel = finder.channel_of(self.signal, self.request.stream) if self.signal else None
        self.width, self.key = self._served_as(was_raw=self.key is not None and self.key[1] == RAW)
        return (self.signal, self.error, self.key) != before

    def _served_as(self, was_raw: bool) -> tuple[int, Key | None]:
        """Width of the columns that it is drawn with, and how it is served."""
        signal, channel, request = self.signal, self.channel, self.request
        if signal is None or channel is None:
            return RAW, None
        if signal.row is None:
            return RAW, (signal.id, _ARRAYS) if request.arrays and signal.type == "array" else None
        if request.columns_per_s is None:
            return RAW, (channel.id, RAW)
        width = width_ns(request.columns_per_s, channel.info.making.bucket_ns)
        return width, (channel.id, RAW if is_raw(width, channel.usual_ns, was_raw) else width)

    def describe(self) -> dict[str, Any]:
        """Tell the client what is known of the name."""
        about = {"feed": self.request.feed, "name": self.name}
        if self.signal is None:
            return about | {"error": self.error}
        served = {"width": self.width / 1e6, "raw": self.key is not None and self.key[1] == RAW}
        return {
            **self.signal.describe(),
            **about,
            **served,
            "arrays": self.key is not None and self.key[1] == _ARRAYS,
        }


@dataclass
class Watched:
    """The signals that a client is served in one way."""

    channel: LiveChannel
    serving: Serving
    signals: dict[int, LiveSignal] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[int, ...]:
        """Of the signals, in order."""
        return tuple(sorted(self.signals))

    def in_order(self) -> list[LiveSignal]:
        """The signals, in the order of their ids."""
        return [self.signals[id] for id in self.ids]


@dataclass(frozen=True)
class Window:
    """A window that a client is to be sent."""

    key: Key
    channel: LiveChannel
    serving: Serving
    seconds: float
    signals: list[LiveSignal]


class Client:
    """A browser or program that listens."""

    def __init__(self, connection: ServerConnection, number: int) -> None:
        self.connection = connection
        self.number = number
        # What it may still say.
        self.allowance = Allowance()
        # By feed and name.
        self.wants: dict[tuple[int, str], Want] = {}
        # Those whose window is still to be sent.
        self.awaited: dict[tuple[int, str], None] = {}
        # What is being served.
        self.watched: dict[Key, Watched] = {}
        self.position: Position = ()
        # Names that it wants at full rate.
        self.full: set[str] = set()
        self.pace = Pace()
        # Losses of each channel that it was told, by the channel's id, and what the hub knew when it was told.
        self.losses: dict[int, int] = {}
        self.lost: dict[int, int] | None = None
        # Totals.
        self.frames = self.bytes = self.merged_ticks = 0
        # Of what is served as samples though columns of a width were asked for: the channels and widths.
        self._instead: set[tuple[LiveChannel, int]] = set()
        # Signals that are served, by key and id, and the longest window that is asked for of each.
        self._wanted: dict[Key, dict[int, float]] = {}

    def buffered(self) -> int:
        """Bytes that its connection has not taken yet."""
        return self.connection.transport.get_write_buffer_size()

    def subscribe(self, request: Request, finder: Finder) -> list[dict[str, Any]]:
        """Follow a request; give what to answer about each signal. What is too much is said of it, and not followed."""
        answers = []
        for name in dict.fromkeys(request.signals):
            key, want = (request.feed, name), Want(name, request)
            want.error = self._refusal(key)
            if not want.error:
                self.wants[key] = want
                want.look_up(finder)
                self.awaited[key] = None
            answers.append(want.describe())
        self.tidy()
        return answers

    def _refusal(self, key: tuple[int, str]) -> str:
        """Why a name is not followed; empty when it is."""
        if len(key[1]) > NAME_MAX:
            return f"a name of {len(key[1])} characters, and at most {NAME_MAX} are taken"
        if key not in self.wants and len(self.wants) >= SIGNALS_MAX:
            return f"more than {SIGNALS_MAX} signals for one client"
        return ""

    def unsubscribe(self, request: Request) -> None:
        """Serve these signals no more."""
        for name in request.signals:
            self.wants.pop((request.feed, name), None)
            self.awaited.pop((request.feed, name), None)
        self.tidy()

    def find_again(self, finder: Finder) -> list[dict[str, Any]]:
        """Look the names up again after channels came, went or changed; give what to tell about those that changed."""
        changed = []
        for key, want in self.wants.items():
            if want.look_up(finder):
                want.told = 0
                self.awaited[key] = None
                changed.append(want)
        if changed:
            self.tidy()
        return [want.describe() for want in changed]

    def has_outgrown(self) -> bool:
        """Whether some of what it is served as samples would now take less room in columns."""
        return any(not is_raw(width, channel.usual_ns, True) for channel, width in self._instead)

    def tidy(self) -> None:
        """Drop what is served and no longer wanted."""
        self._wanted, self.full, self._instead = {}, set(), set()
        for want in self.wants.values():
            if want.channel and want.width != RAW and want.key and want.key[1] == RAW:
                self._instead.add((want.channel, want.width))
            if want.request.stream == "full":
                self.full.add(want.name)
            if want.key and want.signal:
                windows = self._wanted.setdefault(want.key, {})
                windows[want.signal.id] = max(want.request.window_s, windows.get(want.signal.id, 0.0))
        self.watched = {key: one for key, one in self.watched.items() if key in self._wanted}
        for key, one in self.watched.items():
            one.signals = {id: signal for id, signal in one.signals.items() if id in self._wanted[key]}
        self._stand()

    def _stand(self) -> None:
        """Note what is watched now; what is new is served up to now."""
        before = {key: served for key, served, _ in self.position}
        self.position = tuple(
            (key, before.get(key, one.serving.total), one.ids) for key, one in self.watched.items()
        )

    def reached(self) -> Position:
        """The position of one that has been served all that there is."""
        return tuple((key, self.watched[key].serving.total, ids) for key, _, ids in self.position)

    def ask_again(self, channel: LiveChannel, now_ns: int) -> None:
        """Have those windows of a channel sent again that reach back to before its first live sample."""
        first_ns = int(channel.ring.times(0)[0]) if channel.ring.total else now_ns
        for key, want in self.wants.items():
            if want.channel is channel and want.key and now_ns - want.request.window_s * 1e9 < first_ns:
                self.awaited[key] = None

    def reach(self) -> dict[LiveChannel, tuple[float, int]]:
        """Of each channel the longest window that is asked for of its samples, and the narrowest columns; RAW for none."""
        found: dict[LiveChannel, tuple[float, int]] = {}
        for want in self.wants.values():
            if want.channel and want.signal and want.signal.row is not None:
                window_s, width = found.get(want.channel, (0.0, RAW))
                widths = [one for one in (want.width, width) if one]
                found[want.channel] = max(window_s, want.request.window_s), min(widths, default=RAW)
        return found

    def next_window(self, limit: int) -> Window | None:
        """Take what shares the next window that is due, at most so many signals; None when none is."""
        window: Window | None = None
        for at in list(self.awaited):
            want = self.wants[at]
            if want.key is None or want.signal is None or want.channel is None:
                del self.awaited[at]
                continue
            seconds = self._wanted[want.key][want.signal.id]
            if window is None:
                serving = want.channel.serving(want.signal, max(want.key[1], RAW))
                window = Window(want.key, want.channel, serving, seconds, [])
            if (want.key, seconds) != (window.key, window.seconds):
                continue
            if want.signal not in window.signals:
                if len(window.signals) == limit:
                    break
                window.signals.append(want.signal)
            del self.awaited[at]
        return window

    def window_sent(self, window: Window) -> None:
        """Note that a window was sent: from here on its signals are live."""
        watched = self.watched.get(window.key)
        if watched is None:
            watched = self.watched[window.key] = Watched(window.channel, window.serving)
        watched.signals |= {signal.id: signal for signal in window.signals}
        self._stand()

    def note_sent(self, size: int, merged: int = 0) -> None:
        """Count a frame, and the ticks merged into it."""
        self.frames += 1
        self.bytes += size
        self.merged_ticks += merged

    def news(self) -> str | None:
        """Give the message with the texts that changed since the client was told; None when there are none."""
        values = {}
        for want in self.wants.values():
            if not want.channel or not want.signal or want.key:
                continue
            version = want.channel.versions.get(want.signal.path, 0)
            if version and want.told != version:
                want.told = version
                values[want.name] = want.channel.texts[want.signal.path]
        return json.dumps({"type": "latest", "values": values}) if values else None

    def to_json(self, now_s: float) -> dict[str, Any]:
        """What the status tells of it."""
        address = self.connection.remote_address
        return {
            "id": self.number,
            "address": f"{address[0]}:{address[1]}" if address else None,
            "signals": len({name for _, name in self.wants}),
            "frames": self.frames,
            "bytes": self.bytes,
            "merged_ticks": self.merged_ticks,
            "unsent": self.buffered(),
            **self.pace.to_json(now_s),
        }
