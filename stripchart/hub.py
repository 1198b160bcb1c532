"""The heart of the live server: at each tick it has the streams take in what came, and serves the clients.

It knows no clock and makes no task: the server calls `tick` with the time.
"""

import itertools
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast

from speeddata.stripchart import frames
from speeddata.stripchart.catalogue import Address, ChannelInfo
from speeddata.stripchart.client import Client, Key, Want
from speeddata.stripchart.pace import BUFFER_HIGH, GIVEN_UP_S
from speeddata.stripchart.receiver import Receiver
from speeddata.stripchart.rhythm import Rhythm
from speeddata.stripchart.signals import LiveSignal
from speeddata.stripchart.streams import Streams
from speeddata.stripchart.subscription import Report, RequestError, read_request

LIVE_SAMPLES = 4096  # most samples per signal in a live frame
MERGED_SAMPLES = 128  # and in one for a client that could not take the frames before
WINDOW_SAMPLES = 8192  # and in the frame that fills a window
_WINDOW_SIGNALS = 8  # signals whose windows share a frame
_WINDOW_BYTES = 1 << 20  # windows sent to one client in one tick
_TEXT_S = 0.25
_STATUS_S = 1.0
_LOSSES_TOLD = 200  # in one message
CLOSE_TOO_SLOW = 1013  # RFC 6455's registry: try again later

_log = logging.getLogger(__name__)


