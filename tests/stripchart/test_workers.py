import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from line import NUMBERED
from live import DEADLINE_S, LiveProcess, Registry, running, wait_for
from system import alive
from websockets.sync.client import connect

from speeddata.heartbeat import PIPE, VARIABLE, newest
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


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_the_matter_is_said_with_the_signs_of_life(registry: Registry, workers: int) -> None:
    registry.add("example", NUMBERED, ("239.255.61.9", 5009))
    options = {"--registry": registry.url, "--port": 0, "--interface": "192.0.2.99", "--workers": workers}
    command = [sys.executable, "-P", "-m", "speeddata.stripchart"]
    command += [str(part) for pair in options.items() for part in pair]
    read, write = os.pipe2(os.O_NONBLOCK)
    with subprocess.Popen(
        command, pass_fds=(write,), env={**os.environ, VARIABLE: str(write)}, stderr=subprocess.DEVNULL
    ) as process:
        os.close(write)

        def heard() -> bool:
            with contextlib.suppress(BlockingIOError):
                return "239.255.61.9:5009 on 192.0.2.99" in newest(os.read(read, PIPE))
            return False

        try:
            wait_for(heard)
        finally:
            process.terminate()
            process.wait(DEADLINE_S)
            os.close(read)


def test_workers_do_not_outlive_their_parent(server: tuple[LiveProcess, int]) -> None:
    process, port = server
    workers = pids(port, 2)
    process.process.kill()
    wait_for(lambda: not any(alive(pid) for pid in workers))


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder, pytest.raises(OSError, match="in use"):
        serve("127.0.0.1", holder.getsockname()[1], 2, ())
