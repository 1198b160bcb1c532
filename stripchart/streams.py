"""The live channels and the multicast groups that feed them: at full rate only those that somebody watches so."""

import itertools
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from speeddata.stripchart.catalogue import Address, ChannelInfo, Making
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.former_limits import FormerLimits
from speeddata.stripchart.groups import Groups
from speeddata.stripchart.receiver import Receiver
from speeddata.stripchart.signals import LiveSignal

# Of what is kept at full rate, and for how long it is received after the last who watched has gone.
FULL_SPAN_NS = 60 * 1_000_000_000

_log = logging.getLogger(__name__)


class Streams:
    """All channels, by name: `channels` decimated, `full` at full rate."""

    def __init__(self, join: Callable[[Address], Receiver]) -> None:
        self.channels: dict[str, LiveChannel] = {}
        self.full: dict[str, LiveChannel] = {}
        # Packets on a group of several channels that none of them owns up to.
        self.strays = 0
        # Channels at full rate that nobody watches any more, and since when: who comes back finds what was before.
        self._unwatched: dict[str, int] = {}
        self._former_limits = FormerLimits()
        self.groups = Groups(join)
        self._ids = itertools.count(1)

    def apply(self, infos: Iterable[ChannelInfo]) -> None:
        """Take over what the registry tells."""
        before = self.channels
        told = {info.name: info for info in self._former_limits.add_to(infos)}
        self.channels = {name: self._renew(before.get(name), info) for name, info in told.items()}
        for name in before.keys() ^ self.channels.keys():
            _log.info("channel %s %s", name, "came" if name in self.channels else "went")
        self.full = {
            name: self._renew(channel, at_full_rate(told[name]), FULL_SPAN_NS)
            for name, channel in self.full.items()
            if name in told and told[name].full_group
        }
        self.join()

    def _renew(
        self, channel: LiveChannel | None, info: ChannelInfo, span_ns: int | None = None
    ) -> LiveChannel:
        if channel is not None and channel.adopt(info):
            return channel
        if channel is not None:
            _log.info("channel %s has another schema", info.name)
        return LiveChannel(info, self._ids) if span_ns is None else LiveChannel(info, self._ids, span_ns)

    def want_full(self, names: Collection[str], now_ns: int) -> None:
        """Receive these channels at full rate, and others no longer than a while."""
        self._unwatched = {name: self._unwatched.get(name, now_ns) for name in self.full.keys() - set(names)}
        new = [self.channels[name] for name in names if name in self.channels and name not in self.full]
        for channel in new:
            if channel.info.full_group:
                at_full = at_full_rate(channel.info)
                self.full[channel.info.name] = LiveChannel(at_full, self._ids, FULL_SPAN_NS)
        if new:
            self.join()

    def tidy(self, now_ns: int) -> None:
        """Once a second: leave groups at full rate that nobody watches any more, join those that could not be joined, and once
        more those whose interface is another by now."""
        for name, since_ns in list(self._unwatched.items()):
            if now_ns - since_ns > FULL_SPAN_NS:
                self.full.pop(name, None)
                del self._unwatched[name]
        by_group = self._by_group()
        for group in self.groups.look():
            self._drain(by_group[group], self.groups.receivers[group], now_ns)
            self.groups.leave(group)
            for channel in by_group[group]:
                channel.has_lost = True
        self.join()

    @property
    def all(self) -> list[LiveChannel]:
        """Those of both kinds."""
        return [*self.channels.values(), *self.full.values()]

    def find(self, name: str, stream: str) -> LiveSignal | str:
        """Find a signal by what a client calls it; else say why not."""
        found = find(name, self.channels)
        if stream == "live" or isinstance(found, str):
            return found
        full = self.full.get(found.channel)
        if full is None:
            return f"{found.channel} has no stream at full rate"
        return full.by_path.get(found.path, f"{found.name} has not come at full rate yet")

    def channel_of(self, signal: LiveSignal, stream: str) -> LiveChannel:
        """The channel of a signal that was found in a stream."""
        return (self.full if stream == "full" else self.channels)[signal.channel]

    def join(self) -> None:
        """Join the groups that are needed and not joined, leave the others."""
        self.groups.want({channel.info.group for channel in self.all})

    def _by_group(self) -> dict[Address, list[LiveChannel]]:
        by_group: dict[Address, list[LiveChannel]] = defaultdict(list)
        for channel in self.all:
            by_group[channel.info.group].append(channel)
        return by_group

    def drain(self, now_ns: int) -> None:
        """Have all channels take in what came."""
        by_group = self._by_group()
        for group, receiver in self.groups.receivers.items():
            self._drain(by_group[group], receiver, now_ns)

    def _drain(self, channels: Sequence[LiveChannel], receiver: Receiver, now_ns: int) -> None:
        drops = receiver.drops
        received = receiver.drain()
        self._sort(channels, received, now_ns)
        if receiver.drops != drops:
            # What the kernel threw away came when the socket was full: after what was just taken out of it.
            for channel in channels:
                channel.has_lost = True

    def _sort(
        self, channels: Sequence[LiveChannel], received: Sequence[tuple[bytes, Address]], now_ns: int
    ) -> None:
        """Have each channel take in its own packets."""
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

    def trouble(self) -> str:
        """Why channels are not heard: of the first of them, and how many more there are; empty where all are."""
        troubles = list(self.groups.troubles.values())
        return "" if not troubles else troubles[0] + f", and {len(troubles) - 1} more" * (len(troubles) > 1)

    def status(self) -> dict[str, dict[str, Any]]:
        """Tell how each channel's decimated stream does, and `full` of that at full rate where somebody watches it; `trouble` says
        why one is not heard."""
        drops = {group: receiver.drops for group, receiver in self.groups.receivers.items()}
        troubles = self.groups.troubles
        told = {
            name: {
                **channel.status(),
                "drops": drops.get(channel.info.group, 0),
                **({"trouble": troubles[channel.info.group]} if channel.info.group in troubles else {}),
            }
            for name, channel in self.channels.items()
        }
        for name, channel in self.full.items():
            own = channel.status()
            told[name]["full"] = {"id": channel.id, "last": own["last"], "limit": own["limit"]}
        return told

    def close(self) -> None:
        """Leave all groups."""
        self.groups.close()


def at_full_rate(info: ChannelInfo) -> ChannelInfo:
    """The same channel, as its stream at full rate has it: samples that stand for themselves."""
    assert info.full_group is not None, "asked for channels that have one"
    return replace(info, group=info.full_group, full_group=None, making=Making(), has_trailers=info.signed)


def find(name: str, channels: Mapping[str, LiveChannel]) -> LiveSignal | str:
    """Find a signal by `channel.signal`, or by its own name when only one channel has it; else say why not.

    Channel names and signal names may have dots themselves, so each dot is tried.
    """
    dot = name.find(".")
    while dot >= 0:
        channel = channels.get(name[:dot])
        if channel and name[dot + 1 :] in channel.by_path:
            return channel.by_path[name[dot + 1 :]]
        dot = name.find(".", dot + 1)
    having = [channel for channel in channels.values() if name in channel.by_path]
    if len(having) == 1:
        return having[0].by_path[name]
    if having:
        names = ", ".join(sorted(f"{channel.info.name}.{name}" for channel in having))
        return f"several signals of that name: {names}"
    return f"no such signal: {name}"


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
