"""From the parameters of an export to what is to be done: checked against the channels and tags that there are."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from speeddata.archive import Archive
from speeddata.pivot.attendance import checker
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.export_options import Options, read_options, require_known
from speeddata.pivot.export_tags import Tag, Tags
from speeddata.pivot.problem import Problem, wrong
from speeddata.pivot.request import (
    ExportRequest,
    Limits,
    read_channels,
    read_list,
    read_range,
    read_signals,
    require_span,
)

__all__ = ["Order", "Requests"]

AHEAD_NS = 60_000_000_000  # how far the clock of a source may be ahead of ours

Params = Mapping[str, str | None]


@dataclass(frozen=True)
class Order:
    """A request, and the archives that it is about."""

    request: ExportRequest
    archives: dict[str, Archive]


class Requests:
    """Reads requests."""

    def __init__(self, catalogue: Catalogue, tags: Tags) -> None:
        self.catalogue = catalogue
        self.tags = tags

    def read(self, params: Params, limits: Limits, stop: threading.Event, accept: str | None = None) -> Order:
        """Check parameters; a Problem tells what is wrong with them."""
        require_known(params)
        request = self._tagged(params) if params.get("tag") else self._ranged(params, limits, stop)
        options = read_options(params, request.channels, accept)
        archives = self._archives(request.channels, tolerant=bool(params.get("tag")))
        _check_grid(options, request, archives, limits)
        asked = {name: value for name, value in params.items() if value}
        return Order(replace(request, options=options, asked=asked), archives)

    def tags_of(self, order: Order) -> list[dict[str, Any]]:
        """The tags that an order is about some of."""
        request = order.request
        return self.tags.overlapping(request.start_ns, request.end_ns, request.channels)

    def _ranged(self, params: Params, limits: Limits, stop: threading.Event) -> ExportRequest:
        span = params.get("start"), params.get("end"), params.get("duration")
        require_span(*span)
        channels = read_channels(params.get("channels"), limits)
        signals = read_signals(params.get("signals"))
        now_ns = time.time_ns()

        def newest() -> int | None:
            """The newest record; one far in the future, by a clock that is wrong, only where there is no other."""
            archives = self.catalogue.find(channels).values()
            near = [archive.newest(now_ns + AHEAD_NS, checker(stop)) for archive in archives]
            times = [stamp_ns for stamp_ns in near if stamp_ns is not None]
            spans = [] if times else [archive.span() for archive in archives]
            return max(times or [span.newest_ns for span in spans if span], default=None)

        start_ns, end_ns = read_range(*span, limits, now_ns, newest)
        return ExportRequest(start_ns, end_ns, channels, signals)

    def _tagged(self, params: Params) -> ExportRequest:
        """The range and channels of a tag, of which fewer may be asked for; it is taken whole, however long it is."""
        for field in ("start", "end", "duration"):
            if params.get(field):
                raise wrong(field, params[field] or "", "none beside tag, which is a range")
        tag = self.tags.named(params["tag"] or "")
        channels = self._channels_of(tag, read_list(params.get("channels")))
        return ExportRequest(tag.start_ns, tag.end_ns, channels, read_signals(params.get("signals")))

    def _channels_of(self, tag: Tag, wanted: tuple[str, ...]) -> tuple[str, ...]:
        known = self.catalogue.names() if tag.channels is None else tag.channels
        for name in wanted:
            if name not in known:
                raise Problem(404, "Channel not found", name=name, tag=tag.name)
        channels = wanted or tuple(known)
        if not channels:
            raise Problem(404, "There is no channel that the tag could be about", tag=tag.name)
        return channels

    def _archives(self, channels: tuple[str, ...], tolerant: bool) -> dict[str, Archive]:
        """The archives of channels; a tag may still name one that is no more."""
        if not tolerant:
            return self.catalogue.find(channels)
        found: dict[str, Archive] = {}
        for name in channels:
            try:
                found |= self.catalogue.find([name])
            except Problem:
                found[name] = Archive(self.catalogue.folder / name)
        return found


def _check_grid(
    options: Options, request: ExportRequest, archives: Mapping[str, Archive], limits: Limits
) -> None:
    """Refuse a time base of more rows than anyone can want, before anything is read."""
    if options.base_width_ns is None:
        return
    spans = [span for archive in archives.values() if (span := archive.span()) is not None]
    if not spans:
        return
    first = max(request.start_ns, min(span.oldest_ns for span in spans))
    last = min(request.end_ns, max(span.newest_ns for span in spans))
    rows = max(0, last - first) // options.base_width_ns
    if rows > limits.rows:
        error = f"Row count exceeds maximum ({limits.rows})"
        raise Problem(413, error, requested_rows=rows, hint="a longer step as base has fewer rows")
