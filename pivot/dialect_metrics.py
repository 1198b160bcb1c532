"""The calls of a metrics service: /query, /metrics, /cache/..., /health, and its form of /ingest. A metric is a channel."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np
import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response

from speeddata.buckets import Buckets, parse_every
from speeddata.errors import TimeError
from speeddata.pivot.dialects import Reads, invalid, pages, read_stamp, refusal, stamps, tells_detail
from speeddata.pivot.ingest import Ingest
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_words import Check, Query
from speeddata.pivot.request_body import read_body
from speeddata.pivot.result_cache import ResultCache
from speeddata.pivot.series import Found, Point, SeriesBook, batch_of
from speeddata.pivot.series_names import channel_of
from speeddata.times import format_time

__all__ = ["AGGREGATIONS", "INTERVALS", "add_metric_routes", "ingest_points", "read_query"]

KIND = "metric"
LONGEST = 255  # characters of a metric's name
MAX_BODY = 1 << 20
AGGREGATIONS = ("avg", "sum", "min", "max", "count")
INTERVALS = (
    "1 second", "5 seconds", "10 seconds", "30 seconds", "1 minute", "5 minutes", "10 minutes", "30 minutes",
    "1 hour", "2 hours", "6 hours", "12 hours", "1 day", "7 days", "1 month",
)  # fmt: skip
UNITS = {"second": "s", "minute": "m", "hour": "h", "day": "d", "month": "mo"}
SCRAPERS = ("application/openmetrics-text", "text/plain")
STAMP = {"type": "string", "format": "date-time"}
QUERY_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["metric", "start_time", "end_time"],
    "properties": {
        "metric": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "start_time": STAMP,
        "end_time": STAMP,
        "aggregation": {"enum": [*AGGREGATIONS, None]},
        "interval": {"enum": [*INTERVALS, None]},
    },
}


async def ingest_points(ingest: Ingest, items: Any, key: str | None) -> dict[str, Any]:
    """Take in the `data` of a body, all or none."""
    if not isinstance(items, list):
        raise invalid("body", "data", "Input should be a list", items)
    points = [read_point(number, item) for number, item in enumerate(items)]
    if points:
        await ingest.append(batch_of(KIND, points), key=key, live="false", create=True)
    message = f"Successfully ingested {len(points)} data points"
    return {"message": message, "ingested_count": len(points)}


def read_point(number: int, item: Any) -> Point:
    """A point of the list; a 422 names what is wrong."""
    if not isinstance(item, dict):
        raise invalid("body", f"data.{number}", "Input should be an object", item)
    for name in ("time", "metric", "value"):
        if name not in item:
            raise invalid("body", f"data.{number}.{name}", "Field required")
    metric, value = read_metric(item["metric"], f"data.{number}.metric"), item["value"]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid("body", f"data.{number}.value", "Input should be a number or a string", value)
    try:
        if not isinstance(value, str):
            value = float(value)
            if not isfinite(value):
                raise OverflowError
        return metric, read_stamp(str(item["time"])), value
    except OverflowError:
        raise invalid("body", f"data.{number}.value", "Input should be a finite number", value) from None
    except TimeError as error:
        raise invalid("body", f"data.{number}.time", str(error), item["time"]) from None


def read_metric(name: Any, place: str) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
        raise invalid("body", place, f"Input should be a string of 1 to {LONGEST} characters", name)
    return name


def read_query(given: Any) -> tuple[str, int, int, str | None, str | None]:
    """Metric, start, end, aggregation and interval of a body."""
    if not isinstance(given, dict):
        raise invalid("body", "body", "Input should be an object", given)
    for name in ("metric", "start_time", "end_time"):
        if name not in given:
            raise invalid("body", name, "Field required")
    metric = read_metric(given["metric"], "metric")
    times = []
    for name in ("start_time", "end_time"):
        try:
            times.append(read_stamp(str(given[name])))
        except TimeError as error:
            raise invalid("body", name, str(error), given[name]) from None
    aggregation, interval = given.get("aggregation"), given.get("interval")
    if aggregation is not None and aggregation not in AGGREGATIONS:
        raise invalid("body", "aggregation", f"Input should be one of {', '.join(AGGREGATIONS)}", aggregation)
    return metric, times[0], times[1], aggregation, interval


def read_interval(text: Any) -> Buckets:
    """The buckets of an interval such as `5 minutes`."""
    number, _, unit = text.partition(" ") if isinstance(text, str) else ("", "", "")
    spelled = {f"{number} {unit.removesuffix('s')}", f"{number} {unit.removesuffix('s')}s"}
    if not spelled & set(INTERVALS):
        raise refusal(400, f"Invalid interval. Allowed intervals: {list(INTERVALS)}")
    return parse_every(f"{number}{UNITS[unit.removesuffix('s')]}")


def add_metric_routes(
    app: FastAPI, engine: Engine, book: SeriesBook, reads: Reads, cache: ResultCache | None
) -> None:
    """Add the routes besides those of ingest."""
    _add_query(app, engine, book, reads)
    _add_cache(app, cache)

    @app.get(
        "/metrics", summary="All metrics", response_class=Response,
        responses={406: {"description": "OpenMetrics is asked for, which the registration API has"}},
    )  # fmt: skip
    @tells_detail
    async def metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        if any(media in accept for media in SCRAPERS) and "json" not in accept:
            raise Problem(406, "This is a list in JSON; the registration API has /metrics for Prometheus")
        found = await reads.run(request, lambda check: book.all(KIND, check))
        return Response(orjson.dumps([described(one) for one in found]), media_type="application/json")

    @app.get("/health", summary="Whether service, archive and result cache are up")
    async def health() -> dict[str, str]:
        up = engine.catalogue.folder.is_dir()
        told = "healthy" if up else "unhealthy"
        return {"status": told, "redis": "connected" if cache else "disconnected", "database": told}


def described(one: Found) -> dict[str, Any]:
    return {
        "name": one.name,
        "first_seen": format_time(one.span.oldest_ns),
        "last_seen": format_time(one.span.newest_ns),
        "value_type": "number" if one.numeric else "string",
    }


def _add_query(app: FastAPI, engine: Engine, book: SeriesBook, reads: Reads) -> None:
    @app.post(
        "/query", summary="Values of a metric, or aggregates of them", response_class=Response,
        responses={400: {"description": "Wrong interval, or not a numeric metric"},
                   404: {"description": "No such metric"}, 422: {"description": "The body is wrong"}},
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": QUERY_BODY}}}},
    )  # fmt: skip
    @tells_detail
    async def query(request: Request) -> Response:
        try:
            given = orjson.loads(await read_body(request, MAX_BODY))
        except ValueError as error:
            raise invalid("body", "body", f"JSON decode error: {error}") from None
        metric, start_ns, end_ns, aggregation, interval = read_query(given)
        every = read_interval(interval) if interval is not None else None
        channels = (channel_of(KIND, metric),)
        if every is not None or aggregation is not None:
            aggregates = (aggregation or "avg",)
            asked = Query(channels, start_ns, end_ns, ("value",), every, aggregates)
        else:
            asked = Query(channels, start_ns, end_ns, ("value", "text"))
        return await reads.stream(
            request, lambda check: values(engine, book, metric, asked, check), about=(engine, asked)
        )


def values(
    engine: Engine, book: SeriesBook, metric: str, asked: Query, check: Check
) -> Iterator[list[dict[str, Any]]]:
    """Values of a metric, a page at a time."""
    found = book.find(KIND, metric)
    if found is None:
        raise refusal(404, f"Metric '{metric}' not found")
    if asked.aggregates and not found.numeric:
        raise refusal(400, "Aggregation is only supported for numeric metrics")
    if asked.aggregates and asked.every is None and asked.start_ns <= asked.end_ns:
        series = engine.run(asked, check).series[0]
        column = next(iter(series.columns.values()))
        yield [{"time": format_time(asked.start_ns), "value": value} for value in plain(column)]
        return
    for series in pages(engine, asked, check):
        columns = [plain(column) for column in series.columns.values()]
        merged = columns[0] if len(columns) == 1 else merge(*columns)
        yield [
            {"time": stamp, "value": value}
            for stamp, value in zip(stamps(series.time_ns), merged, strict=True)
        ]


def plain(column: Any) -> list[Any]:
    """Values of a column as JSON has them."""
    if column.dtype.kind != "f":
        return list(column.tolist())
    return [None if value != value else value for value in np.asarray(column, np.float64).tolist()]


def merge(numbers: list[Any], texts: list[Any]) -> list[Any]:
    """Of a number and a text the one that is there."""
    return [text if number is None else number for number, text in zip(numbers, texts, strict=True)]


def _add_cache(app: FastAPI, cache: ResultCache | None) -> None:
    def there() -> ResultCache:
        if cache is None:
            raise refusal(503, "Redis not connected")
        return cache

    @app.get("/cache/info", summary="The result cache, in the words of Redis")
    async def info() -> dict[str, Any]:
        if cache is None:
            return {"status": "disconnected"}
        told = cache.stats()
        return {
            "status": "connected",
            "used_memory": f"{told['bytes'] / 1024:.2f}K",
            "connected_clients": 1,
            "keyspace_hits": told["hits"],
            "keyspace_misses": told["misses"],
        }

    @app.post("/cache/clear", summary="Forget all results")
    @tells_detail
    async def clear() -> dict[str, str]:
        return {"message": f"Cache cleared, {there().clear()} keys"}

    @app.post(
        "/cache/metrics/{metric:path}/clear", summary="Forget the results about a metric",
        responses={404: {"description": "No metric can have that name"}},
    )  # fmt: skip
    @tells_detail
    async def clear_metric(metric: str) -> dict[str, str]:
        count = there().clear(channel_of(KIND, metric))
        return {"message": f"Cache cleared for metric '{metric}', {count} keys"}

    @app.get("/cache/keys", summary="What the result cache has")
    @tells_detail
    async def keys() -> dict[str, Any]:
        found = there().keys()
        return {"count": len(found), "keys": found}
