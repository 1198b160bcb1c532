"""The ways in which clients are served what a channel has: samples as they are, columns of a width, or arrays row by row.

All give blocks of frames, and all have running numbers, so that a client is known by the number it was served up to.
Clients that were served alike get the same bytes.
"""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from speeddata.stripchart import columns, frames
from speeddata.stripchart.reduction import keep
from speeddata.stripchart.ring import Ring
from speeddata.stripchart.rows import RowRing
from speeddata.stripchart.signals import LiveSignal

LIVE_SAMPLES = 4096  # most samples per signal in a live frame
MERGED_SAMPLES = 128  # and in one for a client that could not take the frames before
WINDOW_SAMPLES = 8192  # and in the frame that fills a window
MERGED_COLUMNS = 512  # most columns per signal in a frame for a client that could not take the frames before
WINDOW_COLUMNS = 16384  # and in any other
LIVE_ROWS = 64  # most rows of an array signal in a live frame
MERGED_ROWS = 8  # and in one for a client that could not take the frames before
WINDOW_NUMBERS = 1 << 18  # most numbers of an array signal in the frame that fills a window: 1 MiB
_SPREAD = 4  # times as many columns as samples came to have followed the first of them: one came late
_SINGLE = {"float", "boolean", "enum"}  # float32 holds them exactly


class Serving(Protocol):
    """One way to serve signals."""

    @property
    def total(self) -> int:
        """Number after the newest."""

    def window(self, start_ns: int, signals: Sequence[LiveSignal]) -> list[bytes]:
        """Encode what is of a time or newer, and at least the newest, however old: it takes the place of all before."""

    def news(self, served: int, signals: Sequence[LiveSignal], is_merged: bool) -> list[bytes]:
        """Encode what came from number `served` on; `is_merged` for a client that missed frames, with less resolution."""


class Samples:
    """Samples as they are; where there are too many, the smallest and the largest of equal runs."""

    def __init__(self, channel_id: int, ring: Ring) -> None:
        self._id, self._ring = channel_id, ring

    @property
    def total(self) -> int:
        """Number after the newest."""
        return self._ring.total

    def window(self, start_ns: int, signals: Sequence[LiveSignal]) -> list[bytes]:
        """Encode the samples of a window."""
        start = _window_start(self._ring, start_ns)
        return self._encode(start, signals, WINDOW_SAMPLES, frames.FLAG_RESET)

    def news(self, served: int, signals: Sequence[LiveSignal], is_merged: bool) -> list[bytes]:
        """Encode the samples since."""
        first = self._ring.first
        flags = frames.FLAG_GAP if served < first else 0
        return self._encode(max(served, first), signals, MERGED_SAMPLES if is_merged else LIVE_SAMPLES, flags)

    def _encode(self, start: int, signals: Sequence[LiveSignal], limit: int, flags: int) -> list[bytes]:
        times, values = self._ring.ordered(start, rows_of(signals))
        n = len(times)
        encoded = [frames.times_block(self._id, times, flags)] if n <= limit else []
        for signal, own in zip(signals, values, strict=True):
            single = signal.type in _SINGLE
            if n <= limit:
                encoded.append(frames.values_block(signal.id, own, single, flags))
                continue
            kept = keep(own, limit)
            reduced = flags | frames.FLAG_REDUCED
            encoded.append(frames.times_block(self._id, times[kept], reduced, n))
            encoded.append(frames.values_block(signal.id, own[kept], single, reduced, n))
        return encoded


