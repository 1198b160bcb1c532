"""The heart of the live server: at each tick it drains the groups, fills the rings and serves the clients.

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
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.client import BUFFER_HIGH, Client
from speeddata.stripchart.receiver import Receiver
from speeddata.stripchart.signals import LiveSignal
from speeddata.stripchart.subscription import RequestError, read_request

TICKS_PER_S = 20
LIVE_SAMPLES = 1024  # most samples per signal in a live frame
MERGED_SAMPLES = 128  # and in one for a client that could not take the frames before
WINDOW_SAMPLES = 8192  # and in the frame that fills a window
_WINDOW_SIGNALS = 8  # signals whose windows share a frame
_WINDOW_BYTES = 1 << 20  # windows sent to one client in one tick
_TEXT_TICKS = 5

_log = logging.getLogger(__name__)


class Hub:
    """All channels and all clients."""

    def __init__(self, join: Callable[[Address], Receiver]) -> None:
        self.channels: dict[str, LiveChannel] = {}
        self.clients: set[Client] = set()
        self.ticks = 0
        # Packets on a group of several channels that none of them owns up to.
        self.strays = 0
        self._join = join
        self._receivers: dict[Address, Receiver] = {}
        # Why groups could not be joined; each is tried again once a second.
        self._unjoined: dict[Address, str] = {}
        self._ids = itertools.count(1)
        self._catalogue = self._describe()

    # -- channels

    def apply(self, infos: Iterable[ChannelInfo]) -> None:
        """Take over what the registry tells."""
        before = self.channels
        self.channels = {info.name: self._renew(before.get(info.name), info) for info in infos}
        for name in before.keys() ^ self.channels.keys():
            _log.info("channel %s %s", name, "came" if name in self.channels else "went")
        self._join_groups()
        self._announce()

    def _announce(self) -> None:
        """Tell clients of the channels, if they changed."""
        catalogue = self._describe()
        if catalogue == self._catalogue:
            return
        self._catalogue = catalogue
        for channel in self.channels.values():
            channel.has_grown = False
        broadcast([client.connection for client in self.clients], catalogue)
        for client in self.clients:
            changed = client.find_again(self.channels)
            if changed:
                self._tell(client, {"type": "subscribed", "signals": changed})

    def _renew(self, channel: LiveChannel | None, info: ChannelInfo) -> LiveChannel:
        if channel is None:
            return LiveChannel(info, self._ids)
        if not channel.adopt(info):
            _log.info("channel %s has another schema", info.name)
            return LiveChannel(info, self._ids)
        return channel

    def _join_groups(self) -> None:
        wanted = {channel.info.group for channel in self.channels.values()}
        for group in self._receivers.keys() - wanted:
            self._receivers.pop(group).close()
        for group in wanted - self._receivers.keys():
            try:
                self._receivers[group] = self._join(group)
            except OSError as error:
                if self._unjoined.get(group) != str(error):
                    _log.error("%s", error)
                self._unjoined[group] = str(error)
            else:
                self._unjoined.pop(group, None)

    def _describe(self) -> str:
        return _message("channels", channels=[channel.describe() for channel in self.channels.values()])

    # -- clients

    def enter(self, connection: ServerConnection) -> Client:
        """Welcome a client."""
        client = Client(connection)
        self.clients.add(client)
        self._tell(client, {"type": "hello", "version": frames.VERSION, "tick_ms": 1000 // TICKS_PER_S})
        broadcast([connection], self._catalogue)
        broadcast([connection], self._status())
        return client

    def leave(self, client: Client) -> None:
        """Forget a client."""
        self.clients.discard(client)

    def handle(self, client: Client, message: str | bytes) -> str | None:
        """Follow a message of a client; give what to answer.

        The caller sends the answer and waits for the connection to take it, so that nobody is answered faster than
        they read.
        """
        try:
            answer = client.handle(read_request(message), self.channels)
        except RequestError as error:
            return _message("error", message=str(error))
        return _message("subscribed", signals=answer) if answer else None

    def _tell(self, client: Client, message: dict[str, Any]) -> None:
        broadcast([client.connection], json.dumps(message))

    # -- ticks

    def tick(self, now_ns: int) -> None:
        """Take in what came and send what is due."""
        self.ticks += 1
        for group, receiver in self._receivers.items():
            self._drain(group, receiver, now_ns)
        if any(channel.has_grown for channel in self.channels.values()):
            self._announce()
        ready = [client for client in self.clients if client.can_take()]
        self._serve(ready, now_ns)
        for client in ready:
            self._fill(client, now_ns)
        if self.ticks % _TEXT_TICKS == 0:
            for client in ready:
                news = client.news(self.channels)
                if news:
                    broadcast([client.connection], news)
        if self.ticks % TICKS_PER_S == 0:
            self._join_groups()
            broadcast([client.connection for client in ready], self._status())

    def _drain(self, group: Address, receiver: Receiver, now_ns: int) -> None:
        drops = receiver.drops
        received = receiver.drain()
        channels = [channel for channel in self.channels.values() if channel.info.group == group]
        if receiver.drops != drops:
            for channel in channels:
                channel.has_lost = True
        if not received:
            return
        if len(channels) == 1:
            _ingest(channels[0], [packet for packet, _ in received], now_ns)
            return
        packets = defaultdict(list)
        for packet, source in received:
            packets[source].append(packet)
        for channel in channels:
            own = packets.pop(channel.info.source, None) if channel.info.source else None
            if own:
                _ingest(channel, own, now_ns)
        self.strays += sum(map(len, packets.values()))

    def _serve(self, clients: Sequence[Client], now_ns: int) -> None:
        """Send the samples since the last frame; clients that watch the same get the same bytes."""
        sharing: dict[tuple[Any, ...], list[Client]] = defaultdict(list)
        for client in clients:
            watched = client.watched.values()
            key = tuple((w.channel.id, w.served, w.key) for w in watched if w.served < w.channel.ring.total)
            sharing[client.merged, key].append(client)
        made: dict[Any, list[bytes]] = {}
        for (merged, key), group in sharing.items():
            blocks: list[bytes] = []
            limit = MERGED_SAMPLES if merged else LIVE_SAMPLES
            for channel_id, served, ids in key:
                part = (channel_id, served, ids, limit)
                if part not in made:
                    watched_one = group[0].watched[channel_id]
                    signals = [watched_one.signals[id] for id in ids]
                    made[part] = watched_one.channel.blocks(served, signals, limit)
                blocks += made[part]
            if blocks or self.ticks % TICKS_PER_S == 0:
                broadcast(
                    [c.connection for c in group], frames.frame(self.ticks, now_ns / 1e6, blocks, merged)
                )
            for client in group:
                client.merged = 0
                for watched_one in client.watched.values():
                    watched_one.served = watched_one.channel.ring.total

    def _fill(self, client: Client, now_ns: int) -> None:
        """Send windows that are due, as far as the connection takes them."""
        sent = 0
        while client.awaited and sent < _WINDOW_BYTES and client.buffered() <= BUFFER_HIGH:
            name = next(iter(client.awaited))
            found = client.found[name]
            if not isinstance(found, LiveSignal) or found.row is None:
                del client.awaited[name]
                continue
            channel, window_s = self.channels[found.channel], client.windows[name]
            signals = self._take_awaited(client, found.channel, window_s)
            start = channel.window_start(window_s, now_ns)
            blocks = channel.blocks(start, signals, WINDOW_SAMPLES, frames.FLAG_RESET)
            frame = frames.frame(self.ticks, now_ns / 1e6, blocks)
            broadcast([client.connection], frame)
            client.served(channel, signals)
            sent += len(frame)

    def _take_awaited(self, client: Client, channel: str, window_s: float) -> list[LiveSignal]:
        chosen: dict[int, LiveSignal] = {}
        for name in list(client.awaited):
            found = client.found[name]
            if not isinstance(found, LiveSignal) or found.row is None:
                continue
            if (
                found.channel == channel
                and client.windows[name] == window_s
                and len(chosen) < _WINDOW_SIGNALS
            ):
                chosen[found.id] = found
                del client.awaited[name]
        return list(chosen.values())

    def _status(self) -> str:
        drops = {group: receiver.drops for group, receiver in self._receivers.items()}
        return _message(
            "status",
            channels={
                name: {**channel.status(), "drops": drops.get(channel.info.group, 0)}
                for name, channel in self.channels.items()
            },
            strays=self.strays,
            clients=len(self.clients),
        )

    def close(self) -> None:
        """Leave all groups."""
        for receiver in self._receivers.values():
            receiver.close()
        self._receivers.clear()


def _ingest(channel: LiveChannel, packets: Sequence[bytes], now_ns: int) -> None:
    """Have a channel take in its packets; if it fails on them, the others shall not."""
    try:
        channel.ingest(packets, now_ns)
    except Exception:
        channel.bad += len(packets)
        channel.has_lost = True
        if not channel.has_failed:
            _log.exception("channel %s: its packets cannot be shown", channel.info.name)
        channel.has_failed = True


def _message(kind: str, **content: Any) -> str:
    return json.dumps({"type": kind, **content}, separators=(",", ":"))
