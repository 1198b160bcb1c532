"""Sets of channels for analysis, read from HDF5, Avro, Parquet, Arrow and CSV files.

data = read_hdf5("export.h5")
data.channel["example"].signal["voltage"]  # five equal spellings:
data.channel["example"].voltage
data.example.signal["voltage"]
data.example.voltage
data.voltage                               # where only one channel has it
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py

from speeddata.channel import Channel
from speeddata.damage import Damage
from speeddata.errors import ArchiveError, FormatError
from speeddata.hdf5 import create_file, telling, write_group
from speeddata.hdf5_about import HIDDEN
from speeddata.hdf5_names import check_text, stored_names
from speeddata.hdf5_table import is_table
from speeddata.reader import Reader
from speeddata.segment import Segment
from speeddata.set_align import align
from speeddata.set_tables import channel_of_arrow, channel_of_parquet
from speeddata.set_times import range_of
from speeddata.signal import MaskedSignal, Signal
from speeddata.signal_stats import StatsTable
from speeddata.table import Table

__all__ = [
    "Channel",
    "DataSet",
    "MaskedSignal",
    "Set",
    "Signal",
    "align",
    "read_arrow",
    "read_avro",
    "read_csv",
    "read_hdf5",
    "read_parquet",
]

Files = str | Path | Iterable[str | Path] | Mapping[str, str | Path]


class Set:
    """Channels over one range of time: each is an attribute, and so is each signal that only one channel has.

    A channel goes before a signal of its name. A signal that several channels have is asked for by channel; the
    AttributeError names them.
    """

    def __init__(self, channels: Mapping[str, Channel] | None = None) -> None:
        # Channels by name.
        self.channel: dict[str, Channel] = dict(channels or {})

    def add_channels(self, channels: Channel | Iterable[Channel] | Mapping[str, Channel]) -> None:
        """Add channels; one of the same name is replaced."""
        if isinstance(channels, Mapping):
            self.channel.update(channels)
            return
        for channel in [channels] if isinstance(channels, Channel) else channels:
            self.channel[channel.name] = channel

    def add_csv(self, files: Files, index_col: int | str | None = 0, delimiter: str = ",") -> None:
        """Add a channel for each CSV file: named by the file, or by the keys of a dict."""
        if isinstance(files, Mapping):
            named = dict(files)
        else:
            named = {Path(f).stem: f for f in ([files] if isinstance(files, (str, Path)) else files)}
        self.add_channels(
            [Channel.load_csv(file, name, index_col, delimiter) for name, file in named.items()]
        )

    def add_df(self, frames: Any, channel_name: str | None = None) -> None:
        """Add a channel for each pandas DataFrame: named by the keys of a dict, by `df.attrs["name"]`, or df0, df1 ..."""
        if isinstance(frames, Mapping):
            named = dict(frames)
        else:
            listed = frames if isinstance(frames, (list, tuple)) else [frames]
            named = {channel_name or f.attrs.get("name") or f"df{n}": f for n, f in enumerate(listed)}
        self.add_channels([Channel.from_df(frame, name) for name, frame in named.items()])

    @staticmethod
    def from_csv(files: Files, index_col: int | str | None = 0, delimiter: str = ",") -> "Set":
        """Make a set of CSV files."""
        made = Set()
        made.add_csv(files, index_col, delimiter)
        return made

    @staticmethod
    def from_df(frames: Any) -> "Set":
        """Make a set of pandas DataFrames."""
        made = Set()
        made.add_df(frames)
        return made

    @staticmethod
    def from_hdf5(file_path: str | Path) -> "Set":
        """Read an HDF5 file: one channel a group. Datasets outside any group become a channel named by the file."""
        made = Set()
        try:
            file = h5py.File(file_path, "r")
        except OSError as error:
            if error.errno is not None:  # such as a file that there is not
                raise
            raise FormatError(_no_hdf5(Path(file_path), error)) from None
        with file, telling(file):
            items = [(name, file.get(name)) for name in file]
            for name, item in items:
                if name == HIDDEN:
                    continue
                if isinstance(item, h5py.Group) or is_table(item):
                    made.add_channels(Channel.from_hdf5_group(item))
                elif item is None:
                    warnings.warn(f"{file_path}: {name!r} leads nowhere, left out", stacklevel=2)
            if any(isinstance(item, h5py.Dataset) and not is_table(item) for _, item in items):
                made.add_channels(Channel.from_hdf5_group(file, Path(file_path).stem))
        return made

    @staticmethod
    def from_avro(
        file_path: str | Path, schema_path: str | Path | None = None, channel_name: str | None = None
    ) -> "Set":
        """Read a segment, or any Avro container file whose records have a time.

        `schema_path` is for files of SpeedData up to 0.6 that have no head and so no schema; those that have one do
        not need it. What is damaged is left out, with a warning and in `Channel.damage`.
        """
        path = Path(file_path)
        text = None if schema_path is None else Path(schema_path).read_text("utf-8")
        try:
            segment = Segment(path, follow=True, schema_text=text)
        except ArchiveError as error:
            raise ArchiveError(f"{path}: {error}{_hint(path, text)}") from error
        with Reader([segment]) as reader:
            table = reader.read()
            if segment.size > segment.end:
                reader.damages.append(Damage(path.name, segment.end, segment.size, None, "no whole block"))
            for damage in reader.damages:
                warnings.warn(str(damage), stacklevel=2)
            if reader.schema is None:
                return Set({channel_name: Channel(name=channel_name)} if channel_name else {})
            name = channel_name or segment.head.channel
            units = {signal.name: signal.unit for signal in reader.schema.signals}
            channel = Channel.from_ns(name, table.time_ns, table.columns, units)
            channel.schema, channel.gaps = reader.schema.text, reader.gaps
            channel.damage = [damage.as_json() for damage in reader.damages]
        return Set({name: channel})

    @staticmethod
    def from_parquet(file_path: str | Path) -> "Set":
        """Read a Parquet file of one channel, as exports are: its column `time` is the time."""
        made = Set()
        made.add_channels(channel_of_parquet(Path(file_path)))
        return made

    @staticmethod
    def from_arrow(file_path: str | Path) -> "Set":
        """Read an Arrow IPC file (Feather V2) or stream of one channel, as exports are: its column `time` is the time."""
        made = Set()
        made.add_channels(channel_of_arrow(Path(file_path)))
        return made

    def to_hdf5(self, file_path: str | Path) -> None:
        """Write an HDF5 file that `read_hdf5` gives the same set from."""
        groups = stored_names("channel", self.channel)
        for channel in self.channel.values():  # before an older file of that name is given up
            stored_names("signal", channel.signal)
            check_text("unit", *(signal.unit or "" for signal in channel.signal.values()))
            check_text("schema", channel.schema or "")
        with create_file(file_path) as file:
            for name, channel in self.channel.items():
                table = Table(channel.time_ns, channel.signal)
                units = {signal.name: signal.unit for signal in channel.signal.values()}
                group = write_group(file, name, [table], kinds={}, units=units, stored=groups[name])
                group.finish(channel.schema or "", channel.gaps, channel.damage)

    def between(self, start: Any = None, end: Any = None) -> "Set":
        """The records of [start, end) of each channel; see `Channel.between`."""
        return Set({name: channel.between(start, end) for name, channel in self.channel.items()})

    def resample(self, every: Any, how: str | Sequence[str] = "mean", fill: str = "null") -> "Set":
        """One row for each bucket of time, in each channel; see `Channel.resample`."""
        return Set({name: channel.resample(every, how, fill) for name, channel in self.channel.items()})

    def align(self, **options: Any) -> Channel:
        """Its channels joined on one time base; see `speeddata.align`, whose options are taken."""
        return align(*self.channel.values(), **options)

    def stats(self) -> StatsTable:
        """Figures of each signal by `channel.signal`, shown as a table; see `Stats` for the rules."""
        named = {f"{name}.{key}": one for name, ch in self.channel.items() for key, one in ch.stats().items()}
        return StatsTable(named)

    def plot(self, *names: str, **options: Any) -> Any:
        """Draw the signals named (`signal` or `channel.signal`; else all) below each other; gives an array of axes."""
        from speeddata.set_plot import plot_set

        return plot_set(self, *names, **options)

    def to_pandas(self) -> dict[str, Any]:
        """A pandas.DataFrame for each channel; `Set.from_df` takes them back."""
        return {name: channel.to_pandas() for name, channel in self.channel.items()}

    def to_polars(self) -> dict[str, Any]:
        """A polars.DataFrame for each channel."""
        return {name: channel.to_polars() for name, channel in self.channel.items()}

    def to_arrow(self) -> dict[str, Any]:
        """A pyarrow.Table for each channel."""
        return {name: channel.to_arrow() for name, channel in self.channel.items()}

    def to_xarray(self) -> dict[str, Any]:
        """An xarray.Dataset for each channel."""
        return {name: channel.to_xarray() for name, channel in self.channel.items()}

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self.channel:
                raise KeyError(f"no channel {key!r}; the channels are {', '.join(self.channel) or 'none'}")
            return self.channel[key]
        if isinstance(key, slice):
            return self.between(*range_of(key))
        raise TypeError(f"wanted a channel's name or a range of time, not {key!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(self.channel)

    def __getattr__(self, name: str) -> Any:
        channels: dict[str, Channel] = self.__dict__.get("channel", {})
        if name in channels:
            return channels[name]
        owners = [channel for channel in channels.values() if name in channel.signal]
        if len(owners) == 1:
            return owners[0].signal[name]
        if owners:
            spelled = ", ".join(f'channel["{channel.name}"].{name}' for channel in owners)
            raise AttributeError(f"{len(owners)} channels have a signal {name!r}: {spelled}")
        known = f"the channels are {', '.join(channels)}" if channels else "the set is empty"
        raise AttributeError(f"no channel and no signal {name!r}; {known}")

    def __dir__(self) -> list[str]:
        names = {*self.channel, *(name for channel in self.channel.values() for name in channel.signal)}
        return [*super().__dir__(), *(name for name in names if name.isidentifier())]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.channel.values())) or "empty set"


# What those write who mean the whole of it.
DataSet = Set


def read_hdf5(file_path: str | Path) -> Set:
    """Read an HDF5 file, such as the history service exports."""
    return Set.from_hdf5(file_path)


def read_avro(file_path: str | Path) -> Set:
    """Read a segment of the archive, or any Avro container file whose records have a time."""
    return Set.from_avro(file_path)


def read_parquet(file_path: str | Path) -> Set:
    """Read a Parquet file, such as the history service exports."""
    return Set.from_parquet(file_path)


def read_arrow(file_path: str | Path) -> Set:
    """Read an Arrow file, such as the history service exports, or an Arrow stream."""
    return Set.from_arrow(file_path)


def read_csv(files: Files, index_col: int | str | None = 0, delimiter: str = ",") -> Set:
    """Read CSV files, each a channel; the column `index_col` is the time, `delimiter` stands between values."""
    return Set.from_csv(files, index_col, delimiter)


def _no_hdf5(path: Path, error: OSError) -> str:
    """What is wrong with a file, in the words of whoever sent JSON in its place."""
    with path.open("rb") as file:
        start = file.read(1000)
    if start.startswith(b"{"):
        return f"{path} is no HDF5 file, it says: {start.decode(errors='replace').strip()}"
    return f"{path} is no HDF5 file, or a damaged one: {error}"


def _hint(path: Path, schema_text: str | None) -> str:
    with path.open("rb") as file:
        if schema_text is None and file.read(1) == b"\x02":
            return (
                " (a file of SpeedData up to 0.6? Set.from_avro(file, schema_path, channel_name) reads those)"
            )
    return ""
