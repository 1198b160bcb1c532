"""One live channel: packets in, a ring of samples, blocks of frames out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speeddata.columns import decode, time_ns
from speeddata.plan import Plan
from speeddata.stripchart import frames
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.intervals import Intervals
from speeddata.stripchart.packets import join
from speeddata.stripchart.placing import Placing
from speeddata.stripchart.reduction import keep
from speeddata.stripchart.ring import Ring
from speeddata.stripchart.signals import (
    ITEMS_MAX,
    LiveSignal,
    array_length,
    item_signals,
    schema_signals,
    time_text,
    value_text,
)

_SINGLE = {"float", "boolean"}  # float32 holds them exactly
_STALE_FACTOR = 3
_STALE_LEAST_NS = 2_000_000_000

Decoded = Mapping[str, NDArray[Any]]


class LiveChannel:
    """A channel as long as its schema stays the same."""

    def __init__(self, info: ChannelInfo, ids: Iterator[int]) -> None:
        self.info = info
        # Number of the channel in frames; a new schema gets new numbers.
        self.id = next(ids)
        self.signals = list(schema_signals(info, ids))
        self.by_path = {signal.path: signal for signal in self.signals}
        self.ring = Ring(sum(signal.row is not None for signal in self.signals))
        # Signals were added since the catalogue was told.
        self.has_grown = False
        # Latest value of the signals that have no samples, and how often each changed.
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        # When packets came last, as ns since 1970.
        self.arrived_ns: int | None = None
        # Totals since this server knows the channel.
        self.packets = self.records = self.bad = 0
        # Samples before the next one are known to be lost.
        self.has_lost = False
        # Taking in packets failed, which was logged.
        self.has_failed = False
        self._ids = ids
        self._plan = Plan(info.schema)
        self._placing = Placing()
        self._arrivals = Intervals()
        self._samples = Intervals()
        # Signals made of the numbers of an array so far, by array.
        self._items: dict[str, int] = {}

    def adopt(self, info: ChannelInfo) -> bool:
        """Go on with what the registry tells now; False when it has another schema and a new channel must be made."""
        if info.schema.text != self.info.schema.text:
            return False
        if info.time_unit != self.info.time_unit:
            self._plan = Plan(info.schema)
        self.info = info
        return True

    def ingest(self, packets: Sequence[bytes], now_ns: int) -> None:
        """Take in the packets of one tick."""
        batch = join(self._plan, packets)
        self.bad += batch.bad
        if not batch.records:
            return
        self.packets += batch.packets
        self.records += batch.records
        self.arrived_ns = now_ns
        self._arrivals.gaps(np.array([now_ns]))
        columns = decode(self._plan, batch.data, batch.records)
        times, bad = time_ns(self._plan, columns[self.info.schema.time])
        skew = self._placing.skew_ns
        times = self._placing.place(times, bad, now_ns)
        self.has_lost |= skew != self._placing.skew_ns
        self._unfold(columns)
        self._take_texts(columns, int(times[-1]) + self._placing.skew_ns)
        self._append(times, self._numbers(columns, batch.records))

    def _unfold(self, columns: Decoded) -> None:
        """Make signals of the numbers of short arrays, once it shows how long they are."""
        for array in [signal for signal in self.signals if signal.type == "array"]:
            known = self._items.get(array.path, 0)
            length = array_length(columns[array.field])
            if known < length <= ITEMS_MAX:
                row = self.ring.widen(length - known)
                made = list(item_signals(array, range(known, length), row, self._ids))
                self.signals += made
                self.by_path |= {signal.path: signal for signal in made}
                self._items[array.path] = length
                self.has_grown = True

    def _numbers(self, columns: Decoded, records: int) -> NDArray[np.float64]:
        values = np.empty((self.ring.rows, records))
        for signal in self.signals:
            if signal.row is not None:
                values[signal.row] = signal.numbers(columns)
        return values

    def _take_texts(self, columns: Decoded, newest_ns: int) -> None:
        for signal in self.signals:
            if signal.row is None:
                text = (
                    time_text(newest_ns) if signal.role == "time" else value_text(columns[signal.field][-1])
                )
                if self.texts.get(signal.path) != text:
                    self.texts[signal.path] = text
                    self.versions[signal.path] = self.versions.get(signal.path, 0) + 1

    def _append(self, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Append samples in the order of their times, with a break (NaN) where there is a gap."""
        if np.any(np.diff(times) < 0):
            order = np.argsort(times, kind="stable")
            times, values = times[order], values[:, order]
        gaps = self._samples.gaps(times)
        if self.has_lost and 0 not in gaps:
            gaps = np.insert(gaps, 0, 0)
        self.has_lost = False
        if len(gaps):
            times, values = np.insert(times, gaps, times[gaps]), np.insert(values, gaps, np.nan, axis=1)
        self.ring.append(times, values)

    def status(self) -> dict[str, Any]:
        """Tell how the stream does; times in milliseconds."""
        usual = self._arrivals.usual_ns
        limit = max(_STALE_LEAST_NS, _STALE_FACTOR * (_STALE_LEAST_NS if usual is None else usual))
        return {
            "last": None if self.arrived_ns is None else self.arrived_ns // 1_000_000,
            "limit": limit // 1_000_000,
            "skew": self._placing.skew_ns // 1_000_000,
            "packets": self.packets,
            "records": self.records,
            "bad": self.bad,
            "bad_time": self._placing.bad_time,
        }

    def describe(self) -> dict[str, Any]:
        """Tell what clients are told of the channel when it comes or changes."""
        return {
            "name": self.info.name,
            "id": self.id,
            "signals": [signal.describe() for signal in self.signals],
        }

    def window_start(self, window_s: float, now_ns: int) -> int:
        """Number of the first sample of a window that ends now; at least the newest sample is in it."""
        start = self.ring.since(now_ns - int(window_s * 1e9))
        return max(self.ring.first, min(start, self.ring.total - 1))

    def blocks(self, start: int, signals: Sequence[LiveSignal], limit: int, flags: int = 0) -> list[bytes]:
        """Encode the samples from number `start` on, at most `limit` per signal."""
        if start < self.ring.first:
            start = self.ring.first
            flags |= frames.FLAG_GAP
        times = self.ring.times(start)
        n = len(times)
        shared = [frames.times_block(self.id, times, flags)] if n <= limit else []
        encoded = shared.copy()
        for signal in signals:
            assert signal.row is not None, "only numbers have samples"
            values = self.ring.values(signal.row, start)
            single = signal.type in _SINGLE
            if shared:
                encoded.append(frames.values_block(signal.id, values, single, flags))
                continue
            kept = keep(values, limit)
            reduced = flags | frames.FLAG_REDUCED
            encoded.append(frames.times_block(self.id, times[kept], reduced, n))
            encoded.append(frames.values_block(signal.id, values[kept], single, reduced, n))
        return encoded
