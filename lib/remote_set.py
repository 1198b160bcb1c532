"""A set in a history service, of which only what is used is fetched."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from speeddata.channel import Channel
from speeddata.counted import counted
from speeddata.dataset import Set, read_arrow, read_avro, read_csv, read_hdf5, read_parquet
from speeddata.remote_http import Service
from speeddata.remote_query import fetch, signals
from speeddata.set_resample import ANY_TYPE, aggregates_of, check_buckets
from speeddata.set_tables import set_of_zip
from speeddata.set_times import duration_of, stamp_of
from speeddata.signal import Signal
from speeddata.table import Array, join_columns
from speeddata.times import format_time, parse_time

__all__ = ["RemoteChannel", "RemoteSet", "open_source"]

MOST = 20_000_000  # records of a channel that are fetched without being asked twice
NUMBERS = ("int", "long", "float", "double", "boolean")
POINTS, PARTS = 500_000, 1000  # values of one answer, and how many answers make a resampling
AVERAGE = {"mean": "avg"}  # the words of the service where they differ from ours


class RemoteSet(Set):
    """The channels of a history service; made by `speeddata.open("http://host:8000")`.

    Its channels and signals are listed when it is made (again by `refresh`); their records are fetched when they are used.
    """

    def __init__(self, service: Service, most: int) -> None:
        super().__init__()
        self._service = service
        self._most = most
        self.refresh()

    def refresh(self) -> None:
        """List the channels anew, and forget what has been fetched."""
        listed: dict[str, list[dict[str, Any]]] = {}
        for signal in signals(self._service):
            listed.setdefault(signal["channel"], []).append(signal)
        self.channel = {
            name: RemoteChannel(self._service, name, of, self._most) for name, of in listed.items()
        }

    def close(self) -> None:
        """Let go of the connections; what has been fetched stays."""
        self._service.close()

    def __repr__(self) -> str:
        return f"{self._service.url}: {counted(len(self.channel), 'channel')}\n" + super().__repr__()


class RemoteChannel(Channel):
    """A channel in a history service. The first use of a signal or a time fetches all its records, once.

    So take a range first: `data.engine.between(a, b).speed` fetches that range; `data.engine.resample("1s")` fetches what
    the service makes of it. `choose("speed")` leaves the other signals out.
    """

    _fetched: Channel | None

    def __init__(
        self, service: Service, name: str, listed: Sequence[Mapping[str, Any]], most: int, start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> None:  # fmt: skip
        # Before anything is asked of it: what is not there yet is looked for in what has been fetched.
        self._fetched = None
        self._service, self._listed, self._most = service, list(listed), most
        self._start_ns, self._end_ns = start_ns, end_ns
        # Whether some of its signals were left out.
        self._chosen = False
        self.name = name
        self._time: Array | None = None

    @property
    def signal_names(self) -> list[str]:
        """Names of the signals, without fetching them."""
        return [one["signal"] for one in self._listed]

    def load(self) -> Channel:
        """Fetch its records, if that has not been done; gives them as a channel of arrays."""
        if self._fetched is None:
            self._fetched = fetch(
                self._service,
                self.name,
                self._asked(self.signal_names if self._chosen else ()),
                most=self._most,
            )
        return self._fetched

    def between(self, start: Any = None, end: Any = None) -> Channel:
        """The records of [start, end), not fetched yet unless this is; bounds as `Channel.between` takes them."""
        if self._fetched is not None:
            return self._fetched.between(start, end)
        low = [
            stamp
            for stamp in (self._start_ns, None if start is None else stamp_of(start))
            if stamp is not None
        ]
        high = [
            stamp for stamp in (self._end_ns, None if end is None else stamp_of(end)) if stamp is not None
        ]
        return self._like(self._listed, max(low, default=None), min(high, default=None))

    def choose(self, *names: str) -> "RemoteChannel":
        """The channel with some of its signals; KeyError for one that there is not."""
        for name in names:
            if name not in self.signal_names:
                raise KeyError(
                    f"channel {self.name!r} has no signal {name!r}; it has {', '.join(self.signal_names)}"
                )
        listed = [one for one in self._listed if one["signal"] in names]
        made = self._like(listed, self._start_ns, self._end_ns)
        made._chosen = True
        return made

    def resample(self, every: Any, how: str | Sequence[str] = "mean", fill: str = "null") -> Channel:
        """As `Channel.resample`, made by the service from its rollups and records unless this is fetched already."""
        if self._fetched is not None:
            return self._fetched.resample(every, how, fill)
        # Refuses what is wrong.
        made = Channel.from_ns(self.name, np.empty(0, np.int64), {}).resample(every, how, fill)
        hows, named = aggregates_of(how)
        numbers = [one["signal"] for one in self._listed if one["type"] in NUMBERS]
        others = [one["signal"] for one in self._listed if one["type"] not in NUMBERS]
        for names, own in ((numbers, hows), (others, [one for one in hows if one in ANY_TYPE])):
            if names and own:
                made = _joined(made, self._aggregated(every, own, fill, names), names, own, named)
        return made

    def _aggregated(self, every: Any, hows: list[str], fill: str, names: list[str]) -> Channel:
        """Aggregates of some signals, fetched in parts that the service answers."""
        step, (start, end) = duration_of(every), self._range()
        if fill != "none":
            records = max(one.get("count") or 0 for one in self._listed)
            check_buckets(-(-end // step) - start // step, records, start, end - 1, step)
        span = step * max(1, POINTS // (len(names) * len(hows)))
        if (end - start) // span >= PARTS * len(hows):
            raise ValueError(
                f"that would be {(end - start) // step} buckets; choose a longer one or a shorter range"
            )
        asked = self._asked(names) | {
            "every": f"{step}ns",
            "aggregates": ",".join(map(_told, hows)),
            "fill": fill,
        }
        parts = []
        while start < end:
            stop = min(end, start // span * span + span)
            part = asked | {"start": format_time(start), "end": format_time(stop)}
            parts.append(fetch(self._service, self.name, part, most=self._most))
            start = stop
        return _below(parts)

    def _asked(self, names: Sequence[str]) -> dict[str, str]:
        asked = {"signals": ",".join(names)} if names else {}
        start, end = self._range()
        return asked | {"start": format_time(start), "end": format_time(end)}

    def _range(self) -> tuple[int, int]:
        """What is asked for: the range told, else from the first record listed to the last."""
        firsts = [parse_time(one["first_time"]) for one in self._listed if one["first_time"]]
        lasts = [parse_time(one["last_time"]) + 1 for one in self._listed if one["last_time"]]
        start = min(firsts, default=0) if self._start_ns is None else self._start_ns
        end = max(lasts, default=1) if self._end_ns is None else self._end_ns
        return start, max(end, start + 1)

    def _like(
        self, listed: Sequence[Mapping[str, Any]], start: int | None, end: int | None
    ) -> "RemoteChannel":
        made = RemoteChannel(self._service, self.name, listed, self._most, start, end)
        made._chosen = self._chosen
        return made

    # What Channel keeps, fetched when it is asked for.
    @property
    def signal(self) -> dict[str, Signal]:  # type: ignore[override]
        return self.load().signal

    @property
    def _time_ns(self) -> Array:  # type: ignore[override]
        return self.load().time_ns

    @property
    def schema(self) -> str | None:  # type: ignore[override]
        return self.load().schema

    @property
    def gaps(self) -> list[tuple[int, int]]:  # type: ignore[override]
        return self.load().gaps

    @property
    def damage(self) -> list[dict[str, Any]]:  # type: ignore[override]
        return self.load().damage

    def __getattr__(self, name: str) -> Signal:
        if name.startswith("_") or name not in self.signal_names:
            known = ", ".join(self.__dict__.get("_listed") and self.signal_names or ["none"])
            raise AttributeError(
                f"channel {self.__dict__.get('name', '')!r} has no {name!r}; its signals are {known}"
            )
        return self.signal[name]

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *(name for name in self.signal_names if name.isidentifier())]

    def __repr__(self) -> str:
        if self._fetched is not None:
            return repr(self._fetched)
        lines = [f"{self.name}: {counted(len(self._listed), 'signal')}, not fetched yet"]
        for one in self._listed:
            lines.append(
                f"  {one['signal']}: {one['type']}" + (f" [{one['unit']}]" if one.get("unit") else "")
            )
        return "\n".join(lines)


def open_source(source: str | Path, *, most: int = MOST, timeout_s: float = 60.0) -> Set:
    """Open a set: of a history service ("http://host:8000"), or of a file, told by the end of its name.

    Of a service nothing but the list of its signals is fetched (see `RemoteSet`); `most` is how many records of a channel
    may be fetched at once. A file is read whole: HDF5 (.h5, .hdf5), Avro (.avro), Parquet
    (.parquet), Arrow (.arrow, .arrows, .feather), CSV (.csv), and a zip archive of such files, as exports of several
    channels are. ValueError for any other.
    """
    if str(source).startswith(("http://", "https://")):
        return RemoteSet(Service(str(source), timeout_s, attempts=6, name="history service"), most)
    readers: dict[str, Callable[[str | Path], Set]] = {
        ".h5": read_hdf5, ".hdf5": read_hdf5, ".avro": read_avro, ".parquet": read_parquet, ".arrow": read_arrow,
        ".arrows": read_arrow, ".feather": read_arrow, ".csv": read_csv, ".zip": lambda path: set_of_zip(Path(path), open_source),
    }  # fmt: skip
    reader = readers.get(Path(source).suffix.lower())
    if reader is None:
        raise ValueError(
            f"cannot tell what {str(source)!r} is, wanted an http address or a file that ends in {', '.join(readers)}"
        )
    return reader(source)


def _below(parts: list[Channel]) -> Channel:
    """Channels of the same signals, one after the other in time."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.signal)
    whole = [part for part in parts if len(part)] or parts[:1]
    out = Channel.from_ns(parts[0].name, np.concatenate([part.time_ns for part in whole]), {})
    for name in names:
        columns = [part.signal[name]._plain() for part in whole]
        out.add_signals({name: join_columns(columns)}, {name: whole[0].signal[name].unit})
    return out


def _joined(made: Channel, part: Channel, names: list[str], hows: list[str], named: bool) -> Channel:
    """Add aggregates of the service to those before; they have the signals' names unless they are `named` by theirs."""
    out = made if len(made) or made.signal else Channel.from_ns(part.name, part.time_ns, {})
    for name in names:
        for how in hows:
            signal = part.signal.get(f"{name}.{_told(how)}")
            if signal is not None:
                ours = f"{name}.{how}" if named else name
                out.add_signals({ours: signal._plain()}, {ours: None if how == "count" else signal.unit})
    return out


def _told(how: str) -> str:
    """The service's word for an aggregate."""
    return AVERAGE.get(how, how)
