"""What `speeddata tail` has taken in: the newest value of each signal, and how many records a second come."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from speeddata.archive_commands import shown
from speeddata.status_view import channel_line, span_text

if TYPE_CHECKING:
    from speeddata.channel import Channel

__all__ = ["Row", "TailView", "plain_value", "records_of", "value_text", "waiting_words"]

SPAN_S = 5.0  # over which rates are means
LONGEST = 40  # characters of a value, unless all of it is wanted


class Row(NamedTuple):
    """A signal as the table has it."""

    name: str
    value: Any
    unit: str
    rate: float | None
    age_s: float | None


class TailView:
    """The newest of some signals of some channels, in the order in which they are given."""

    def __init__(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        # Of each channel its signals and their units.
        self._wanted = wanted
        self._newest: dict[tuple[str, str], Any] = {}
        self._time_ns: dict[str, int] = {}
        # Of each channel when batches came, and how many records there were until then.
        self._counts: dict[str, deque[tuple[float, int]]] = {name: deque() for name in wanted}
        self.records = 0

    def add(self, data: "Channel", now_s: float) -> None:
        """Take in records; `now_s` is by a clock that only goes on."""
        if not len(data) or data.name not in self._wanted:
            return
        self.records += len(data)
        self._time_ns[data.name] = int(data.time_ns[-1])
        for name in self._wanted[data.name]:
            if name in data.signal:
                self._newest[data.name, name] = plain_value(data.signal[name][-1])
        counts = self._counts[data.name]
        counts.append((now_s, (counts[-1][1] if counts else 0) + len(data)))

    def rows(self, now_s: float, now_ns: int) -> Iterator[Row]:
        """A row for each signal."""
        for channel, signals in self._wanted.items():
            rate = self._rate(channel, now_s)
            time_ns = self._time_ns.get(channel)
            age = None if time_ns is None else (now_ns - time_ns) / 1e9
            for name, unit in signals.items():
                yield Row(f"{channel}.{name}", self._newest.get((channel, name)), unit, rate, age)

    def _rate(self, channel: str, now_s: float) -> float | None:
        """Records a second since the oldest batch of the span; that one is what had come before."""
        counts = self._counts[channel]
        while len(counts) > 1 and now_s - counts[1][0] > SPAN_S:
            counts.popleft()
        if len(counts) < 2:
            return None if not counts or now_s - counts[-1][0] < SPAN_S else 0.0
        if now_s - counts[-1][0] > SPAN_S:
            return 0.0
        (from_s, first), (until_s, last) = counts[0], counts[-1]
        return (last - first) / (until_s - from_s) if until_s > from_s else None


def records_of(data: "Channel", names: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    """Records one by one as JSON has them: channel, time, then the signals."""
    from speeddata.times import format_time

    columns = {name: data.signal[name] for name in data.signal if names is None or name in names}
    for place, stamp in enumerate(data.time_ns.tolist()):
        values = {name: plain_value(column[place]) for name, column in columns.items()}
        yield {"channel": data.name, "time": format_time(stamp), **values}


def plain_value(value: Any) -> Any:
    """A value of numpy's as Python has it; None for one that is masked."""
    if value is np.ma.masked:
        return None
    if isinstance(value, np.ndarray):
        return [plain_value(one) for one in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value


def value_text(value: Any, full: bool) -> str:
    """A value for a reader; long ones are shortened, unless all is wanted."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return repr(value) if full else f"{value:.6g}"
    text = shown(value if isinstance(value, str) else repr(value))
    return text if full or len(text) <= LONGEST else f"{text[: LONGEST - 1]}\u2026"


def waiting_words(channels: Iterable[Mapping[str, Any]], now_ns: int) -> str:
    """What is waited for, and when the newest record of these channels came, as far as the API tells."""
    lines = [channel_line(one, None, now_ns) for one in channels]
    ages = [line.last_s for line in lines if line.last_s is not None]
    words = f"waiting for records of {', '.join(line.name for line in lines)}"
    return f"{words}; the newest came {span_text(min(ages))} ago" if ages else words
