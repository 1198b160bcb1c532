import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from speeddata.host_names import Guard
from speeddata.pivot.cross_origin import CrossOrigin, is_ours

PAGE = "http://127.0.0.1:8080"


async def answer(request: Request) -> Response:
    return JSONResponse({"method": request.method}, headers={"vary": "Accept"})


def client(registry: str | None = PAGE) -> TestClient:
    app = Starlette(routes=[Route("/x", answer, methods=["GET", "POST", "DELETE"])])
    app.add_middleware(CrossOrigin, guard=Guard(("bench.example.org",)), registry=registry)
    return TestClient(app, base_url="http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (PAGE, "127.0.0.1:8000"),
        ("http://localhost:8080", "127.0.0.1:8000"),
        ("http://127.0.0.1:8080", "localhost:8000"),
        ("http://[::1]:8080", "[::1]:8000"),
        ("https://bench.example.org:8080", "bench.example.org:8000"),
        ("http://192.0.2.7:8080", "192.0.2.7:8000"),
    ],
)
def test_pages_of_the_registry_are_ours(origin: str, host: str) -> None:
    assert is_ours(origin, host, 8080, Guard(("bench.example.org",)))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "127.0.0.1:8000"),
        ("", "127.0.0.1:8000"),
        ("http://127.0.0.1:3000", "127.0.0.1:8000"),
        ("http://127.0.0.1", "127.0.0.1:8000"),
        ("http://192.0.2.8:8080", "192.0.2.7:8000"),
        ("http://192.0.2.8:8080", "127.0.0.1:8000"),
        ("http://evil.example.org:8080", "127.0.0.1:8000"),
        ("http://evil.example.org:8080", "evil.example.org:8000"),
        ("http://127.0.0.1.evil.example.org:8080", "127.0.0.1:8000"),
        ("file://127.0.0.1:8080", "127.0.0.1:8000"),
        ("http://[:8080", "127.0.0.1:8000"),
        ("http://127.0.0.1:99999", "127.0.0.1:8000"),
    ],
)
def test_pages_of_elsewhere_are_not(origin: str, host: str) -> None:
    assert not is_ours(origin, host, 8080, Guard())


def test_without_a_registry_no_page_is_ours() -> None:
    assert not is_ours(PAGE, "127.0.0.1:8000", None, Guard())
    for registry in (None, "nonsense", "http://127.0.0.1:99999"):
        assert (
            "access-control-allow-origin" not in client(registry).get("/x", headers={"origin": PAGE}).headers
        )


def test_an_answer_may_be_read_by_the_page() -> None:
    for method in ("GET", "POST", "DELETE"):
        told = client().request(method, "/x", headers={"origin": PAGE})
        assert told.json() == {"method": method}
        assert told.headers["access-control-allow-origin"] == PAGE
        assert told.headers["vary"] == "Accept, Origin"
        assert told.headers["access-control-allow-credentials"] == "true"


def test_errors_may_be_read_too() -> None:
    told = client().get("/nothing", headers={"origin": PAGE})
    assert (told.status_code, told.headers["access-control-allow-origin"]) == (404, PAGE)


def test_a_page_may_ask_beforehand() -> None:
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    told = client().options("/x", headers=asked)
    assert (told.status_code, told.headers["access-control-allow-origin"]) == (204, PAGE)
    assert "POST" in told.headers["access-control-allow-methods"]
    assert "content-type" in told.headers["access-control-allow-headers"]


def test_a_page_of_elsewhere_changes_nothing() -> None:
    for origin in ("http://evil.example.org", "null"):
        for method in ("POST", "DELETE", "PUT"):
            told = client().request(method, "/x", headers={"origin": origin})
            assert (told.status_code, told.json()["error"]) == (403, "Origin not allowed")
        told = client().get("/x", headers={"origin": origin})
        assert (told.status_code, told.headers.get("access-control-allow-origin")) == (200, None)
        told = client().options("/x", headers={"origin": origin, "access-control-request-method": "POST"})
        assert "access-control-allow-origin" not in told.headers


def test_programs_and_pages_of_its_own_are_answered_as_ever() -> None:
    for headers in ({}, {"origin": "http://127.0.0.1:8000"}):
        told = client().post("/x", headers=headers)
        assert (told.status_code, told.headers["vary"]) == (200, "Accept")
        assert "access-control-allow-origin" not in told.headers
