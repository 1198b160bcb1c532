"""One live channel: packets in, a ring of samples and of arrays, and the latest texts."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speeddata.signing import without_trailer
from speeddata.stripchart import pairs
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.intervals import Intervals
from speeddata.stripchart.losses import Losses
from speeddata.stripchart.packets import join
from speeddata.stripchart.placing import Placing
from speeddata.stripchart.relay_counts import Missing
from speeddata.stripchart.ring import SPAN_NS, Ring
from speeddata.stripchart.rows import RowRing
from speeddata.stripchart.serving import Arrays, InColumns, Samples, Serving
from speeddata.stripchart.signals import (
    ITEMS_MAX,
    LiveSignal,
    array_length,
    item_signals,
    schema_signals,
    time_text,
    value_text,
)
from speeddata.stripchart.versions import Records, versions

RAW = 0  # in place of a width of columns: samples as they are
_STALE_FACTOR = 3
_STALE_LEAST_NS = 2_000_000_000


class LiveChannel:
    """A channel as long as its schema stays the same."""

    def __init__(self, info: ChannelInfo, ids: Iterator[int], span_ns: int = SPAN_NS) -> None:
        self.info = info
        # Number of the channel in frames; a new schema gets new numbers.
        self.id = next(ids)
        self.signals = list(schema_signals(info, ids))
        self.by_path = {signal.path: signal for signal in self.signals}
        self.ring = Ring(sum(signal.row is not None for signal in self.signals), span_ns)
        # Signals were added since the catalogue was told.
        self.has_grown = False
        # Latest value of the signals that have no samples, and how often each changed.
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        # When packets came last, as ns since 1970.
        self.arrived_ns: int | None = None
        # Arrays of numbers, by signal, from the first that came.
        self.rows: dict[str, RowRing] = {}
        # Totals since this server knows the channel.
        self.packets = self.records = self.bad = 0
        # Samples before the next one are known to be lost.
        self.has_lost = False
        # A source that has put its clock right: what follows is not joined to what was before, and nothing is lost.
        self._has_moved = False
        # Taking in packets failed, which was logged.
        self.has_failed = False
        self._ids = ids
        self._schema_versions = versions(info)
        self._placing = Placing(info.making.bucket_ns or 1)
        self._arrivals = Intervals()
        self._samples = Intervals()
        self.losses = Losses(info.making)
        self._sequence = next((signal.row for signal in self.signals if signal.role == "sequence"), None)
        # Middles of the last pair of minima and maxima, by row.
        self._middles = np.full(self.ring.rows, np.nan)
        # Signals made of the numbers of an array so far, by array.
        self._items: dict[str, int] = {}

    def adopt(self, info: ChannelInfo) -> bool:
        """Go on with what the registry tells now; False when its stream is another and a new channel must be made."""
        if (info.schema.text, info.making) != (self.info.schema.text, self.info.making):
            return False
        if (info.time_unit, info.revision) != (self.info.time_unit, self.info.revision):
            self._schema_versions = versions(info)
        self.info = info
        return True

    def ingest(self, packets: Sequence[bytes], now_ns: int) -> None:
        """Take in the packets of one tick."""
        if self.info.has_trailers:
            packets = [without_trailer(packet) for packet in packets]
        joined = join({head: one.plan for head, one in self._schema_versions.items()}, packets)
        self.bad += joined.bad
        if not joined.batches:
            return
        parts = [
            self._schema_versions[head].decode(batch.data, len(batch.numbers))
            for head, batch in joined.batches.items()
        ]
        self.packets += joined.packets
        self.records += sum(len(part.times) for part in parts)
        self.arrived_ns = now_ns
        self._arrivals.gaps(np.array([now_ns]))
        order = joined.order()
        skew = self._placing.skew_ns
        times = self._placing.place(
            np.concatenate([part.times for part in parts])[order],
            np.concatenate([part.bad for part in parts])[order],
            now_ns,
        )
        self._has_moved |= skew != self._placing.skew_ns and self.ring.total > 0
        for part in parts:
            self._unfold(part)
            self._take_texts(part, int(times[-1]) + self._placing.skew_ns)
        self._take_arrays(parts, times, order)
        self._append(times, np.hstack([self._numbers(part) for part in parts])[:, order])

    def _unfold(self, part: Records) -> None:
        """Make signals of the numbers of short arrays, once it shows how long they are."""
        for array in [signal for signal in self.signals if signal.type == "array"]:
            known = self._items.get(array.path, 0)
            length = array_length(part.columns[array.field]) if array.field in part.columns else 0
            if known < length <= ITEMS_MAX:
                row = self.ring.widen(length - known)
                self._middles = np.append(self._middles, np.full(length - known, np.nan))
                made = list(item_signals(array, range(known, length), row, self._ids))
                self.signals += made
                self.by_path |= {signal.path: signal for signal in made}
                self._items[array.path] = length
                self.has_grown = True

    def _numbers(self, part: Records) -> NDArray[np.float64]:
        """A row per signal; NaN for those that the records' version does not have."""
        values = np.full((self.ring.rows, len(part.times)), np.nan)
        for signal in self.signals:
            if signal.row is not None and signal.field in part.columns:
                values[signal.row] = signal.numbers(part.columns)
        return values

    def _take_texts(self, part: Records, newest_ns: int) -> None:
        for signal in self.signals:
            if signal.row is not None:
                continue
            if signal.role == "time":
                text = time_text(newest_ns)
            elif signal.field in part.columns:
                text = value_text(part.columns[signal.field][-1])
            else:
                continue
            if self.texts.get(signal.path) != text:
                self.texts[signal.path] = text
                self.versions[signal.path] = self.versions.get(signal.path, 0) + 1

    def _take_arrays(
        self, parts: Sequence[Records], times: NDArray[np.int64], order: NDArray[np.intp] | slice
    ) -> None:
        """Keep arrays of numbers; both samples of a pair have that of the last record of their bucket."""
        paired = np.append(times[1:] == times[:-1], False) & self.info.making.has_pairs
        for signal in self.signals:
            if signal.type != "array" or not any(signal.field in part.columns for part in parts):
                continue
            arrays: list[Any] = []
            for part in parts:
                arrays.extend(part.columns.get(signal.field, [None] * len(part.times)))
            in_order = np.arange(len(arrays))[order]
            rows = self.rows.setdefault(signal.path, RowRing())
            rows.append(times[~paired], (arrays[place] for place in in_order[~paired]))

    def _append(self, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Append samples in the order of their times, with a break (NaN) where there is a gap."""
        if np.any(np.diff(times) < 0):
            order = np.argsort(times, kind="stable")
            times, values = times[order], values[:, order]
        if self.info.making.has_pairs:
            pairs.arrange(times, values, self._middles)
        gaps = self._samples.gaps(times)
        numbers = None if self._sequence is None else values[self._sequence]
        gaps = np.union1d(gaps, self.losses.take(times, numbers, self.has_lost))
        if (self.has_lost or self._has_moved) and 0 not in gaps:
            gaps = np.insert(gaps, 0, 0)
        self.has_lost = self._has_moved = False
        if len(gaps):
            times, values = np.insert(times, gaps, times[gaps]), np.insert(values, gaps, np.nan, axis=1)
        self.ring.append(times, values)

    def lose(self, missing: Missing) -> None:
        """Take in what the relay lost of late."""
        if self._samples.last is not None:
            self.losses.lose(self._samples.last, missing)

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
            "loses_peaks": self.info.making.loses_peaks,
        }

    def serving(self, signal: LiveSignal, width: int) -> Serving:
        """How a signal is served: in columns of a width, as it is (RAW), or where it has no samples by its arrays."""
        if signal.row is None:
            return Arrays(self.id, self.rows.setdefault(signal.path, RowRing()))
        return InColumns(self.id, self.ring, width) if width else Samples(self.id, self.ring)

    @property
    def skew_ns(self) -> int:
        """The source's clock minus the ring's."""
        return self._placing.skew_ns

    @property
    def usual_ns(self) -> int | None:
        """The usual interval between samples; None as long as it is not known."""
        return self._samples.usual_ns
