"""What the list of ten thousand registered channels costs: all of it, and a page. The goal is 100 ms."""

import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from line import NUMBERED  # noqa: E402
from system import System, run  # noqa: E402

CHANNELS = 10_000
BATCH = 2_000


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with run(tmp_path_factory.mktemp("channels") / "data", "--only=relay") as system:
        for first in range(0, CHANNELS, BATCH):
            channels = [
                {"name": f"channel{number:05}", "port": None, "schema": NUMBERED}
                for number in range(first, first + BATCH)
            ]
            status, answer = system.ask("POST", "/api/v1/channels/batch", {"channels": channels})
            assert (status, answer["refused"]) == (200, [])
        yield system


@pytest.mark.parametrize(("query", "count"), [("", CHANNELS), ("?limit=100", 100)], ids=["all", "page"])
def test_list(benchmark: Any, registered: System, query: str, count: int) -> None:
    url = f"http://127.0.0.1:{registered.api_port}/api/v1/channels{query}"

    def ask() -> bytes:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bytes(answer.read())

    assert benchmark(ask).count(b'"name":"channel') == count
