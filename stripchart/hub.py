"""The heart of the live server: at each tick it has the streams take in what came, and serves the clients.

It knows no clock and makes no task: the server calls `tick` with the time.
"""

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection

from speeddata.stripchart import frames
from speeddata.stripchart.catalogue import Address, ChannelInfo
from speeddata.stripchart.classes import BASE_NS
from speeddata.stripchart.client import Client, Position
from speeddata.stripchart.fanout import send
from speeddata.stripchart.pace import BUFFER_HIGH
from speeddata.stripchart.past import Past
from speeddata.stripchart.receiver import Receiver
from speeddata.stripchart.relay_counts import Missing
from speeddata.stripchart.rhythm import Rhythm
from speeddata.stripchart.streams import Streams
from speeddata.stripchart.subscription import Report, Request, RequestError, read_request

_WINDOW_SIGNALS = 8  # signals whose windows share a frame
_WINDOW_BYTES = 1 << 20  # windows sent to one client in one tick
_TEXT_S = 0.25
_STATUS_S = 1.0
_LOSSES_TOLD = 200  # in one message


class TooMuchError(Exception):
    """A client says more than it may: its connection is to be closed."""


class Hub:
    """All channels and all clients."""

    def __init__(self, join: Callable[[Address], Receiver], past: Past | None = None) -> None:
        self.streams = Streams(join)
        self.clients: set[Client] = set()
        self.ticks = 0
        self.rhythm = Rhythm()
        # Clients that took nothing for too long, whose connections are to be closed.
        self.given_up: list[Client] = []
        self._past = past
        self._numbers = itertools.count(1)
        self._texts_s = self._status_s = -1e9
        self._now_ns = 0
        # Losses of each channel so far; another object when there are more.
        self._lost: dict[int, int] = {}
        self._catalogue = self._describe()

    # -- channels

    def apply(self, infos: Iterable[ChannelInfo]) -> None:
        """Take over what the registry tells."""
        self.streams.apply(infos)
        self._announce()

    def lose(self, missing: Mapping[str, Missing]) -> None:
        """Take over what relays lost, by channel."""
        for name, lost in missing.items():
            if name in self.streams.channels:
                self.streams.channels[name].lose(lost)

    def _announce(self) -> None:
        """Tell clients of the channels if they changed, and what names mean now."""
        self._follow_full()
        for channel in self.streams.all:
            channel.has_grown = False
        catalogue = self._describe()
        if catalogue != self._catalogue:
            self._catalogue = catalogue
            send([client.connection for client in self.clients], catalogue)
        for client in self.clients:
            self._find_again(client)
        if self._past:
            self._past.keep({channel.id for channel in self.streams.all})

    def _find_again(self, client: Client) -> None:
        changed = client.find_again(self.streams)
        if changed:
            self._tell(client, {"type": "subscribed", "signals": changed})
            self._want_past(client)

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
        send([connection], self._catalogue)
        send([connection], self._status())
        return client

    def leave(self, client: Client) -> None:
        """Forget a client."""
        self.clients.discard(client)
        self._follow_full()

    def handle(self, client: Client, message: str | bytes, now_s: float) -> str | None:
        """Follow a message of a client; give what to answer, or TooMuchError.

        The caller sends the answer and waits for the connection to take it, so that nobody is answered faster than
        they read.
        """
        if not client.allowance.take(len(message), now_s):
            raise TooMuchError
        try:
            request = read_request(message)
            if isinstance(request, Report):
                client.pace.report(request)
                return None
            answer = self._follow(client, request)
        except RequestError as error:
            return _message("error", message=str(error))
        return _message("subscribed", signals=answer) if answer else None

    def _follow(self, client: Client, request: Request) -> list[dict[str, Any]]:
        if request.type == "unsubscribe":
            client.unsubscribe(request)
            self._follow_full()
            return []
        if request.stream == "full":
            self._follow_full(request.signals)
        try:
            return client.subscribe(request, self.streams)
        finally:
            self._follow_full()
            self._want_past(client)

    def _follow_full(self, more: Collection[str] = ()) -> None:
        """Receive at full rate the channels of the names that somebody wants so, now that it is known which they are."""
        names = set(more).union(*(client.full for client in self.clients))
        found = (self.streams.find(name, "live") for name in names)
        self.streams.want_full({one.channel for one in found if not isinstance(one, str)}, self._now_ns)

    def _want_past(self, client: Client) -> None:
        """Have what windows ask for of before the ring."""
        if self._past is None or not self._now_ns:
            return
        for channel, (window_s, width) in client.reach().items():
            start_ns = self._now_ns - int(window_s * 1e9)
            bucket_ns = channel.info.making.bucket_ns or width or BASE_NS
            self._past.want(channel, start_ns, bucket_ns, self._now_ns)

    def _tell(self, client: Client, message: dict[str, Any]) -> None:
        send([client.connection], json.dumps(message))

    # -- ticks

    def tick(self, now_ns: int, now_s: float) -> None:
        """Take in what came and send what is due; `now_s` is the monotonic clock's."""
        self.ticks += 1
        is_first, self._now_ns = not self._now_ns, now_ns
        if is_first:
            for client in self.clients:
                self._want_past(client)
        self.streams.drain(now_ns)
        if any(channel.has_grown for channel in self.streams.all):
            self._announce()
        for channel in self._past.tick(now_ns) if self._past else ():
            for client in self.clients:
                client.ask_again(channel, now_ns)
        ready = [client for client in self.clients if client.pace.is_due(client.buffered(), now_s)]
        is_second = now_s - self._status_s >= _STATUS_S
        self._serve(ready, now_ns, now_s, is_second)
        for client in ready:
            if client.pace.is_slow:
                self._tell(client, {"type": "slow", "late_ms": round(client.pace.late_s * 1000)})
        lost = {channel.id: channel.losses.total for channel in self.streams.all}
        if lost != self._lost:
            self._lost = lost
        for client in ready:
            if client.awaited:
                self._fill(client, now_ns)
                self._tell_losses(client)
            elif client.lost is not self._lost:
                self._tell_losses(client)
        if now_s - self._texts_s >= _TEXT_S:
            self._texts_s = now_s
            for client in ready:
                news = client.news()
                if news:
                    send([client.connection], news)
        if is_second:
            self._status_s = now_s
            self._look_around(ready, now_s)

    def _look_around(self, ready: Sequence[Client], now_s: float) -> None:
        """What is done once a second."""
        self.streams.tidy(self._now_ns)
        send([client.connection for client in ready], self._status())
        for client in ready:
            if client.has_outgrown():
                self._find_again(client)
        for client in [client for client in self.clients if client.pace.is_given_up(now_s)]:
            self.given_up.append(client)
            self.leave(client)

    def adapt(self, worked_s: float) -> None:
        """Take in how long the tick took; tell the clients when ticks come in another rhythm from now on."""
        if self.rhythm.worked(worked_s):
            message = _message("tick", tick_ms=self.rhythm.tick_ms)
            send([client.connection for client in self.clients], message)

    def _serve(self, clients: Sequence[Client], now_ns: int, now_s: float, is_second: bool) -> None:
        """Send the samples since the last frame; clients that watch the same get the same bytes."""
        sharing: dict[tuple[int, Position], list[Client]] = defaultdict(list)
        for client in clients:
            sharing[client.pace.merged, client.position].append(client)
        made: dict[Any, list[bytes]] = {}
        for (merged, position), group in sharing.items():
            blocks: list[bytes] = []
            for at, served, ids in position:
                watched = group[0].watched[at]
                if served == watched.serving.total:
                    continue
                part = (at, served, ids, merged > 0)
                if part not in made:
                    made[part] = watched.serving.news(served, watched.in_order(), merged > 0)
                blocks += made[part]
            if not blocks and not is_second:
                continue
            frame = frames.frame(self.ticks, now_ns / 1e6, blocks, merged)
            size = send([client.connection for client in group], frame)
            reached = group[0].reached()
            for client in group:
                client.position = reached
                client.note_sent(size, client.pace.sent(self.ticks, now_s))

    def _fill(self, client: Client, now_ns: int) -> None:
        """Send windows that are due, as far as the connection takes them."""
        sent = 0
        while client.awaited and sent < _WINDOW_BYTES and client.buffered() <= BUFFER_HIGH:
            window = client.next_window(_WINDOW_SIGNALS)
            if window is None:
                break
            blocks = window.serving.window(now_ns - int(window.seconds * 1e9), window.signals)
            frame = frames.frame(self.ticks, now_ns / 1e6, blocks)
            size = send([client.connection], frame)
            client.window_sent(window)
            client.note_sent(size)
            sent += size

    def _tell_losses(self, client: Client) -> None:
        """Tell of what was lost of the channels that a client watches, since it was told last."""
        client.lost = self._lost
        for watched in client.watched.values():
            losses, told = watched.channel.losses, client.losses.get(watched.channel.id, 0)
            if told == losses.total:
                continue
            new = losses.since(told)[-_LOSSES_TOLD:]
            client.losses[watched.channel.id] = losses.total
            spans = [[loss.start_ns / 1e6, loss.end_ns / 1e6, loss.count] for loss in new]
            self._tell(client, {"type": "losses", "channel": watched.channel.info.name, "spans": spans})

    def _status(self) -> str:
        return _message(
            "status",
            channels=self.streams.status(),
            strays=self.streams.strays,
            clients=len(self.clients),
            tick_ms=self.rhythm.tick_ms,
        )

    def trouble(self) -> str:
        """Why not all channels can be shown live; empty where nothing is known against it."""
        return self.streams.trouble()

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
        if self._past:
            self._past.close()


def _message(kind: str, **content: Any) -> str:
    return json.dumps({"type": kind, **content}, separators=(",", ":"))