class InColumns:
    """Columns of a width; wider ones where there are too many. Of the columns that samples came to each is sent whole."""

    def __init__(self, channel_id: int, ring: Ring, width_ns: int) -> None:
        self._id, self._ring, self._width = channel_id, ring, width_ns

    @property
    def total(self) -> int:
        """Number after the newest."""
        return self._ring.total

    def window(self, start_ns: int, signals: Sequence[LiveSignal]) -> list[bytes]:
        """Encode the columns of a window."""
        start = _window_start(self._ring, start_ns)
        return self._encode(self._ring.times(start), signals, WINDOW_COLUMNS, frames.FLAG_RESET)

    def news(self, served: int, signals: Sequence[LiveSignal], is_merged: bool) -> list[bytes]:
        """Encode the columns that samples came to since; one that came late has its column sent again."""
        first = self._ring.first
        flags = frames.FLAG_GAP if served < first else 0
        limit = MERGED_COLUMNS if is_merged else WINDOW_COLUMNS
        return self._encode(self._ring.times(max(served, first)), signals, limit, flags)

    def _encode(
        self, times: NDArray[np.int64], signals: Sequence[LiveSignal], limit: int, flags: int
    ) -> list[bytes]:
        width = self._width
        touched = np.unique(times // width)
        while len(touched) > limit:
            width *= 2
            touched = np.unique(touched // 2)
        start = int(touched[0]) if len(touched) else 0
        is_spread = self._ring.highest_ns // width - start >= _SPREAD * len(touched)
        chosen = partial(_in_columns, width, touched) if is_spread else None
        samples = self._nothing(signals)
        if len(touched):
            samples = self._ring.select(start * width, rows_of(signals), chosen)
        made = columns.reduce(*samples, width, start)
        if len(made.numbers) != len(touched):
            made = made.take(np.isin(made.numbers, touched))
        encoded = [frames.axis_block(self._id, made.numbers, width, flags, width // self._width)]
        told = np.stack([made.first, made.min, made.max, made.last])
        for place, signal in enumerate(signals):
            single = signal.type in _SINGLE
            counts, broken = made.counts[place], made.broken[place]
            encoded.append(frames.columns_block(signal.id, told[:, place], counts, broken, single, flags))
        return encoded

    def _nothing(self, signals: Sequence[LiveSignal]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        return np.empty(0, np.int64), np.empty((len(signals), 0))


class Arrays:
    """Arrays of one signal, a row per record."""

    def __init__(self, channel_id: int, rows: RowRing) -> None:
        self._id, self._rows = channel_id, rows

    @property
    def total(self) -> int:
        """Number after the newest."""
        return self._rows.total

    def window(self, start_ns: int, signals: Sequence[LiveSignal]) -> list[bytes]:
        """Encode the rows of a window."""
        times, rows = self._rows.read(self._rows.since(start_ns))
        return self._encode(times, rows, WINDOW_NUMBERS // max(1, rows.shape[1]), signals, frames.FLAG_RESET)

    def news(self, served: int, signals: Sequence[LiveSignal], is_merged: bool) -> list[bytes]:
        """Encode the rows since."""
        start = max(served, self._rows.first)
        times, rows = self._rows.read(start)
        flags = frames.FLAG_GAP if start > served else 0
        return self._encode(times, rows, MERGED_ROWS if is_merged else LIVE_ROWS, signals, flags)

    def _encode(
        self,
        times: NDArray[np.int64],
        rows: NDArray[np.float32],
        most: int,
        signals: Sequence[LiveSignal],
        flags: int,
    ) -> list[bytes]:
        """Encode rows; of more than `most` the largest numbers of each equal run, at the time of its first."""
        if len(times) > most:
            starts = np.arange(0, len(times), -(-len(times) // most))
            times, rows = times[starts], np.fmax.reduceat(rows, starts)
        encoded = [frames.times_block(self._id, times, flags)]
        return encoded + [frames.arrays_block(signal.id, rows, flags) for signal in signals]


def _in_columns(width: int, touched: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of samples in order those of some columns, and each one right before, which they are joined to."""
    is_in = np.isin(times // width, touched)
    is_in[:-1] |= is_in[1:]
    return is_in


def rows_of(signals: Sequence[LiveSignal]) -> list[int]:
    """The rows of signals in the ring of their channel."""
    return [signal.row for signal in signals if signal.row is not None]


def _window_start(ring: Ring, start_ns: int) -> int:
    """Number of the first sample of a window: at least the newest is in it, if there is one."""
    return max(ring.first, min(ring.since(start_ns), ring.total - 1))
