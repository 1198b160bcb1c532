"""docs/rest.md names every route."""

from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"


def test_every_route_is_named_with_its_method(client: Any) -> None:
    page = PAGE.read_text()
    for rule in client.application.url_map.iter_rules():
        path = (
            rule.rule.removeprefix("/api/v1").replace("<path:path>", "<path>").replace("<int:port>", "<port>")
        )
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert f"`{method} {path}" in page, rule
