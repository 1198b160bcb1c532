"""The HTTP application: routes, the one shape of errors, the OpenAPI document and the page that shows it."""

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

import speeddata
from speeddata.access import Access
from speeddata.host_names import Guard, host_of
from speeddata.pivot.cross_origin import CrossOrigin
from speeddata.pivot.exporter import Exporter
from speeddata.pivot.gate import Gate
from speeddata.pivot.ingest import Ingest
from speeddata.pivot.ingest_body import BodyLimits
from speeddata.pivot.page_headers import PageHeaders
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_service import QueryService
from speeddata.pivot.routes_dialects import add_dialect_routes
from speeddata.pivot.routes_export import add_export_routes
from speeddata.pivot.routes_follow import add_follow_routes
from speeddata.pivot.routes_ingest import add_ingest_routes
from speeddata.pivot.routes_query import add_query_routes
from speeddata.pivot.routes_sql import add_sql_routes
from speeddata.pivot.sql import SqlRunner
from speeddata.pivot.sql_request import SqlLimits

__all__ = ["make_app"]

logger = logging.getLogger(__name__)

PAGES = {"docs.html": "text/html", "docs.js": "text/javascript", "docs.css": "text/css"}
DOCUMENT: dict[str, Any] = {
    "title": "SpeedData history",
    "version": speeddata.__version__,
    "docs_url": None,
    "redoc_url": None,
    "openapi_url": "/openapi.json",
}


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


def make_app(
    exporter: Exporter,
    names: Collection[str] = (),
    ingest: Ingest | None = None,
    registry: str | None = None,
    sql: SqlLimits | None = None,
    queries: QueryService | None = None,
    bodies: BodyLimits | None = None,
    access: Access | None = None,
) -> FastAPI:
    """Make the application; closing it stops the exports that are being made.

    `names` are host names to answer to beside addresses and loopback names; without `ingest` nothing is taken in.
    `registry` is the address of the registry, whose pages may use the service. Without `access` nobody is asked who they are.
    """
    runner = SqlRunner(exporter.catalogue.folder, sql or SqlLimits())
    queries = queries or QueryService(Engine(exporter.catalogue))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        exporter.close()
        runner.close()
        app.state.dialects.close()
        queries.close()
        await runner.closed()

    app = FastAPI(**DOCUMENT, lifespan=lifespan)
    app.state.sql = runner
    app.state.queries = queries
    # What is added first is the innermost: a page of the registry may read what an unforeseen error is answered with.
    app.add_middleware(ServerErrorMiddleware, handler=_unforeseen)
    app.add_middleware(Gate, access=access or Access())
    app.add_middleware(CrossOrigin, guard=Guard(names), registry=registry)
    app.add_middleware(HostCheck, guard=Guard(names))
    app.add_middleware(PageHeaders)
    _add_routes(app)
    add_export_routes(app, exporter)
    add_sql_routes(app, runner)
    add_query_routes(app, queries)
    app.state.dialects = add_dialect_routes(app, queries.engine, ingest, queries.cache)
    if ingest is not None:
        add_ingest_routes(app, ingest, bodies)
    app.state.follow = add_follow_routes(app, exporter.catalogue, exporter.limits)
    _add_pages(app)
    _add_errors(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _add_routes(app: FastAPI) -> None:
    @app.get("/api/v1/health", summary="Whether the service is up")
    async def health() -> dict[str, str]:
        return {"service": "pivot-api", "status": "healthy"}


def _add_pages(app: FastAPI) -> None:
    folder = files("speeddata.pivot").joinpath("pages")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return await page("docs.html")

    @app.get("/docs/{name}", include_in_schema=False)
    async def page(name: str) -> Response:
        if name not in PAGES:
            raise HTTPException(404, "Not found")
        return Response(
            folder.joinpath(name).read_bytes(), media_type=PAGES[name], headers={"cache-control": "no-cache"}
        )


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

    app.add_exception_handler(Exception, _unforeseen)


async def _unforeseen(_: Request, error: Exception) -> Response:
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
                if operation["responses"].get("422", {}).get("description") == "Validation Error":
                    del operation["responses"]["422"]
        for name in ("HTTPValidationError", "ValidationError"):
            document.get("components", {}).get("schemas", {}).pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema
