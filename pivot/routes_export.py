"""The routes of exports: those that a client waits for, and those that are made in the background."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from speeddata.counted import counted
from speeddata.pivot.download import wanted_part
from speeddata.pivot.export_formats import FORMATS, ZIP
from speeddata.pivot.export_options import LISTS, NAMES, known_name, require_known
from speeddata.pivot.exporter import Exporter, too_many
from speeddata.pivot.jobs import file_name
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import read_url_params
from speeddata.pivot.request_body import read_body

__all__ = ["add_export_routes"]

ERROR: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        }
    }
}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "A parameter is missing, unknown or cannot be read", **ERROR},
    404: {"description": "There is no such channel, signal or tag", **ERROR},
    408: {"description": "The export took too long", **ERROR},
    409: {"description": "Several tags have the name", **ERROR},
    413: {"description": "Too many channels, or too long a range; `hint` says what to do", **ERROR},
    429: {"description": "Too many exports at once; Retry-After says when to try again", **ERROR},
    503: {"description": "The service is stopping, or the registry does not answer", **ERROR},
    507: {"description": "There is no room for the export on the service's disk", **ERROR},
}
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FILES: dict[str, Any] = {made.media[0]: BINARY for made in (*FORMATS.values(), ZIP)}
TEXTS = {
    "start": "ISO 8601; without a zone it is UTC",
    "end": "ISO 8601; now when only start is given",
    "duration": "Such as 30s or PT30S; alone it is the span that ends at the newest record",
    "channels": "Names with commas between",
    "signals": "Names, or channel.name, with commas between; all without it",
    "tag": "Name or id of a tag, in place of a range and of channels",
    "format": f"{', '.join(FORMATS)}; Accept may ask for it too",
    "compression": "HDF5: none, gzip, lzf, zstd, bitshuffle-lz4; others have their own",
    "layout": "HDF5: signals (a dataset each) or table (one compound dataset a channel)",
    "decimate": "every, mean or minmax, then a count, rate or width, as in minmax:50Hz",
    "align": "previous, linear or nearest: all channels on one time base",
    "base": "The time base: one of the channels, or a rate such as 100Hz",
    "time": "CSV and JSON lines: iso, ns or s",
    "header": "CSV: names, or units for names with units",
}


def described(name: str) -> dict[str, Any]:
    """A parameter of a URL, as the OpenAPI document tells it."""
    schema: dict[str, Any] = {"type": "string"}
    return {"name": name, "in": "query", "required": False, "description": TEXTS[name], "schema": schema}


def add_export_routes(app: FastAPI, exporter: Exporter) -> None:
    """Add all of them."""
    _add_export(app, exporter)
    _add_jobs(app, exporter)
    _add_file(app, exporter)


def _add_export(app: FastAPI, exporter: Exporter) -> None:
    @app.get(
        "/api/v1/pivot/export",
        summary="A range of time of some channels as a file",
        response_class=Response,
        responses={200: {"description": "A file; several channels are a zip archive unless HDF5", "content": FILES}, **ERRORS},
        openapi_extra={"parameters": [described(name) for name in NAMES]},
    )  # fmt: skip
    async def export(request: Request) -> Response:
        given = read_url_params(request.query_params.multi_items(), LISTS, known_name)
        params = {name: given.get(name) for name in NAMES}
        return await exporter.export(params, request.is_disconnected, request.headers.get("accept"))


def _add_jobs(app: FastAPI, exporter: Exporter) -> None:
    jobs = exporter.jobs
    missing: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such export", **ERROR}}
    wanted = {
        "type": "object",
        "properties": {name: {"type": "string", "description": TEXTS[name]} for name in NAMES},
    }
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": wanted}}}}

    @app.post(
        "/api/v1/exports",
        summary="Make an export in the background",
        status_code=202,
        responses={status: told for status, told in ERRORS.items() if status != 408},
        openapi_extra=body,
    )
    async def submit(request: Request) -> JSONResponse:
        params = read_params(await read_body(request))
        told = await asyncio.to_thread(jobs.submit, params)
        return JSONResponse(told, 202, {"location": told["url"]})

    @app.get(
        "/api/v1/exports", summary="The exports that are made in the background, and those that are kept"
    )
    async def show_all() -> dict[str, Any]:
        return {"exports": await asyncio.to_thread(jobs.list)}

    @app.get("/api/v1/exports/{id}", summary="How an export fares", responses={**missing})
    async def show(id: str) -> dict[str, Any]:
        return await asyncio.to_thread(jobs.show, id)

    @app.delete(
        "/api/v1/exports/{id}",
        summary="Cancel an export, or remove one that has ended",
        responses={**missing},
    )
    async def delete(id: str) -> dict[str, Any]:
        return await asyncio.to_thread(jobs.delete, id)


def _add_file(app: FastAPI, exporter: Exporter) -> None:
    told = {
        200: {"description": "The file", "content": FILES},
        206: {"description": "The part of it that Range asks for", "content": FILES},
        404: {"description": "There is no such export", **ERROR},
        409: {"description": "It is not done", **ERROR},
        416: {"description": "There is no such part of it", **ERROR},
        429: ERRORS[429],
    }

    async def file(id: str, request: Request) -> Response:
        if exporter.sending >= exporter.limits.sending:
            raise too_many()
        job, opened = await asyncio.to_thread(exporter.jobs.open, id)
        etag = f'"{job.id}-{job.bytes:x}"'
        try:
            part = wanted_part(request.headers, job.bytes, etag)
        except Problem:
            opened.close()
            raise
        headers = {"etag": etag, "accept-ranges": "bytes"}
        if job.damages:
            headers["x-speeddata-partial"] = f"{counted(job.damages, 'damaged place', '')} left out"
        return exporter.send(
            opened, job.bytes, file_name(job), headers, job.media, part, request.method != "HEAD"
        )

    path = "/api/v1/exports/{id}/file"
    app.get(path, summary="The file of an export that is done", response_class=Response, responses=told)(file)  # type: ignore[arg-type]
    app.head(path, include_in_schema=False)(file)


def read_params(body: bytes) -> dict[str, str | None]:
    """Parameters as a JSON object; channels and signals may be lists."""
    try:
        given = json.loads(body)
        json.dumps(given, ensure_ascii=False, allow_nan=False).encode()  # so that it can be said again
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, Mapping):
        raise Problem(
            400, "The body must be a JSON object", wanted=f"an object with some of {', '.join(NAMES)}"
        )
    require_known(given)
    params: dict[str, str | None] = {}
    for name, value in given.items():
        listed = name in ("channels", "signals") and isinstance(value, list)
        if listed and all(isinstance(one, str) for one in value):
            value = ",".join(value)
        if not isinstance(value, str | None):
            wanted = "a text, or a list of texts" if name in ("channels", "signals") else "a text"
            raise Problem(400, f"Invalid {name}", field=name, value=str(value)[:200], wanted=wanted)
        params[name] = value
    return params
