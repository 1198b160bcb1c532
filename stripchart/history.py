"""The history service as the live server asks it: a channel's samples of a span, as few as can show it.

Where records are few they come as they are; else as minima and maxima of buckets. Answers come in pieces, so that none is so
large that reading it holds up the ticks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from speeddata.credentials import authorize

BUCKETS_MAX = 8192  # in a span
VALUES_MAX = 1_000_000  # in a span, of all signals
_PIECE_VALUES = 50_000
_TIMEOUT_S = 10.0
_ERRORS = (requests.RequestException, ValueError, KeyError, TypeError, AttributeError)


class HistoryError(OSError):
    """The history service cannot be asked, or its answer cannot be read."""


@dataclass(frozen=True)
class Span:
    """What is asked for: the records of [start_ns, end_ns) of one channel."""

    channel: str
    fields: tuple[str, ...]
    """Signals of the schema whose values are numbers."""
    start_ns: int
    end_ns: int
    bucket_ns: int
    """Records closer than this may come as minima and maxima of buckets of this width, or of one doubled."""
    symbols: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of fields that are enums, what their values are called: they come as numbers of their places, buckets of them as
    the first and the last."""


@dataclass(frozen=True)
class Samples:
    """What there is of [start_ns, end_ns), in the order of the times. A bucket of records has two: minima, then maxima."""

    start_ns: int
    end_ns: int
    """At whole buckets: they may reach beyond what was asked for."""
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    """The bucket that each tells of, or its own time and the next nanosecond."""
    values: NDArray[np.float64]
    """A row per field."""

    @property
    def times(self) -> NDArray[np.int64]:
        """Where they stand: in the middle of their buckets."""
        return self.begins + (self.ends - self.begins) // 2

    def with_(self, other: "Samples") -> "Samples":
        """These, and in place of what they have of the other's span the other's."""
        kept = (self.begins < other.start_ns) | (self.begins >= other.end_ns)
        begins = np.append(self.begins[kept], other.begins)
        order = np.argsort(begins, kind="stable")
        return Samples(
            min(self.start_ns, other.start_ns),
            max(self.end_ns, other.end_ns),
            begins[order],
            np.append(self.ends[kept], other.ends)[order],
            np.hstack([self.values[:, kept], other.values])[:, order],
        )

    def is_like(self, other: "Samples") -> bool:
        """Whether the samples are the same."""
        return np.array_equal(self.begins, other.begins) and np.array_equal(self.values, other.values, True)

    def until(self, time_ns: int) -> "Samples":
        """Those that tell of nothing at or after a time."""
        kept = self.ends <= time_ns
        return replace(self, begins=self.begins[kept], ends=self.ends[kept], values=self.values[:, kept])

    def shifted(self, by_ns: int) -> "Samples":
        """The same at other times."""
        ends = (self.start_ns + by_ns, self.end_ns + by_ns)
        return Samples(*ends, self.begins + by_ns, self.ends + by_ns, self.values)


