"""The calls of a grid-frequency service: /data/raw/{table} and /data/aggregated/{table}. A table is a channel.

Its `frequency` is the channel's first signal that is a number.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from speeddata.buckets import parse_every
from speeddata.errors import TimeError
from speeddata.pivot.dialects import (
    Reads,
    invalid,
    pages,
    params,
    plainly,
    read_stamp,
    refusal,
    stamps,
    tells_detail,
)
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_words import Check, Query

__all__ = ["RESOLUTIONS", "add_frequency_routes"]

RESOLUTIONS = ("1ms", "1s", "15s", "30s", "1m", "5m", "10m", "15m", "30m", "1h", "6h", "1d")
USUAL = "15m"
STAMP: dict[str, Any] = {"in": "query", "required": True, "schema": {"type": "string", "format": "date-time"}}
PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "table",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "description": "A channel",
    },
    {"name": "start_time", **STAMP, "description": "ISO 8601, included"},
    {"name": "end_time", **STAMP, "description": "ISO 8601, included"},
]
RESOLUTION = {"name": "resolution", "in": "query", "schema": {"enum": RESOLUTIONS, "default": USUAL}}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "A time cannot be read"},
    404: {"description": "No data in the range"},
    422: {"description": "Unknown table or resolution, or a parameter is missing"},
}


def add_frequency_routes(app: FastAPI, engine: Engine, reads: Reads) -> None:
    """Add both routes."""

    async def answer(request: Request, table: str, resolution: str | None, hint: str) -> Response:
        start, end = params(request, "start_time", "end_time")
        try:
            start_ns, end_ns = read_stamp(start), read_stamp(end)
        except TimeError:
            raise refusal(400, f"Invalid date format. Use ISO 8601{hint}.") from None
        every = parse_every(resolution) if resolution else None
        aggregates = ("avg",) if resolution else ()
        query = Query((table,), start_ns, end_ns, every=every, aggregates=aggregates)
        return await reads.stream(request, lambda check: rows_of(engine, query, check), about=(engine, query))

    @app.get(
        "/data/raw/{table}", summary="All values of a table in a range", response_class=Response,
        responses=ERRORS, openapi_extra={"parameters": PARAMETERS},
    )  # fmt: skip
    @tells_detail
    async def raw(request: Request) -> Response:
        return await answer(request, request.path_params["table"], None, " (e.g., 2024-01-01T00:00:00Z)")

    @app.get(
        "/data/aggregated/{table}", summary="Averages of a table in a range", response_class=Response,
        responses=ERRORS, openapi_extra={"parameters": [*PARAMETERS, RESOLUTION]},
    )  # fmt: skip
    @tells_detail
    async def aggregated(request: Request) -> Response:
        resolution = request.query_params.get("resolution", USUAL)
        if resolution not in RESOLUTIONS:
            raise invalid(
                "query", "resolution", f"Input should be one of {', '.join(RESOLUTIONS)}", resolution
            )
        return await answer(request, request.path_params["table"], resolution, "")


def rows_of(engine: Engine, query: Query, check: Check) -> Iterator[list[dict[str, Any]]]:
    """The values, a page at a time; 404 where there are none."""
    signal = first_number(engine, query.channels[0])
    asked = Query(query.channels, query.start_ns, query.end_ns, (signal,), query.every, query.aggregates)
    found = False
    for series in pages(engine, asked, check) if signal else ():
        (values,) = series.columns.values()
        rows = [
            {"timestamp": stamp, "frequency": value}
            for stamp, value in zip(stamps(series.time_ns), plainly(values), strict=True)
            if value is not None
        ]
        found = found or bool(rows)
        if rows:
            yield rows
    if not found:
        raise refusal(404, "No data found for the specified time range.")


def first_number(engine: Engine, channel: str) -> str:
    """The first signal of a channel that is a number; empty where it has no records."""
    try:
        archive = engine.catalogue.find([channel])[channel]
    except Problem:
        raise invalid("path", "table", "There is no such channel", channel) from None
    span = archive.span()
    if span is None:
        return ""
    with archive.open(span.newest_ns, span.newest_ns) as reader:
        for signal in reader.signals:
            if signal.number:
                return signal.name
    raise invalid("path", "table", "The channel has no signal that is a number", channel)
