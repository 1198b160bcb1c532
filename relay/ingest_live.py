"""The live streams of what the shared relay appends: of channels that records came for lately, a few at a time.

What is sent live is held against the limits of its signals.
"""

import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from speeddata.errors import RelayError
from speeddata.host_addresses import address_indexes
from speeddata.plan import Plan
from speeddata.relay.alarms import limited_signals, tell_alarms
from speeddata.relay.ingest_alarms import IngestAlarms, Seen
from speeddata.relay.ingest_channel import Counts, IngestChannel
from speeddata.relay.ingest_parts import Part
from speeddata.relay.live_copy import LiveCopy
from speeddata.relay.sending import Sending, sending_error
from speeddata.relay.sockets import open_output
from speeddata.relay.spec import ChannelSpec

__all__ = ["LiveStreams"]

log = logging.getLogger(__name__)

MOST = 128  # channels that are sent live at a time
IDLE_S = 60.0
RETRY_S = 10.0  # before streams that could not be opened are tried again
LOOK_S = 1.0  # between two looks whether interfaces have gone, or come back
FOR_EVER = float("inf")


@dataclass(slots=True)
class _Streams:
    channel: IngestChannel
    spec: ChannelSpec
    copy: LiveCopy
    sending: Sending
    sockets: contextlib.ExitStack
    touched: float
    plans: list[Plan]
    turns: int = 0  # of its alarms, when they were noted last


class LiveStreams:
    """Sends parts of batches that are done."""

    def __init__(
        self, total: Counts, alarms: IngestAlarms, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.alarms = alarms
        self.clock = clock
        self.streams: OrderedDict[str, _Streams] = OrderedDict()
        self._broken: dict[str, float] = {}  # when to try again
        self._look_due = 0.0

    def send(self, parts: Iterable[Part], live: bool | None) -> None:
        """Send those parts whose channels have streams, where the request, or else the channel, says so."""
        for part in parts:
            spec = part.channel.spec
            if spec.multicast is None or not (spec.live if live is None else live):
                continue
            plans = list(part.channel.plans.values())
            # Packets that do not say which version they are of are of the newest.
            if spec.framing == "plain" and part.records.plan is not plans[-1]:
                continue
            streams = self._of(part.channel, spec)
            if streams is not None:
                streams.copy.send(part.records)
                self._count(streams)

    def tick(self) -> float:
        """Send buckets that are due; the seconds until another is."""
        soonest, now = FOR_EVER, self.clock()
        if self.streams and now >= self._look_due:
            self._look_due = now + LOOK_S
            self._look_at_interfaces()
        for name, streams in list(self.streams.items()):
            due = streams.copy.tick()
            self._count(streams)
            if due is not None:
                soonest = min(soonest, due)
            elif now - streams.touched >= IDLE_S:
                self._close(name)
        return soonest

    def _look_at_interfaces(self) -> None:
        """Have streams whose interface has come back go by it again."""
        found = address_indexes()
        for streams in self.streams.values():
            streams.sending.look(found)

    def look_at_alarms(self) -> None:
        """Note how the signals stand that are sent live just now."""
        for streams in self.streams.values():
            self._note_alarms(streams)

    def keep_alarms(self) -> None:
        """Have what has risen or returned written, if it is time."""
        if self.clock() >= self.alarms.next:
            for streams in self.streams.values():
                if streams.copy.turns != streams.turns:
                    self._note_alarms(streams)
            self.alarms.keep()

    def acknowledge(self, name: str, seen: Sequence[Seen]) -> None:
        """Note what somebody has acknowledged of a channel's alarms."""
        if streams := self.streams.get(name):
            for one in seen:
                streams.copy.acknowledge(*one)
        self.alarms.acknowledge(name, seen)

    def forget(self, name: str) -> None:
        """A channel is not registered any more."""
        if name in self.streams:
            self._close(name)
        self.alarms.forget(name)

    def close(self) -> None:
        """Send what is gathered, and end."""
        for name in list(self.streams):
            self._close(name)

    def _of(self, channel: IngestChannel, spec: ChannelSpec) -> _Streams | None:
        known = self.streams.get(channel.name)
        if known is not None and (known.spec is not spec or known.channel is not channel):
            self._close(channel.name)
            known = None
        if known is None:
            if self._broken.get(channel.name, 0.0) > self.clock():
                return None
            try:
                known = self._open(channel, spec)
            except RelayError as error:
                log.warning("%s is not sent live: %s", channel.name, error)
                self._broken[channel.name] = self.clock() + RETRY_S
                channel.counts.live_error = f"not sent live: {error}"
                if limited_signals(list(channel.plans.values())):
                    self.alarms.unchecked[channel.name] = f"it is not sent live: {error}"
                return None
            self.alarms.unchecked.pop(channel.name, None)
            self.streams[channel.name] = known
            while len(self.streams) > MOST:
                self._close(next(iter(self.streams)))
        known.touched = self.clock()
        self.streams.move_to_end(channel.name)
        return known

    def _open(self, channel: IngestChannel, spec: ChannelSpec) -> _Streams:
        assert spec.multicast is not None, "it has streams"
        with contextlib.ExitStack() as undo:
            groups = [spec.multicast.decimated, *([spec.multicast.full_rate] if spec.full_rate else [])]
            outputs = [(undo.enter_context(open_output(spec.multicast, group)), group) for group in groups]
            decimated, full = outputs[0][0].fileno(), outputs[1][0].fileno() if spec.full_rate else -1
            plans = list(channel.plans.values())
            framed = spec.framing == "single_object"
            plans = plans if framed else plans[-1:]
            standings = self.alarms.raised.get(channel.name, [])
            copy = LiveCopy(plans, framed, full, decimated, *spec.decimation.resolved(), standings)
            sending = Sending(spec.multicast, outputs, self.clock)
            return _Streams(channel, spec, copy, sending, undo.pop_all(), self.clock(), plans)
        raise AssertionError("an exit stack that swallows nothing")

    def _close(self, name: str) -> None:
        streams = self.streams.pop(name)
        streams.copy.flush()
        self._count(streams)
        self._note_alarms(streams)
        streams.sockets.close()

    def _note_alarms(self, streams: _Streams) -> None:
        if streams.copy.signals:
            streams.turns = streams.copy.turns
            self.alarms.note(streams.channel.name, tell_alarms(streams.plans, streams.copy.standings()))

    def _count(self, streams: _Streams) -> None:
        sent, failed = streams.copy.take_counts()
        for counts in (streams.channel.counts, self.total):
            counts.live_packets += sent
            counts.live_failed += failed
        full, decimated = map(sending_error, streams.copy.errors)
        known = {"forwarded": 0, "forward_error": full, "decimated": 0, "decimate_error": decimated}
        unsent = streams.sending.unsent(known, full_rate=streams.spec.full_rate)
        streams.channel.counts.live_error = unsent or None
