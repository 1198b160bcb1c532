from typing import Any

import pytest


def test_chart_modules_are_served_to_pages_from_anywhere(client: Any) -> None:
    with client.get("/static/stripchart/main.js") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/javascript"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "/static/pages/../store.py",
        "/static/pages/%2e%2e/store.py",
        "/static/pages/%2fetc/hostname",
        "/static/stripchart/../__init__.py",
        "/static/pages/nosuch",
    ],
)
def test_nothing_outside_the_folders_is_served(client: Any, path: str) -> None:
    assert client.get(path, follow_redirects=True).status_code == 404


def test_the_api_is_not_for_pages_from_elsewhere(client: Any) -> None:
    assert "Access-Control-Allow-Origin" not in client.get("/api/v1/channels").headers


@pytest.mark.parametrize("path", ["/", "/history"])
def test_pages_have_a_policy(client: Any, path: str) -> None:
    with client.get(path) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/html"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
