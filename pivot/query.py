"""The query engine: raw records of a range, or aggregates of their signals per time bucket. It blocks, so it runs in a thread.

Ranges include both ends here. Answers are exact, whatever they are made from.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from speeddata.archive import Archive
from speeddata.buckets import for_pixels
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.query_buckets import answer_buckets
from speeddata.pivot.query_raw import answer_raw
from speeddata.pivot.query_words import Check, Limits, Query, Result, Series
from speeddata.rollup_channel import ChannelRollups
from speeddata.rollup_memory import Memory
from speeddata.rollup_parts import Kept

__all__ = ["Engine", "Limits", "Query", "Result", "Series"]

ENVELOPE = ("min", "max")
ROLLUP_BYTES = 256 << 20
MAX_CHANNELS = 4096  # whose segments are remembered
USUAL = ("avg", "min", "max")


class Engine:
    """Answers queries over the archives that a catalogue finds. Threads may share it."""

    def __init__(
        self, catalogue: Catalogue, limits: Limits | None = None, rollup_bytes: int = ROLLUP_BYTES
    ) -> None:
        self.catalogue = catalogue
        self.limits = limits or Limits()
        self.runs = 0  # queries answered
        self.memory: Memory[Kept] = Memory(rollup_bytes)
        self._lock = threading.Lock()
        self._channels: OrderedDict[str, ChannelRollups] = OrderedDict()

    def run(self, query: Query, check: Check) -> Result:
        """Answer a query; `check` is called often, and what it raises ends the work. Problem says what cannot be answered."""
        self.runs += 1
        channels = self.channels(query.channels)
        if query.width is not None:
            every = for_pixels(query.start_ns, query.end_ns, query.width, query.zone)
            query = replace(query, every=every, aggregates=query.aggregates or ENVELOPE)
        if query.every is not None and not query.aggregates:
            query = replace(query, aggregates=USUAL)
        answer = answer_buckets if query.aggregates else answer_raw
        return answer(query, channels, self.limits, check)

    def channels(self, names: Sequence[str]) -> dict[str, ChannelRollups]:
        """Some channels by name; one that there is not is a 404."""
        return {name: self._channel(name, archive) for name, archive in self.catalogue.find(names).items()}

    def token(self, query: Query) -> int:
        """A number that changes when the records that a query is about do."""
        return hash(
            tuple(
                channel.look().token(query.start_ns, query.end_ns)
                for channel in self.channels(query.channels).values()
            )
        )

    def _channel(self, name: str, archive: Archive) -> ChannelRollups:
        with self._lock:
            channel = self._channels.get(name)
            if channel is None or channel.archive is not archive:
                channel = self._channels[name] = ChannelRollups(archive, self.memory)
            self._channels.move_to_end(name)
            while len(self._channels) > MAX_CHANNELS:
                self._channels.popitem(last=False)
            return channel
