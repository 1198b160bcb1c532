"""The route of SQL."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from speeddata.pivot.request_body import read_body
from speeddata.pivot.sql import SqlRunner
from speeddata.pivot.sql_request import MEDIA_TYPES, read_request

__all__ = ["add_sql_routes"]

BODY: dict[str, Any] = {
    "type": "object",
    "required": ["sql"],
    "additionalProperties": False,
    "properties": {
        "sql": {"type": "string", "minLength": 1, "examples": ['SELECT count(*) FROM "example"']},
        "format": {
            "enum": ["json", "columns", "csv", "arrow", "parquet"],
            "description": "Without it, what Accept says, else json",
        },
        "limit": {"type": "integer", "minimum": 0, "description": "Rows given at most"},
        "timeout": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds"},
        "time_zone": {"type": "string", "default": "UTC", "description": "For local days and hours"},
    },
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
CONTENT: dict[str, Any] = {media: BINARY for media in MEDIA_TYPES} | {
    "application/json": {"schema": {"type": "object", "required": ["columns", "truncated"]}}
}


def add_sql_routes(app: FastAPI, runner: SqlRunner) -> None:
    """Add the route to the application."""

    @app.post(
        "/api/v1/sql",
        summary="A statement of SQL that reads; channels are tables",
        response_class=Response,
        responses={
            200: {"description": "The rows", "content": CONTENT},
            **{code: {"description": text} for code, text in ERRORS.items()},
        },
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}}},
    )
    async def sql(request: Request) -> Response:
        body = await read_body(request)
        asked = read_request(body, request.headers.get("accept", ""), runner.limits)
        return await runner.answer(asked, request.is_disconnected)


ERRORS: dict[int | str, str] = {
    400: "The request or the statement is wrong; the error has DuckDB's words",
    408: "The statement took too long",
    413: "The answer is too large, or the statement needs too much memory",
    429: "Too many statements at once; Retry-After says when to try again",
    503: "The service is stopping",
    507: "There is no room for the answer on the service's disk",
}
