"""Logging in and out."""

from pathlib import Path
from typing import Any

import flask.testing
import pytest

from speeddata.access import COOKIE, Access
from speeddata.registry.app import create_app
from speeddata.tokens import TokenFile

API = "/api/v1"


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


@pytest.fixture
def guarded(registry: Any, system: Any, file: TokenFile) -> flask.testing.FlaskClient:
    return create_app(registry, system, access=Access(file.path)).test_client()


def test_a_person_logs_in_looks_and_logs_out(guarded: Any, file: TokenFile) -> None:
    token = file.add("ann", "read")
    answer = guarded.post(f"{API}/login", json={"token": f" {token}\n"})
    assert (answer.status_code, answer.json) == (200, {"name": "ann", "role": "read"})
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert token not in cookie
    assert guarded.get(f"{API}/channels").status_code == 200
    assert guarded.get(f"{API}/who").json == {"required": True, "name": "ann", "role": "read"}
    assert guarded.delete(f"{API}/channels/x").status_code == 403
    assert guarded.post(f"{API}/logout").status_code == 200
    assert guarded.get(f"{API}/channels").status_code == 401


@pytest.mark.parametrize("token", ["wrong", "", None, 5, "x" * 300, ["x"], "\ud800"])
def test_a_token_that_is_not_in_force_logs_nobody_in(guarded: Any, file: TokenFile, token: Any) -> None:
    file.add("ann", "read")
    answer = guarded.post(f"{API}/login", json={"token": token})
    assert (answer.status_code, answer.json["field"]) == (401, "token")
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_goes_by_https_alone_where_it_came_by_that(guarded: Any, file: TokenFile) -> None:
    answer = guarded.post(
        f"{API}/login", json={"token": file.add("ann", "read")}, base_url="https://localhost"
    )
    assert "Secure" in answer.headers["Set-Cookie"]


def test_where_nobody_is_asked_everybody_may(client: Any) -> None:
    assert client.get(f"{API}/who").json == {"required": False, "name": None, "role": "admin"}
    assert client.post(f"{API}/login", json={"token": "x"}).status_code == 401