class Hub:
    """All channels and all clients."""

    def __init__(self, join: Callable[[Address], Receiver]) -> None:
        self.streams = Streams(join)
        self.clients: set[Client] = set()
        self.ticks = 0
        self.rhythm = Rhythm()
        # Clients that the server is to close, with what they are told.
        self.given_up: list[tuple[Client, str]] = []
        self._numbers = itertools.count(1)
        self._texts_s = self._status_s = -1e9
        self._catalogue = self._describe()

    # -- channels

    def apply(self, infos: Iterable[ChannelInfo]) -> None:
        """Take over what the registry tells."""
        self.streams.apply(infos)
        self._announce()

    def _announce(self) -> None:
        """Tell clients of the channels, if they changed."""
        catalogue = self._describe()
        if catalogue == self._catalogue:
            return
        self._catalogue = catalogue
        for channel in self.streams.all:
            channel.has_grown = False
        broadcast([client.connection for client in self.clients], catalogue)
        for client in self.clients:
            changed = client.find_again(self.streams)
            if changed:
                self._tell(client, {"type": "subscribed", "signals": changed})

    def _describe(self) -> str:
        return _message(
            "channels", channels=[channel.describe() for channel in self.streams.channels.values()]
        )

    # -- clients

    def enter(self, connection: ServerConnection) -> Client:
        """Welcome a client."""
        client = Client(connection, next(self._numbers))
        self.clients.add(client)
        self._tell(client, {"type": "hello", "version": frames.VERSION, "tick_ms": self.rhythm.tick_ms})
        broadcast([connection], self._catalogue)
        broadcast([connection], self._status())
        return client

    def leave(self, client: Client) -> None:
        """Forget a client."""
        self.clients.discard(client)
        self._follow_full()

    def handle(self, client: Client, message: str | bytes) -> str | None:
        """Follow a message of a client; give what to answer.

        The caller sends the answer and waits for the connection to take it, so that nobody is answered faster than
        they read.
        """
        try:
            request = read_request(message)
            if isinstance(request, Report):
                client.pace.report(request)
                return None
            if request.stream == "full":
                found = (self.streams.find(name, "live") for name in request.signals)
                self._follow_full({one.channel for one in found if isinstance(one, LiveSignal)})
            answer = client.handle(request, self.streams)
        except RequestError as error:
            return _message("error", message=str(error))
        if request.type == "unsubscribe":
            self._follow_full()
        return _message("subscribed", signals=answer) if answer else None

    def _follow_full(self, more: Iterable[str] = ()) -> None:
        """Receive at full rate what somebody watches so."""
        wanted = {
            want.found.channel
            for client in self.clients
            for want in client.wants.values()
            if want.request.stream == "full" and isinstance(want.found, LiveSignal)
        }
        self.streams.want_full(wanted | set(more))

    def _tell(self, client: Client, message: dict[str, Any]) -> None:
        broadcast([client.connection], json.dumps(message))

    # -- ticks

    def tick(self, now_ns: int, now_s: float) -> None:
        """Take in what came and send what is due; `now_s` is the monotonic clock's."""
        self.ticks += 1
        self.streams.drain(now_ns)
        if any(channel.has_grown for channel in self.streams.all):
            self._announce()
        ready = [client for client in self.clients if client.pace.is_due(client.buffered(), now_s)]
        is_second = now_s - self._status_s >= _STATUS_S
        self._serve(ready, now_ns, now_s, is_second)
        for client in ready:
            self._fill(client, now_ns)
            self._tell_losses(client)
        if now_s - self._texts_s >= _TEXT_S:
            self._texts_s = now_s
            for client in ready:
                news = client.news()
                if news:
                    broadcast([client.connection], news)
        if is_second:
            self._status_s = now_s
            self.streams.join()
            broadcast([client.connection for client in ready], self._status())
            self._give_up(now_s)

    def adapt(self, worked_s: float) -> None:
        """Take in how long the tick took; tell the clients when ticks come in another rhythm from now on."""
        if self.rhythm.worked(worked_s):
            message = _message("tick", tick_ms=self.rhythm.tick_ms)
            broadcast([client.connection for client in self.clients], message)

    def _serve(self, clients: Sequence[Client], now_ns: int, now_s: float, is_second: bool) -> None:
        """Send the samples since the last frame; clients that watch the same get the same bytes."""
        sharing: dict[tuple[Any, ...], list[Client]] = defaultdict(list)
        for client in clients:
            new = (one for one in client.watched.items() if one[1].served < one[1].channel.ring.total)
            key = tuple((at, watched.served, watched.ids) for at, watched in new)
            if key or is_second:
                sharing[client.pace.merged, key].append(client)
        made: dict[Any, list[bytes]] = {}
        for (merged, key), group in sharing.items():
            blocks: list[bytes] = []
            limit = MERGED_SAMPLES if merged else LIVE_SAMPLES
            for at, served, ids in key:
                part = (at, served, ids, limit)
                if part not in made:
                    watched = group[0].watched[at]
                    signals = [watched.signals[id] for id in ids]
                    made[part] = watched.channel.news(served, signals, watched.width, limit)
                blocks += made[part]
            frame = frames.frame(self.ticks, now_ns / 1e6, blocks, merged)
            broadcast([client.connection for client in group], frame)
            for client in group:
                client.merged_ticks += client.pace.sent(self.ticks, now_s)
                client.frames, client.bytes = client.frames + 1, client.bytes + len(frame)
                for watched in client.watched.values():
                    watched.served = watched.channel.ring.total

    def _fill(self, client: Client, now_ns: int) -> None:
        """Send windows that are due, as far as the connection takes them."""
        sent = 0
        while client.awaited and sent < _WINDOW_BYTES and client.buffered() <= BUFFER_HIGH:
            first = client.wants[next(iter(client.awaited))]
            if first.channel is None or not isinstance(first.found, LiveSignal) or first.found.row is None:
                del client.awaited[first.request.feed, first.name]
                continue
            key = (first.channel.id, first.sent_as)
            window_s = client.window_s(key, first.found.id)
            signals = self._take_awaited(client, key, window_s)
            blocks = first.channel.window(window_s, now_ns, signals, first.sent_as, WINDOW_SAMPLES)
            frame = frames.frame(self.ticks, now_ns / 1e6, blocks)
            broadcast([client.connection], frame)
            client.served(key, first.channel, signals)
            client.frames, client.bytes = client.frames + 1, client.bytes + len(frame)
            sent += len(frame)

    def _take_awaited(self, client: Client, key: Key, window_s: float) -> list[LiveSignal]:
        """Take those whose window is the same one out of the awaited."""
        chosen: dict[int, LiveSignal] = {}
        for at in list(client.awaited):
            want = client.wants[at]
            if not _is_served_as(want, key) or client.window_s(key, want.found.id) != window_s:  # type: ignore[union-attr]
                continue
            assert isinstance(want.found, LiveSignal), "has samples"
            if want.found.id in chosen or len(chosen) < _WINDOW_SIGNALS:
                chosen[want.found.id] = want.found
                del client.awaited[at]
        return list(chosen.values())

    def _tell_losses(self, client: Client) -> None:
        """Tell of what was lost of the channels that a client watches, since it was told last."""
        for watched in list(client.watched.values()):
            losses, told = watched.channel.losses, client.losses.get(watched.channel.id, 0)
            if told == losses.total:
                continue
            new = losses.since(told)[-_LOSSES_TOLD:]
            client.losses[watched.channel.id] = losses.total
            spans = [[loss.start_ns / 1e6, loss.end_ns / 1e6, loss.count] for loss in new]
            self._tell(client, {"type": "losses", "channel": watched.channel.info.name, "spans": spans})

    def _give_up(self, now_s: float) -> None:
        for client in [client for client in self.clients if client.pace.is_given_up(now_s)]:
            self.given_up.append((client, f"too slow: nothing was taken for {GIVEN_UP_S:g} s"))
            self.leave(client)

    def _status(self) -> str:
        return _message(
            "status",
            channels=self.streams.status(),
            strays=self.streams.strays,
            clients=len(self.clients),
            tick_ms=self.rhythm.tick_ms,
        )

    def metrics(self, now_s: float) -> dict[str, Any]:
        """How the server does: its rhythm, its channels, and each of its clients."""
        return {
            "ticks": self.ticks,
            "rhythm": self.rhythm.to_json(),
            "channels": self.streams.status(),
            "full_rate": sorted(self.streams.full),
            "strays": self.streams.strays,
            "clients": [client.to_json(now_s) for client in sorted(self.clients, key=lambda one: one.number)],
        }

    def close(self) -> None:
        """Leave all groups."""
        self.streams.close()


def _is_served_as(want: Want, key: Key) -> bool:
    return (
        isinstance(want.found, LiveSignal)
        and want.found.row is not None
        and want.channel is not None
        and (want.channel.id, want.sent_as) == key
    )


def _message(kind: str, **content: Any) -> str:
    return json.dumps({"type": kind, **content}, separators=(",", ":"))