def bucket_for(span: Span) -> int:
    """The width of buckets by which a span has not too many."""
    most = max(64, min(BUCKETS_MAX, VALUES_MAX // (2 * max(1, len(span.fields)))))
    width = span.bucket_ns
    while (span.end_ns - span.start_ns) // width > most:
        width *= 2
    return width


class History:
    """Asks the history service that the registry names. To be used by one thread."""

    def __init__(self, registry: str) -> None:
        self._registry = registry.rstrip("/")
        self._session = authorize(requests.Session())

    def fetch(self, span: Span) -> Samples:
        """Give a span's samples; HistoryError when that cannot be."""
        try:
            address = self._address()
            width = bucket_for(span)
            start, end = span.start_ns // width * width, -(-span.end_ns // width) * width
            few = self._count(address, span) * width <= end - start
            records = self._records(address, span) if few else None
            return records or self._buckets(address, span, width, start, end)
        except _ERRORS as error:
            raise HistoryError(f"no history of {span.channel}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def _address(self) -> str:
        answer = self._session.get(f"{self._registry}/api/v1/services", timeout=_TIMEOUT_S)
        answer.raise_for_status()
        told = answer.json()["pivot"]
        host = str(told["host"])
        return f"http://[{host}]:{told['port']}" if ":" in host else f"http://{host}:{told['port']}"

    def _count(self, address: str, span: Span) -> int:
        """Records in a span: about, as nulls do not count."""
        series = self._ask(address, span, span.start_ns, span.end_ns, aggregates="count")
        return max((int(one[0] or 0) for one in series["columns"].values() if one), default=0)

    def _records(self, address: str, span: Span) -> Samples | None:
        """The records; None when there are more than was thought, as where most values are null."""
        times: list[int] = []
        columns: list[list[Any]] = [[] for _ in span.fields]
        cursor: str | None = None
        limit = max(1, _PIECE_VALUES // (len(span.fields) + 1))
        while cursor is not None or not times:
            more = {"cursor": cursor} if cursor else {}
            series = self._ask(address, span, span.start_ns, span.end_ns, limit=str(limit), **more)
            times += series["time"]
            for column, name in zip(columns, span.fields, strict=True):
                column += series["columns"].get(name, [None] * len(series["time"]))
            cursor = series["cursor"]
            if len(times) > 4 * BUCKETS_MAX and cursor:
                return None
            if not series["time"]:
                break
        stamps = np.array(times, np.int64)
        values = _numbers(span.fields, span.symbols, columns, len(times))
        return Samples(span.start_ns, span.end_ns, stamps, stamps + 1, values)

    def _buckets(self, address: str, span: Span, width: int, start: int, end: int) -> Samples:
        parts = list(self._pieces(address, span, width, start, end))
        begins = np.repeat(np.concatenate([part[0] for part in parts]), 2)
        lows, highs = (np.hstack([part[place] for part in parts]) for place in (1, 2))
        values = np.empty((len(span.fields), len(begins)))
        values[:, ::2], values[:, 1::2] = lows, highs
        return Samples(start, end, begins, begins + width, values)

    def _pieces(
        self, address: str, span: Span, width: int, start: int, end: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
        """Starts of buckets, minima and maxima."""
        step = max(1, _PIECE_VALUES // (2 * len(span.fields) + 1)) * width
        enums = tuple(name for name in span.fields if name in span.symbols)  # which have no minimum
        numbers = tuple(name for name in span.fields if name not in span.symbols)
        asked = ((numbers, ("min", "max")), (enums, ("first", "last")))
        wanted = [(fields, kinds) for fields, kinds in asked if fields]
        for piece in range(start, end, step):
            parts = [
                self._ask(
                    address,
                    replace(span, fields=fields),
                    piece,
                    min(piece + step, end),
                    every=f"{width}ns",
                    aggregates=",".join(kinds),
                )
                for fields, kinds in wanted
            ]
            times = np.unique(np.concatenate([np.array(part["time"], np.int64) for part in parts]))
            low = np.full((len(span.fields), len(times)), np.nan)
            high = low.copy()
            for (fields, kinds), part in zip(wanted, parts, strict=True):
                rows = np.array([span.fields.index(name) for name in fields])[:, np.newaxis]
                places = np.searchsorted(times, np.array(part["time"], np.int64))
                for kind, side in zip(kinds, (low, high), strict=True):
                    told = [part["columns"].get(f"{name}.{kind}", []) for name in fields]
                    side[rows, places] = _numbers(fields, span.symbols, told, len(places))
            yield times, low, high

    def _ask(self, address: str, span: Span, start_ns: int, end_ns: int, **more: str) -> dict[str, Any]:
        """The answer about the channel; `cursor` of the whole answer is put in."""
        body = {
            "channels": [span.channel],
            "signals": [f"{span.channel}.{name}" for name in span.fields],
            "start": iso(start_ns),
            "end": iso(end_ns),
            "time": "ns",
            **more,
        }
        answer = self._session.post(f"{address}/api/v1/query", json=body, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        told = answer.json()
        (series,) = told["series"]
        return {**series, "cursor": told["cursor"]}


def iso(time_ns: int) -> str:
    """A time as ISO 8601 with nanoseconds."""
    return f"{np.datetime64(time_ns, 'ns')}Z"


def _numbers(
    fields: Sequence[str],
    symbols: Mapping[str, tuple[str, ...]],
    columns: Sequence[Sequence[Any]],
    length: int,
) -> NDArray[np.float64]:
    """Columns of numbers, booleans, symbols and None as rows, a column per field; one that is not there is NaN."""
    rows = []
    for name, column in zip(fields, columns, strict=True):
        if column and name in symbols:
            places = {symbol: place for place, symbol in enumerate(symbols[name])}
            column = [places.get(symbol) for symbol in column]
        rows.append(np.array(column, np.float64) if column else np.full(length, np.nan))
    return np.stack(rows) if rows else np.empty((0, length))
