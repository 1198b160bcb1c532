"""The routes of queries, of the list of signals, and of the cache of results."""

from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response

from speeddata.pivot.arrow_types import plain_json
from speeddata.pivot.query_fill import FILLS
from speeddata.pivot.query_request import AGGREGATES, read_body_params, read_url_params
from speeddata.pivot.query_service import QueryService
from speeddata.pivot.request_body import read_body
from speeddata.pivot.result import FORMATS, OPTIONS, TIMES
from speeddata.pivot.signals import SignalList

__all__ = ["add_query_routes"]

HELP = {
    "channels": "Names with commas between",
    "signals": "Names, or channel.name, with commas between; all without it",
    "start": "ISO 8601, or now; without a zone it is UTC. Included",
    "end": "The same; not included. Now when only start is given",
    "duration": "ISO 8601, such as PT30S; alone it is the span that ends at the newest record",
    "every": "Width of the buckets: 500ms, 30s, 15m, 1h, 1d, 1w, 1mo, 1y, PT15M, P1D, P1M",
    "width": "Pixels, instead of every: at most so many buckets of a round width; min and max unless aggregates are named",
    "aggregates": f"{', '.join(AGGREGATES)}, with commas between; avg, min, max without it",
    "zone": "Time zone that days, months and hours are counted in, such as Europe/Zurich",
    "fill": f"What stands in empty buckets: {', '.join(FILLS)} (they are left out)",
    "where": 'Condition on values: speed > 3 and mode == "run"',
    "limit": "Raw records of each channel at most",
    "cursor": "Of the answer before: where raw records go on",
    "format": f"{', '.join(FORMATS)}; without it what Accept says, else json",
    "shape": "Of JSON: columns or rows",
    "time": f"How times are written: {', '.join(TIMES)}",
}
PARAMETERS = [
    {
        "name": name,
        "in": "query",
        "required": name == "channels",
        "description": text,
        "schema": {"type": "string"},
    }
    for name, text in HELP.items()
]
TEXTS = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
BODY: dict[str, Any] = {
    "type": "object",
    "required": ["channels"],
    "additionalProperties": False,
    "properties": {
        name: {"description": text}
        | (
            TEXTS if name in ("channels", "signals", "aggregates")
            else {"type": "integer", "minimum": 1} if name in ("width", "limit")
            else {"type": "string"}
        )
        for name, text in HELP.items()
    },
}  # fmt: skip
ERROR: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        }
    }
}
TEXT_OF = {
    400: "A parameter is missing or cannot be read; field and value are told",
    404: "There is no such channel or signal",
    408: "Answering took too long",
    413: "The answer would have too many points, before anything is read; the error says what to ask for",
    429: "Too many queries at once; Retry-After says when to try again",
    503: "The service is stopping",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, **ERROR} for status, text in TEXT_OF.items()
}
FILE = {"schema": {"type": "string", "format": "binary"}}
CONTENT: dict[str, Any] = {
    "application/json": {"schema": {"type": "object", "required": ["series"]}},
    "text/csv": FILE,
    FORMATS["arrow"]: FILE,
}
ANSWERS: dict[int | str, dict[str, Any]] = {200: {"description": "The answer", "content": CONTENT}, **ERRORS}


def add_query_routes(app: FastAPI, service: QueryService) -> None:
    """Add the routes to the application."""
    signals = SignalList(service.engine)

    @app.get(
        "/api/v1/query", summary="Records of some channels, or aggregates of them per time bucket",
        response_class=Response, responses=ANSWERS, openapi_extra={"parameters": PARAMETERS},
    )  # fmt: skip
    async def query(request: Request) -> Response:
        params = read_url_params(request.query_params.multi_items())
        return await service.query(params, request.headers.get("accept", ""), request.is_disconnected)

    @app.post(
        "/api/v1/query", summary="The same, its parameters in a JSON object", response_class=Response,
        responses=ANSWERS,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}}},
    )  # fmt: skip
    async def post_query(request: Request) -> Response:
        params = read_body_params(await read_body(request))
        return await service.query(params, request.headers.get("accept", ""), request.is_disconnected)

    listed = [
        _parameter("channels", "Names with commas between; all without it"),
        _parameter("prefix", "How the channels' names begin"),
        _parameter("limit", "Signals of a page, about: whole channels are told (1000 without it)"),
        _parameter("cursor", "Of the page before"),
    ]

    @app.get(
        "/api/v1/signals", summary="All signals: channel, type, unit, span, count, newest value",
        response_class=Response, responses={200: {"description": "A page"}, **ERRORS},
        openapi_extra={"parameters": listed},
    )  # fmt: skip
    async def list_signals(request: Request) -> Response:
        params = dict(request.query_params)
        page = await service.run(lambda check: signals.page(params, check), request.is_disconnected)
        return _json(page)

    _add_cache(app, service)


def _add_cache(app: FastAPI, service: QueryService) -> None:
    @app.get("/api/v1/cache", summary="How full the caches are, and how often they had an answer")
    async def cache() -> dict[str, Any]:
        memory = service.engine.memory
        rollups = {"entries": len(memory), "bytes": memory.bytes, "max_bytes": memory.limit}
        return {"results": service.cache.stats(), "rollups": rollups}

    @app.get("/api/v1/cache/keys", summary="The queries whose answers are kept")
    async def keys() -> dict[str, Any]:
        found = service.cache.keys()
        return {"count": len(found), "keys": found}

    one = [_parameter("channel", "Only the answers about this channel")]

    @app.delete("/api/v1/cache", summary="Forget all answers", openapi_extra={"parameters": one})
    @app.post("/api/v1/cache/clear", summary="The same", openapi_extra={"parameters": one})
    async def clear(request: Request) -> dict[str, int]:
        return {"cleared": service.cache.clear(request.query_params.get("channel") or None)}


def _parameter(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value, default=plain_json, option=OPTIONS), media_type="application/json")
