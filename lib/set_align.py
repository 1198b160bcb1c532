"""Joins channels on one time base: the value of each signal at each of its times."""

from typing import TYPE_CHECKING, Any

import numpy as np

from speeddata.set_times import duration_of, time_order
from speeddata.stamps import times_of
from speeddata.table import Array

if TYPE_CHECKING:
    from speeddata.channel import Channel

__all__ = ["align"]

HOWS = ("previous", "linear", "nearest")
MAX_ROWS = 1 << 27


def align(
    *channels: "Channel",
    how: str = "previous",
    base: Any = None,
    every: Any = None,
    tolerance: Any = None,
    name: str = "aligned",
) -> "Channel":
    """Join channels on one time base, as a channel whose signals are named `channel.signal`.

    The base is, in this order: a channel, signal or array of times (`base`); every so long, at whole multiples since 1970
    UTC, from the first record of any to the last (`every`); the times of the first channel. `how` tells the value at a
    time:

    * `previous`: of the last record at or before it;
    * `nearest`: of the nearest record, the earlier one where two are as near;
    * `linear`: on the line between the records around it, float64, NaN where one of them is null; what is no number
      has its previous value.

    Of records with one time the last counts. There is no value (NaN, None or masked) before the first record, for
    `linear` after the last one, and where a record used is more than `tolerance` (a duration) away. Units are kept.
    ValueError when no channel is given, two have one name, or `how` is another word.
    """
    from speeddata.channel import Channel

    if how not in HOWS:
        raise ValueError(f"how must be one of {', '.join(HOWS)}, not {how!r}")
    if not channels:
        raise ValueError("no channels to align")
    if len({channel.name for channel in channels}) < len(channels):
        raise ValueError(f"channels of one name: {', '.join(channel.name for channel in channels)}")
    times = _base(channels, base, every)
    limit = None if tolerance is None else duration_of(tolerance)
    out = Channel.from_ns(name, times, {})
    for channel in channels:
        at, order = _sorted(channel.time_ns)
        for signal in channel.signal.values():
            values = signal._plain() if order is None else signal._plain()[order]
            linear = how == "linear" and values.dtype.kind in "iuf"
            column = (_linear if linear else _taken)(at, values, times, how, limit)
            out.add_signals(
                {f"{channel.name}.{signal.name}": column}, {f"{channel.name}.{signal.name}": signal.unit}
            )
    return out


def _base(channels: tuple["Channel", ...], base: Any, every: Any) -> Array:
    if base is not None and every is not None:
        raise ValueError("give base or every, not both")
    if base is not None:
        times = base.time_ns if hasattr(base, "time_ns") else times_of(np.asarray(base))
        return np.sort(np.asarray(times, np.int64), kind="stable")
    if every is None:
        return _sorted(channels[0].time_ns)[0]
    step = duration_of(every)
    spans = [(int(one.time_ns.min()), int(one.time_ns.max())) for one in channels if len(one)]
    if not spans:
        return np.empty(0, np.int64)
    first, last = -(-min(low for low, _ in spans) // step), max(high for _, high in spans) // step
    if last - first >= MAX_ROWS:
        raise ValueError(f"that would be {last - first + 1} rows; choose a longer step")
    return np.arange(first, last + 1, dtype=np.int64) * step


def _sorted(time_ns: Array) -> tuple[Array, Array | None]:
    order = time_order(time_ns)
    return (time_ns if order is None else time_ns[order]), order


def _taken(at: Array, values: Array, times: Array, how: str, limit: int | None) -> Array:
    """Values of the previous or the nearest record."""
    row = np.searchsorted(at, times, "right") - 1
    good = row >= 0
    if how == "nearest" and len(at):
        after = np.searchsorted(at, times, "left")
        near = np.minimum(after, len(at) - 1)
        nearer = (after < len(at)) & ((row < 0) | (at[near] - times < times - at[np.maximum(row, 0)]))
        # Of records with one time the last one counts.
        row = np.where(nearer, np.searchsorted(at, at[near], "right") - 1, row)
        good = row >= 0
    if limit is not None and len(at):
        good &= np.abs(times - at[np.maximum(row, 0)]) <= limit
    return _pick(values, row, good)


def _pick(values: Array, row: Array, good: Array) -> Array:
    if not len(values):
        values = np.zeros((1, *values.shape[1:]), values.dtype)
    picked: Array = values[np.where(good, row, 0)]
    if good.all():
        return picked
    if picked.dtype.kind == "f" and not isinstance(picked, np.ma.MaskedArray):
        picked[~good] = np.nan
    elif picked.dtype == object:
        picked[~good] = None
    else:
        picked = np.ma.MaskedArray(picked)
        picked[~good] = np.ma.masked
    return picked


def _linear(at: Array, values: Array, times: Array, _how: str, limit: int | None) -> Array:
    data = np.ma.filled(values.astype(np.float64), np.nan)
    out: Array = np.full((len(times), *data.shape[1:]), np.nan)
    if not len(at):
        return out
    low = np.searchsorted(at, times, "right") - 1
    left, right = np.maximum(low, 0), np.minimum(low + 1, len(at) - 1)
    exact = (low >= 0) & (at[left] == times)
    between = (low >= 0) & (low + 1 < len(at)) & ~exact
    if limit is not None:
        between &= (times - at[left] <= limit) & (at[right] - times <= limit)
    out[exact] = data[left[exact]]
    left, right = left[between], right[between]
    share = (times[between] - at[left]) / (at[right] - at[left])
    share = share.reshape(-1, *[1] * (data.ndim - 1))
    out[between] = data[left] * (1 - share) + data[right] * share
    return out
