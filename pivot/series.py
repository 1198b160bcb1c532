"""Series of other systems as channels: the points that are to be kept, and which series there are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from speeddata.archive import Archive, Span
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.ingest_batch import Batch, Columns, Part
from speeddata.pivot.query_words import Check
from speeddata.pivot.series_names import channel_of, is_cut, label, labelled, name_of
from speeddata.reader import LATEST
from speeddata.schema import Schema

__all__ = ["POINT", "Found", "Point", "SeriesBook", "batch_of"]

POINT: dict[str, Any] = {
    "type": "record",
    "name": "point",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "value", "type": ["null", "double"]},
        {"name": "text", "type": ["null", "string"]},
    ],
}
PLAIN = Schema.parse(POINT)
CONFIG = {"live": False}
POINT_BYTES = 40  # of one on its way, about

Point = tuple[str, int, float | str]  # the series, the time in ns, the value


def batch_of(kind: str, points: Iterable[Point]) -> Batch:
    """Points as a batch for their channels, those of a series in the order in which they came."""
    series: dict[str, tuple[list[int], list[float | None], list[str | None]]] = {}
    count = 0
    for name, time_ns, value in points:
        times, values, texts = series.setdefault(name, ([], [], []))
        times.append(time_ns)
        values.append(None if isinstance(value, str) else value)
        texts.append(value if isinstance(value, str) else None)
        count += 1
    return Batch([_part(kind, name, *columns) for name, columns in series.items()], size=count * POINT_BYTES)


def _part(
    kind: str, name: str, times: list[int], values: list[float | None], texts: list[str | None]
) -> Part:
    channel = channel_of(kind, name)
    schema = Schema.parse(label(POINT, name)) if is_cut(channel) else PLAIN
    return Part(channel, Columns({"time": times, "value": values, "text": texts}), schema, CONFIG)


@dataclass(frozen=True)
class Found:
    """A series that has records."""

    name: str
    channel: str
    span: Span
    numeric: bool  # whether its first value is a number


class SeriesBook:
    """Tells which series there are. What was found of one is kept, as long as its oldest record is the same."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._names: dict[str, str | None] = {}  # of channels whose name is cut
        self._numeric: dict[
            str, tuple[int, bool]
        ] = {}  # by channel: its oldest time, and whether that is a number

    def find(self, kind: str, name: str) -> Found | None:
        """A series of this name; None when there are no records of it."""
        return self._found(name, channel_of(kind, name))

    def all(self, kind: str, check: Check) -> list[Found]:
        """All series of a kind, by name."""
        found = []
        for name, channel in self._listed(kind):
            check()
            if (one := self._found(name, channel)) is not None:
                found.append(one)
        return sorted(found, key=lambda one: one.name)

    def _listed(self, kind: str) -> Iterator[tuple[str, str]]:
        folder = self._catalogue.folder
        for path in folder.glob(f"{kind}.*"):
            channel = path.name
            name = self._told(kind, channel) if is_cut(channel) else name_of(kind, channel)
            if name is not None:
                yield name, channel

    def _told(self, kind: str, channel: str) -> str | None:
        """The name that a channel's schema tells."""
        if channel not in self._names:
            archive = self._archive(channel)
            if archive is None:
                return None
            with archive.open(LATEST, LATEST) as reader:
                if reader.schema is None:
                    return None
                self._names[channel] = labelled(kind, channel, reader.schema.json)
        return self._names[channel]

    def _archive(self, channel: str) -> Archive | None:
        path = self._catalogue.folder / channel
        if not path.is_dir() or path.is_symlink():
            return None
        return self._catalogue.find([channel])[channel]

    def _found(self, name: str, channel: str) -> Found | None:
        archive = self._archive(channel)
        span = archive.span() if archive is not None else None
        if archive is None or span is None:
            return None
        kept = self._numeric.get(channel)
        if kept is None or kept[0] != span.oldest_ns:
            kept = span.oldest_ns, _is_number(archive, span.oldest_ns)
            self._numeric[channel] = kept
        return Found(name, channel, span, kept[1])


def _is_number(archive: Archive, time_ns: int) -> bool:
    """Whether the first record of a time is a number."""
    with archive.open(time_ns, time_ns) as reader:
        for table in reader.batches(["value"]):
            column = table.columns.get("value")
            return column is not None and len(column) > 0 and not np.isnan(column[0])
    return False
