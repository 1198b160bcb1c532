"""A channel: signals that share their times."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from speeddata import set_frames
from speeddata.counted import counted
from speeddata.csv_columns import clean_name, read_columns
from speeddata.hdf5 import read_group, telling
from speeddata.hdf5_names import given_name
from speeddata.set_resample import resample
from speeddata.set_times import range_of, rows_between
from speeddata.signal import Signal
from speeddata.signal_stats import StatsTable
from speeddata.stamps import times_of
from speeddata.table import Array
from speeddata.times import format_time

__all__ = ["Channel"]


class Channel:
    """Signals with common times, each an attribute: `channel.voltage` is `channel.signal["voltage"]`.

    A signal that is named like a member of this class, or whose name is dotted (a field of a nested record), is found in
    `signal` alone (or as `channel["name"]`). A slice is a range of time: `channel["2026-01-01T10:00":"2026-01-01T11:00"]`,
    never one of rows (`take`), so small whole numbers are refused.
    `time` takes seconds, or whatever its magnitude says (ms, us, ns since 1970), or datetime64.
    """

    def __init__(
        self, time: Any = (), real_time: Any = None, name: str = "", signals: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        # Signals by name.
        self.signal: dict[str, Signal] = {}
        # The Avro schema as JSON, where it is known.
        self.schema: str | None = None
        # Records that are missing by the channel's own numbers: (time in ns of the record before, how many).
        self.gaps: list[tuple[int, int]] = []
        # What could not be read, as dicts of segment, start, end, records and reason.
        self.damage: list[dict[str, Any]] = []
        given = np.asarray(time)
        absolute = given if real_time is None else np.asarray(real_time)
        self._time_ns: Array = times_of(absolute) if absolute.size else np.empty(0, np.int64)
        self._time: Array | None = (
            given.astype(np.float64) if given.dtype.kind == "f" and given.size else None
        )
        if signals:
            self.add_signals(signals)

    @classmethod
    def from_ns(
        cls,
        name: str,
        time_ns: Array,
        signals: Mapping[str, Any],
        units: Mapping[str, str | None] | None = None,
    ) -> "Channel":
        """Make a channel whose times are int64 ns since 1970."""
        channel = cls(name=name)
        channel._time_ns = np.asarray(time_ns, np.int64)
        channel.add_signals(signals, units)
        return channel

    @property
    def time(self) -> Array:
        """Times in seconds."""
        if self._time is None:
            self._time = self._time_ns / 1e9
        return self._time

    @property
    def time_ns(self) -> Array:
        """Times in nanoseconds, exact, int64."""
        return self._time_ns

    @property
    def real_time(self) -> Array:
        """Times as datetime64[ns], UTC."""
        return self._time_ns.view("datetime64[ns]")

    def add_signals(self, signals: Mapping[str, Any], units: Mapping[str, str | None] | None = None) -> None:
        """Add signals, or replace those of the same names; each must have a row for each time."""
        for name, value in signals.items():
            unit = (units or {}).get(name) or getattr(value, "unit", None)
            signal = Signal(value, name, self, unit if isinstance(unit, str) else None)
            if signal.shape[:1] != self._time_ns.shape:
                rows = signal.shape[0] if signal.ndim else "no"
                raise ValueError(f"signal {name!r} has {rows} rows, channel {self.name!r} has {len(self)}")
            self.signal[name] = signal

    @staticmethod
    def load_csv(
        file: str | Path, channel_name: str, index_col: int | str | None = 0, delimiter: str = ","
    ) -> "Channel":
        """Read a CSV file whose column `index_col` is the time, with `delimiter` between the values."""
        time_ns, columns = read_columns(file, index_col, delimiter)
        return Channel.from_ns(channel_name, time_ns, columns)

    from_csv = load_csv

    @staticmethod
    def from_df(df: Any, channel_name: str) -> "Channel":
        """Take the columns of a pandas DataFrame; its index is the time."""
        columns = {clean_name(name): _values(df[name]) for name in df.columns}
        if hasattr(df.index, "tz"):
            times = (
                df.index.tz_localize(None)
                if df.index.tz is None
                else df.index.tz_convert("UTC").tz_localize(None)
            )
            return Channel.from_ns(channel_name, times_of(times.to_numpy()), columns)
        return Channel.from_ns(channel_name, times_of(df.index.to_numpy()), columns)

    @staticmethod
    def from_hdf5_group(group: h5py.Group, channel_name: str | None = None) -> "Channel":
        """Read a group of an HDF5 file: a dataset `time`, and one for each signal."""
        time_ns, signals, units = read_group(group)
        name = channel_name
        if name is None:
            name = given_name(group.attrs) or group.name.strip("/")
        channel = Channel.from_ns(name, time_ns, signals, units)
        with telling(group):
            if isinstance(schema := group.attrs.get("schema"), str):
                channel.schema = schema or None
            if "gaps" in group.attrs:
                channel.gaps = [(int(after), int(missing)) for after, missing in group.attrs["gaps"]]
            if "damage" in group.attrs:
                channel.damage = json.loads(group.attrs["damage"])
        return channel

    @staticmethod
    def from_arrow(table: Any, channel_name: str | None = None, time: str = "time") -> "Channel":
        """Take the columns of a pyarrow.Table, whose column `time` is the time; ValueError where it has none, or nulls.

        Units, the channel's name and its schema are read where `to_arrow` writes them. Nulls are masked in integers and
        booleans, NaN in floats, None elsewhere.
        """
        return set_frames.from_arrow(table, channel_name, time)

    def between(self, start: Any = None, end: Any = None) -> "Channel":
        """The records of [start, end), `start` included and `end` not; None is no bound.

        Bounds are ISO 8601 text, datetimes (without a zone they are UTC), datetime64, or numbers of seconds, ms, us or
        ns since 1970 by their magnitude. Where the times ascend the signals are views, not copies. TimeError for what is
        no time.
        """
        return self.take(rows_between(self.time_ns, start, end))

    def take(self, rows: Any) -> "Channel":
        """Some rows, by slice, mask or places, with names, units and schema; of the gaps, those inside their time."""
        time_ns = self.time_ns[rows]
        signals = {name: signal._plain()[rows] for name, signal in self.signal.items()}
        units = {name: signal.unit for name, signal in self.signal.items()}
        part = Channel.from_ns(self.name, time_ns, signals, units)
        part._time = None if self._time is None else self._time[rows]
        part.schema, part.damage = self.schema, list(self.damage)
        if len(time_ns) and self.gaps:
            low, high = int(time_ns.min()), int(time_ns.max())
            part.gaps = [(after, missing) for after, missing in self.gaps if low <= after < high]
        return part

    def resample(self, every: Any, how: str | Sequence[str] = "mean", fill: str = "null") -> "Channel":
        """One row for each bucket of time, whose time is where the bucket begins.

        `every` is such as "100ms", "30s", "15m", "1h", "1d", ISO 8601, a timedelta or seconds; buckets begin at whole
        multiples of it since 1970 UTC. `how` is mean, min, max, first, last, sum, count or minmax. Given one, signals keep
        their names; given several, or `minmax`, they are named such as `voltage.min`. NaN and nulls are left out, `count`
        counts what is left. Buckets without values are NaN, masked or None (`fill="null"`), those without records can be
        left out (`fill="none"`). ValueError for more than five million buckets of which nine in ten have no record.

        mean and sum of floats are float64; sum and count of whole numbers int64; the others have the signal's type.
        Signals of text and other objects have first, last and count alone, else they are left out. ValueError for
        another word, TimeError for what is no duration, OverflowError for a sum beyond int64.
        """
        return resample(self, every, how, fill)

    def stats(self) -> StatsTable:
        """Figures of each signal by name, shown as a table; see `Stats` for the rules."""
        return StatsTable((name, signal.stats()) for name, signal in self.signal.items())

    def plot(self, *names: str, **options: Any) -> Any:
        """Draw the signals named (else all of one column) below each other with matplotlib; gives an array of axes.

        See `Signal.plot`. KeyError for a signal that there is not.
        """
        from speeddata.set_plot import plot_channel

        return plot_channel(self, *names, **options)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame: a column for each signal, its index the time in UTC; units in `attrs["units"]`.

        Masked signals have pandas' nullable types (Int64, boolean), signals of several columns are objects.
        """
        return set_frames.to_pandas(self)

    def to_polars(self) -> Any:
        """A polars.DataFrame: `time` (Datetime, ns, UTC) and a column for each signal; polars keeps no units."""
        return set_frames.to_polars(self)

    def to_arrow(self) -> Any:
        """A pyarrow.Table: `time` (timestamp, ns, UTC), a column for each signal with its unit in the field's metadata.

        A signal that is named `time` itself becomes `time_`. Signals of several columns are lists of a fixed size.
        """
        return set_frames.to_arrow(self)

    def to_xarray(self) -> Any:
        """An xarray.Dataset over `time`, with units; masked signals become float64, NaN where they are null."""
        return set_frames.to_xarray(self)

    def __len__(self) -> int:
        return len(self.time_ns)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self.signal:
                raise KeyError(
                    f"channel {self.name!r} has no signal {key!r}; its signals are {_few(self.signal)}"
                )
            return self.signal[key]
        if isinstance(key, slice):
            return self.between(*range_of(key))
        raise TypeError(f"wanted a signal's name or a range of time, not {key!r}; rows are had by take()")

    def __iter__(self) -> Any:
        return iter(self.signal)

    def __getattr__(self, name: str) -> Signal:
        signals: dict[str, Signal] = self.__dict__.get("signal", {})
        if name in signals:
            return signals[name]
        known = f"its signals are {_few(signals)}" if signals else "it has no signals"
        raise AttributeError(f"channel {self.__dict__.get('name', '')!r} has no {name!r}; {known}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self.signal if name.isidentifier())]

    def __repr__(self) -> str:
        head = f"{self.name}: {counted(len(self.signal), 'signal', '')} with {counted(len(self), 'row', '')}"
        if len(self):
            first, last = int(self._time_ns[0]), int(self._time_ns[-1])
            head += f", {format_time(first)} to {format_time(last)}"
        if self.gaps:
            head += f", {counted(sum(missing for _, missing in self.gaps), 'record', '')} missing in {counted(len(self.gaps), 'gap', '')}"
        if self.damage:
            head += f", {counted(len(self.damage), 'damaged place', '')} left out"
        return "\n".join([head, *(f"  {_line(signal)}" for signal in self.signal.values())])


def _line(signal: Signal) -> str:
    kind = (
        "text" if signal.dtype == object and len(signal) and isinstance(signal[0], str) else signal.dtype.name
    )
    width = "x".join(map(str, signal.shape[1:]))
    samples = f"{len(signal)} samples" + (f" of {width}" if width else "")
    return f"{signal.name}: {samples}, {kind}" + (f" [{signal.unit}]" if signal.unit else "")


def _few(names: Mapping[str, Any]) -> str:
    listed: Sequence[str] = list(names)
    return ", ".join(listed[:20]) + (f" and {len(listed) - 20} more" if len(listed) > 20 else "")


def _values(series: Any) -> Array:
    """The values of a pandas Series: nulls are masked in its integers and booleans, NaN in floats, None elsewhere."""
    kind = getattr(series.dtype, "kind", "O")
    native = getattr(series.dtype, "numpy_dtype", None)
    if native is not None and kind in "iub" and series.hasnans:
        return np.ma.MaskedArray(series.fillna(kind != "b" and 0).to_numpy(native), series.isna().to_numpy())
    values: Array = series.to_numpy(native if kind in "iubfM" else object)
    if kind not in "iubfM" and series.hasnans:
        values = values.copy()
        values[series.isna().to_numpy()] = None
    return values
