"""The calls of other systems, at their own paths: what they share is here, the rest in one module for each."""

from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

import speeddata
from speeddata.pivot.dialect_frequency import add_frequency_routes
from speeddata.pivot.dialect_metrics import add_metric_routes, ingest_points
from speeddata.pivot.dialect_sensors import add_sensor_routes, ingest_readings
from speeddata.pivot.dialects import Reads, invalid, refusal, tells_detail
from speeddata.pivot.ingest import Ingest
from speeddata.pivot.query import Engine
from speeddata.pivot.request_body import read_body
from speeddata.pivot.result_cache import ResultCache
from speeddata.pivot.series import SeriesBook

__all__ = ["add_dialect_routes"]

MAX_BODY = 16 << 20
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>SpeedData history</title></head>
<body><h1>SpeedData history</h1><p><a href="/docs">The calls of this service</a></p></body></html>
"""
STAMP = {"type": "string", "format": "date-time"}
POINT = {"type": "object", "required": ["time", "metric", "value"],
         "properties": {"time": STAMP, "metric": {"type": "string"}, "value": {"type": ["number", "string"]}}}  # fmt: skip
READING = {"type": "object", "required": ["sensor_id", "timestamp", "value"],
           "properties": {"sensor_id": {"type": "string"}, "timestamp": STAMP, "value": {"type": "number"}}}  # fmt: skip
BODY: dict[str, Any] = {
    "oneOf": [
        {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": POINT}}},
        {"type": "array", "items": READING},
    ]
}
ERRORS: dict[int | str, dict[str, Any]] = {
    413: {"description": "The body is too large"},
    422: {"description": "A point is wrong; nothing is ingested"},
    429: {"description": "Too much at once; Retry-After says when to try again"},
    503: {"description": "Nothing can be ingested just now"},
}


def add_dialect_routes(
    app: FastAPI, engine: Engine, ingest: Ingest | None = None, cache: ResultCache | None = None
) -> Reads:
    """Add the routes; what is given back is closed with the application."""
    reads = Reads(cache)
    book = SeriesBook(engine.catalogue)
    _add_root(app, cache)
    _add_ingest(app, ingest)
    add_frequency_routes(app, engine, reads)
    add_metric_routes(app, engine, book, reads, cache)
    add_sensor_routes(app, engine, book, reads)
    return reads


def _add_root(app: FastAPI, cache: ResultCache | None) -> None:
    @app.get("/", summary="What this is: a page for browsers, else JSON", response_class=Response)
    async def root(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(PAGE)
        told = {
            "message": "Async Query API is running",
            "version": speeddata.__version__,
            "redis_status": "connected" if cache else "disconnected",
            "docs": "/docs",
        }
        return JSONResponse(told)


def _add_ingest(app: FastAPI, ingest: Ingest | None) -> None:
    @app.post(
        "/ingest", summary="Points of metrics, or a list of sensors' readings", responses=ERRORS,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}}},
    )  # fmt: skip
    @tells_detail
    async def take_in(request: Request) -> dict[str, Any]:
        try:
            given = orjson.loads(await read_body(request, MAX_BODY))
        except ValueError as error:
            raise invalid("body", "body", f"JSON decode error: {error}") from None
        if ingest is None:
            raise refusal(503, "Nothing can be ingested: the service runs without a shared relay")
        key = request.headers.get("idempotency-key")
        if isinstance(given, list):
            return await ingest_readings(ingest, given, key)
        if isinstance(given, dict) and "data" in given:
            return await ingest_points(ingest, given["data"], key)
        raise invalid("body", "data", "Field required")
