import contextlib
import json
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from live import DEADLINE_S, LiveProcess, Registry, running, wait_for
from system import alive
from websockets.sync.client import connect

from speeddata.stripchart.workers import serve


@pytest.fixture
def registry() -> Iterator[Registry]:
    with contextlib.closing(Registry()) as opened:
        yield opened


@pytest.fixture
def server(registry: Registry) -> Iterator[tuple[LiveProcess, int]]:
    with running(registry, "--workers", "2") as started:
        yield started


def status(port: int) -> dict[str, Any]:
    """Of one worker: none is told where none listens."""
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=DEADLINE_S) as answer,
    ):
        return dict(json.load(answer))
    return {}


def pids(port: int, count: int, without: int | None = None) -> set[int]:
    """Wait until so many workers have answered."""
    seen: set[int] = set()

    def found() -> set[int] | None:
        seen.update({status(port).get("pid", without)} - {without})
        return seen if len(seen) == count else None

    return set(wait_for(found))


def test_one_port_is_served_by_all_and_who_dies_is_replaced(server: tuple[LiveProcess, int]) -> None:
    process, port = server
    first, second = pids(port, 2)
    assert process.process.pid not in (first, second)
    assert status(port)["workers"] == 2
    os.kill(first, signal.SIGKILL)
    third = (pids(port, 2, without=first) - {second}).pop()
    with connect(f"ws://127.0.0.1:{port}") as client:
        assert json.loads(client.recv(timeout=DEADLINE_S))["type"] == "hello"
        assert process.stop() == 0
    assert not alive(second)
    assert not alive(third)


def test_workers_do_not_outlive_their_parent(server: tuple[LiveProcess, int]) -> None:
    process, port = server
    workers = pids(port, 2)
    process.process.kill()
    wait_for(lambda: not any(alive(pid) for pid in workers))


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder, pytest.raises(OSError, match="in use"):
        serve("127.0.0.1", holder.getsockname()[1], 2, ())
