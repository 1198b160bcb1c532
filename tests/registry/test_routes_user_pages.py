from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from speeddata.registry.app import create_app
from speeddata.registry.channels import Registry


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "bench.html").write_text("<!doctype html><title>Bench</title><style>p { color: red }</style>")
    return folder


@pytest.fixture
def client_of(registry: Registry, system: Any, pages: Path) -> Iterator[Any]:
    app = create_app(registry, system, (), [pages])
    with app.test_client() as client:
        yield client


def test_a_page_is_served_as_it_is(client_of: Any, pages: Path) -> None:
    with client_of.get("/pages/bench.html") as answer:
        assert answer.data == (pages / "bench.html").read_bytes()
        assert answer.mimetype == "text/html"
        policy = answer.headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self';" in policy, "scripts are files"


@pytest.mark.parametrize(
    "path", ["/pages/none.html", "/pages/../store.py", "/pages/%2e%2e/%2e%2e/etc/hostname", "/pages/"]
)
def test_what_there_is_not_is_404(client_of: Any, path: str) -> None:
    answer = client_of.get(path, follow_redirects=True)
    assert answer.status_code == 404
    assert answer.get_json()["error"]


def test_pages_are_listed_once_they_change(client_of: Any, pages: Path) -> None:
    told = client_of.get("/api/v1/pages").get_json()
    assert [page["url"] for page in told["pages"]] == ["/pages/bench.html"]
    assert client_of.get(f"/api/v1/pages?revision={told['revision']}").status_code == 204
    (pages / "new.html").write_text("<title>New</title>")
    again = client_of.get(f"/api/v1/pages?revision={told['revision']}").get_json()
    assert [page["title"] for page in again["pages"]] == ["Bench", "New"]
