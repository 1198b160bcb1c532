"""The OpenAPI document: it has every route, and nothing else; and the page made from it is up to date."""

import re
from pathlib import Path
from typing import Any

import pytest

import speeddata
from speeddata.registry.document import document
from speeddata.registry.rest_docs import reference, update

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"
# Pages and files, which docs/rest.md tells in words.
FILES = re.compile(r"/|/history|/system|/login|/favicon\.ico|/static/.*|/pages/.*")
NOT_ASKED = {"HEAD", "OPTIONS"}


def routes(client: Any) -> set[tuple[str, str]]:
    """Method and path of every route that is no page."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in client.application.url_map.iter_rules()
        if not FILES.fullmatch(rule.rule)
        for method in rule.methods - NOT_ASKED
    }


def told() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_every_route_is_told_and_nothing_else(client: Any) -> None:
    assert routes(client) == set(told())


def test_it_is_served(client: Any) -> None:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json["info"]["version"] == speeddata.__version__
    assert answer.json == document()


def test_the_roles_are_those_of_the_code() -> None:
    from speeddata.registry.roles import needed_role

    for (method, path), operation in told().items():
        filled = re.sub(r"\{\w+\}", "x", path)
        assert needed_role(method, filled) == operation.get("x-role"), (method, path)


def test_every_answer_and_every_name_is_described() -> None:
    for (method, path), operation in told().items():
        assert operation["summary"], (method, path)
        assert all(status in ("200", "201", "204") or int(status) >= 400 for status in operation["responses"])
        for name in re.findall(r"\{(\w+)\}", path):
            given = document()["paths"][path]["parameters"]
            assert name in [one["name"] for one in given]


def test_no_word_of_it_was_cut_at_a_comma() -> None:
    def keys(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [*part, *(key for value in part.values() for key in keys(value))]
        return [key for value in part for key in keys(value)] if isinstance(part, list) else []

    assert [key for key in keys(document()) if " " in key] == []


def test_the_reference_of_the_page_is_made_from_it() -> None:
    page = PAGE.read_text()
    assert update(page) == page, "run: python -m speeddata.registry.rest_docs docs/rest.md"
    for method, path in told():
        shown = path.removeprefix("/api/v1").replace("{", "<").replace("}", ">")
        assert f"#### `{method} {shown}`" in page


@pytest.mark.parametrize(
    "path",
    [
        "/favicon.ico",
        "/history",
        "/system",
        "/login",
        "/static/pages/",
        "/static/stripchart/",
        "/pages/<path>",
    ],
)
def test_pages_are_told_in_words(path: str) -> None:
    assert f"`GET {path}" in PAGE.read_text()


def test_what_is_not_asked_stays_as_it_is() -> None:
    assert update("no marks") == "no marks"
    assert reference().count("####") == len(told())
