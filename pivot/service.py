"""The HTTP application: routes, the one shape of errors, the OpenAPI document and the page that shows it."""

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

import speeddata
from speeddata.host_names import Guard, host_of
from speeddata.pivot.exporter import Exporter
from speeddata.pivot.problem import Problem

__all__ = ["make_app"]

logger = logging.getLogger(__name__)

# The pages load nothing from anywhere else.
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:",
    "cache-control": "no-cache",
}
PAGES = {"docs.html": "text/html", "docs.js": "text/javascript", "docs.css": "text/css"}
ERROR: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        }
    }
}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "A parameter is missing or cannot be read", **ERROR},
    404: {"description": "There is no such channel or signal", **ERROR},
    408: {"description": "The export took too long", **ERROR},
    413: {"description": "Too many channels, or too long a range", **ERROR},
    429: {"description": "Too many exports at once; Retry-After says when to try again", **ERROR},
    503: {"description": "The service is stopping", **ERROR},
    507: {"description": "There is no room for the export on the service's disk", **ERROR},
}
HDF5: dict[str, Any] = {"application/x-hdf5": {"schema": {"type": "string", "format": "binary"}}}


class HostCheck:
    """Refuses requests that name another host, before anything else looks at them."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app = app
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "") if scope["type"] == "http" else None
        if host is None or self.guard.admits(host_of(host)):
            await self.app(scope, receive, send)
        else:
            await JSONResponse({"error": "Host not allowed", "host": host}, 400)(scope, receive, send)


def make_app(exporter: Exporter, names: Collection[str] = ()) -> FastAPI:
    """Make the application; closing it stops the exports that are being made.

    `names` are host names to answer to beside addresses and loopback names.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        exporter.close()

    app = FastAPI(
        title="SpeedData history",
        version=speeddata.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=lifespan,
    )
    app.add_middleware(HostCheck, guard=Guard(names))
    _add_routes(app, exporter)
    _add_pages(app)
    _add_errors(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _add_routes(app: FastAPI, exporter: Exporter) -> None:
    @app.get("/api/v1/health", summary="Whether the service is up")
    async def health() -> dict[str, str]:
        return {"service": "pivot-api", "status": "healthy"}

    @app.get(
        "/api/v1/pivot/export",
        summary="A range of time of some channels as an HDF5 file",
        response_class=Response,
        responses={
            200: {"description": "An HDF5 file: a group per channel, a dataset per signal", "content": HDF5},
            **ERRORS,
        },
    )
    async def export(
        request: Request,
        start: Annotated[str | None, Query(description="ISO 8601; without a zone it is UTC")] = None,
        end: Annotated[str | None, Query(description="ISO 8601; now when only start is given")] = None,
        duration: Annotated[
            str | None,
            Query(description="ISO 8601, such as PT30S; alone it is the span that ends at the newest record"),
        ] = None,
        channels: Annotated[str | None, Query(description="Names with commas between")] = None,
        signals: Annotated[
            str | None, Query(description="Names, or channel.name, with commas between; all without it")
        ] = None,
    ) -> Response:
        params = {"start": start, "end": end, "duration": duration, "channels": channels, "signals": signals}
        return await exporter.export(params, request.is_disconnected)


def _add_pages(app: FastAPI) -> None:
    folder = files("speeddata.pivot").joinpath("pages")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return await page("docs.html")

    @app.get("/docs/{name}", include_in_schema=False)
    async def page(name: str) -> Response:
        if name not in PAGES:
            raise HTTPException(404, "Not found")
        return Response(folder.joinpath(name).read_bytes(), media_type=PAGES[name], headers=PAGE_HEADERS)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return JSONResponse(error.body, error.status, error.headers)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return JSONResponse({"error": f"Invalid {first['loc'][-1]}: {first['msg']}"}, 400)

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        # The traceback goes to the log alone.
        return JSONResponse({"error": f"Server error: {type(error).__name__}"}, 500)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, without the validation error that FastAPI writes to each route and we never send."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            routes=app.routes,
            description='Ranges of recorded channels. Errors are JSON: `{"error": what is wrong}`.',
        )
        for methods in document["paths"].values():
            for operation in methods.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            document.get("components", {}).get("schemas", {}).pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema
