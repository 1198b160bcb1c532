"""Requests that must not come in: faults 75, 76 and 87 at the registration API."""

from pathlib import Path
from typing import Any

import flask.testing
import pytest

from speeddata.access import Access
from speeddata.registry.app import create_app
from speeddata.tokens import TokenFile

API = "/api/v1"


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


@pytest.fixture
def tokens(file: TokenFile) -> dict[str, str]:
    return {role: file.add(role, role) for role in ("read", "write", "admin")}


@pytest.fixture
def guarded(registry: Any, system: Any, file: TokenFile) -> flask.testing.FlaskClient:
    return create_app(registry, system, access=Access(file.path)).test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_fault_76_a_name_made_to_point_here_reaches_nothing(client: Any) -> None:
    answer = client.get(f"{API}/channels", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json["field"]) == (400, "Host")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:3000", "https://localhost", ""]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/channels"), ("DELETE", "/channels/x"), ("POST", "/channels/x/restart")]
)
def test_fault_75_no_page_of_elsewhere_changes_anything(
    client: Any, origin: str, method: str, path: str
) -> None:
    answer = client.open(f"{API}{path}", method=method, headers={"Origin": origin})
    assert (answer.status_code, answer.json["error"], answer.json["field"]) == (
        403,
        "Origin not allowed",
        "Origin",
    )


def test_our_own_pages_and_programs_may(client: Any) -> None:
    for headers in ({}, {"Origin": "http://localhost"}):
        assert client.delete(f"{API}/channels/x", headers=headers).status_code == 404
    headers = {"Origin": "http://192.0.2.7:8080", "Host": "192.0.2.7:8080"}
    assert client.delete(f"{API}/channels/x", headers=headers).status_code == 404


def test_fault_87_without_a_token_nothing_is_told_or_done(guarded: Any, tokens: Any) -> None:
    assert tokens
    for method, path in (
        ("GET", "/channels"),
        ("GET", "/status"),
        ("POST", "/channels"),
        ("DELETE", "/channels/x"),
        ("GET", "/nosuch"),
    ):
        answer = guarded.open(f"{API}{path}", method=method)
        assert (answer.status_code, answer.json["error"]) == (401, "Token required")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert set(answer.json) == {"error", "field", "details"}
    assert guarded.get(f"{API}/channels", headers=bearer("wrong")).json["error"] == "Token not known"


def test_a_token_in_the_address_is_none(guarded: Any, tokens: Any) -> None:
    for name in ("token", "access_token", "Authorization"):
        assert guarded.get(f"{API}/channels?{name}={tokens['admin']}").status_code == 401


def test_a_role_is_held_to(guarded: Any, tokens: Any) -> None:
    assert guarded.get(f"{API}/channels", headers=bearer(tokens["read"])).status_code == 200
    refused = guarded.post(f"{API}/tags", json={}, headers=bearer(tokens["read"]))
    assert (refused.status_code, refused.json["error"]) == (403, "Not allowed")
    assert (
        guarded.post(
            f"{API}/tags", json={"name": "x", "last": "PT1M"}, headers=bearer(tokens["write"])
        ).status_code
        == 201
    )
    assert guarded.delete(f"{API}/channels/x", headers=bearer(tokens["write"])).status_code == 403
    assert guarded.delete(f"{API}/channels/x", headers=bearer(tokens["admin"])).status_code == 404


def test_what_tells_nothing_is_open(guarded: Any) -> None:
    for path in ("/healthz", "/login", "/static/pages/login.js"):
        with guarded.get(path) as answer:
            assert answer.status_code == 200


def test_a_person_is_sent_to_log_in(guarded: Any) -> None:
    page = {"Accept": "text/html,*/*"}
    for path, target in (
        ("/", "/login?next=/"),
        ("/history?x=1&y=/", "/login?next=/history%3Fx%3D1%26y%3D/"),
    ):
        answer = guarded.get(path, headers=page)
        assert (answer.status_code, answer.headers["Location"]) == (303, target)
    assert guarded.get(f"{API}/channels", headers=page).status_code == 401
    assert guarded.get("/").status_code == 401
