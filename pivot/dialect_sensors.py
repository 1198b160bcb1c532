"""The calls of a buffered sensor service: /get_range, /min, /hourly, and its form of /ingest. A sensor is a channel."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import Response

from speeddata.buckets import parse_every
from speeddata.errors import TimeError
from speeddata.pivot.dialects import Reads, invalid, pages, params, read_stamp, stamps, tells_detail
from speeddata.pivot.ingest import Ingest
from speeddata.pivot.query import Engine
from speeddata.pivot.query_words import Check, Query
from speeddata.pivot.series import Point, SeriesBook, batch_of
from speeddata.pivot.series_names import channel_of
from speeddata.reader import EARLIEST, LATEST

__all__ = ["add_sensor_routes", "ingest_readings"]

KIND = "sensor"
VALUE = "value"
HOURLY = ("avg", "min", "max", "count")
SENSOR = {"name": "sensor_id", "in": "query", "required": True, "schema": {"type": "string"}}
RANGE: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": True, "schema": {"type": "string", "format": "date-time"},
     "description": "ISO 8601, included"}
    for name in ("start", "end")
]  # fmt: skip
ERRORS: dict[int | str, dict[str, Any]] = {422: {"description": "A parameter is missing or cannot be read"}}


async def ingest_readings(ingest: Ingest, items: list[Any], key: str | None) -> dict[str, Any]:
    """Take in a list of readings, all or none."""
    points = [read_reading(number, item) for number, item in enumerate(items)]
    now_ms = time.time_ns() // 1_000_000
    if points:
        await ingest.append(batch_of(KIND, points), key=key, live="false", create=True)
    return {
        "status": "ok",
        "msg_ids": [f"{now_ms}-{number}" for number in range(len(points))],
        "ingested": len(points),
    }


def read_reading(number: int, item: Any) -> Point:
    """A reading of the list; a 422 names what is wrong."""
    if not isinstance(item, dict):
        raise invalid("body", str(number), "Input should be an object", item)
    for name in ("sensor_id", "timestamp", "value"):
        if name not in item:
            raise invalid("body", f"{number}.{name}", "Field required")
    sensor, stamp, value = item["sensor_id"], item["timestamp"], item["value"]
    if not isinstance(sensor, str):
        raise invalid("body", f"{number}.sensor_id", "Input should be a string", sensor)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise invalid("body", f"{number}.value", "Input should be a number", value)
    try:
        return sensor, read_stamp(str(stamp)), float(value)
    except TimeError as error:
        raise invalid("body", f"{number}.timestamp", str(error), stamp) from None


def add_sensor_routes(app: FastAPI, engine: Engine, book: SeriesBook, reads: Reads) -> None:
    """Add the routes that read."""
    _add_hourly(app, engine, book, reads)

    def asked(request: Request) -> tuple[str, int, int]:
        sensor, start, end = params(request, "sensor_id", "start", "end")
        times = []
        for name, text in (("start", start), ("end", end)):
            try:
                times.append(read_stamp(text))
            except TimeError as error:
                raise invalid("query", name, str(error), text) from None
        return sensor, times[0], times[1]

    @app.get(
        "/get_range", summary="Readings of a sensor in a range", response_class=Response,
        responses=ERRORS, openapi_extra={"parameters": [SENSOR, *RANGE]},
    )  # fmt: skip
    @tells_detail
    async def get_range(request: Request) -> Response:
        sensor, start_ns, end_ns = asked(request)
        query = Query((channel_of(KIND, sensor),), start_ns, end_ns, (VALUE,))
        return await reads.stream(
            request,
            lambda check: readings(engine, book, sensor, query, check),
            ('{"data":', "}"),
            (engine, query),
        )

    @app.get(
        "/min", summary="The smallest reading of a sensor in a range", responses=ERRORS,
        openapi_extra={"parameters": [SENSOR, *RANGE]},
    )  # fmt: skip
    @tells_detail
    async def smallest(request: Request) -> dict[str, Any]:
        sensor, start_ns, end_ns = asked(request)

        def work(check: Check) -> float | None:
            found = book.find(KIND, sensor)
            if found is None or start_ns > end_ns:
                return None
            query = Query((found.channel,), start_ns, end_ns, (VALUE,), aggregates=("min",))
            return next(iter(numbers(engine.run(query, check).series[0].columns["value.min"])), None)

        return {"min_value": await reads.run(request, work)}


def _add_hourly(app: FastAPI, engine: Engine, book: SeriesBook, reads: Reads) -> None:
    @app.get(
        "/hourly", summary="All readings of a sensor by the hour", response_class=Response,
        responses=ERRORS, openapi_extra={"parameters": [SENSOR]},
    )  # fmt: skip
    @tells_detail
    async def hourly(request: Request) -> Response:
        (sensor,) = params(request, "sensor_id")
        query = Query((channel_of(KIND, sensor),), EARLIEST, LATEST, (VALUE,), parse_every("1h"), HOURLY)
        return await reads.stream(
            request, lambda check: hours(engine, book, sensor, query, check), about=(engine, query)
        )


def readings(
    engine: Engine, book: SeriesBook, sensor: str, query: Query, check: Check
) -> Iterator[list[dict[str, Any]]]:
    """The readings of a range, numbered, a page at a time."""
    number = itertools.count(1)
    for series in pages(engine, query, check) if book.find(KIND, sensor) else ():
        yield [
            {"id": next(number), "timestamp": stamp, "sensor_id": sensor, "value": value}
            for stamp, value in zip(stamps(series.time_ns), numbers(series.columns[VALUE]), strict=True)
            if value is not None
        ]


def hours(
    engine: Engine, book: SeriesBook, sensor: str, query: Query, check: Check
) -> Iterator[list[dict[str, Any]]]:
    """Average, smallest and largest reading, and how many there are, of each hour that has any."""
    found = book.find(KIND, sensor)
    if found is None:
        return
    there = replace(query, start_ns=found.span.oldest_ns, end_ns=found.span.newest_ns)
    for series in pages(engine, there, check):
        columns = [series.columns[f"{VALUE}.{name}"] for name in HOURLY]
        rows = zip(stamps(series.time_ns), *map(numbers, columns[:3]), columns[3].tolist(), strict=True)
        yield [
            {"timestamp": stamp, "avg": avg, "min": low, "max": high, "samples": samples}
            for stamp, avg, low, high, samples in rows
        ]


def numbers(values: Any) -> list[float | None]:
    """Values of a column, None where there is none."""
    return [None if value != value else value for value in np.asarray(values, np.float64).tolist()]
