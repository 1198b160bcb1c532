"""Fault 87 at the history service."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from speeddata.access import COOKIE, Access
from speeddata.pivot.gate import Gate, needed_role
from speeddata.tokens import TokenFile


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/api/v1/health", None),
        ("GET", "/", None),
        ("GET", "/docs/docs.js", None),
        ("GET", "/openapi.json", None),
        ("GET", "/api/v1/pivot/export", "read"),
        ("GET", "/api/v1/query", "read"),
        ("POST", "/api/v1/query", "read"),
        ("POST", "/api/v1/sql", "read"),
        ("POST", "/query", "read"),
        ("POST", "/api/v1/exports", "read"),
        ("DELETE", "/api/v1/exports/abc", "read"),
        ("GET", "/metrics", "read"),
        ("POST", "/api/v1/ingest", "write"),
        ("POST", "/api/v1/ingest/seal", "write"),
        ("POST", "/ingest", "write"),
        ("POST", "/api/v1/query/", "write"),
        ("DELETE", "/api/v1/cache", "admin"),
        ("POST", "/api/v1/cache/clear", "admin"),
        ("POST", "/cache/clear", "admin"),
        ("POST", "/cache/metrics/a/clear", "admin"),
        ("GET", "/docsx", "read"),
    ],
)
def test_what_a_request_takes(method: str, path: str, role: str | None) -> None:
    assert needed_role(method, path) == role


async def answer(_: Request) -> Response:
    return JSONResponse({})


def test_who_may_is_let_through(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    token = file.add("ann", "read")
    access = Access(file.path)
    app = Starlette(
        routes=[
            Route("/api/v1/sql", answer, methods=["POST"]),
            Route("/api/v1/ingest", answer, methods=["POST"]),
        ]
    )
    app.add_middleware(Gate, access=access)
    client = TestClient(app)
    refused = client.post("/api/v1/sql")
    assert (refused.status_code, set(refused.json())) == (401, {"error", "field", "details"})
    assert refused.headers["www-authenticate"] == "Bearer"
    headers = {"Authorization": f"Bearer {token}"}
    assert client.post("/api/v1/sql", headers=headers).status_code == 200
    assert client.post("/api/v1/ingest", headers=headers).status_code == 403
    logged_in = access.log_in(token)
    assert logged_in is not None
    assert client.post("/api/v1/sql", headers={"Cookie": f"{COOKIE}={logged_in[1]}"}).status_code == 200
