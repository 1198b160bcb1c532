"""The door of a relay: descriptors are handed over, requests answered, nonsense refused."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from speeddata.errors import RelayError
from speeddata.relay.handover import Door, ask_relay, collect, living_relays


@contextmanager
def opened(path: Path) -> Iterator[int]:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def served(door: Door, times: int = 1) -> Iterator[None]:
    def serve() -> None:
        for _ in range(times):
            door.serve()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def refuse(_request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    raise RelayError("not now")


def test_descriptors_and_spec_are_handed_over(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    spec = {"name": "x", "long": "x" * 200_000}
    with opened(tmp_path) as folder:
        door = Door(folder, "x", {"adopt": lambda _: ({"spec": spec}, [reader, writer])})
        with served(door):
            (adopted,) = collect(folder)
        assert (adopted.pid, adopted.spec, len(adopted.fds)) == (os.getpid(), spec, 2)
        os.write(adopted.fds[1], b"there")
        assert os.read(reader, 10) == b"there"
        assert not set(adopted.fds) & {reader, writer}, "copies"
        adopted.close()
        assert list(collect(folder, known=["x"])) == []
        door.close()
        assert os.listdir(folder) == []
    os.close(reader)
    os.close(writer)


def test_requests_are_answered_or_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        door = Door(folder, "x", {"twice": lambda request: ({"n": 2 * request["n"]}, []), "refuse": refuse})
        with served(door, 4):
            assert ask_relay(folder, "x", {"op": "twice", "n": 4}) == {"n": 8}
            with pytest.raises(RelayError, match="not now"):
                ask_relay(folder, "x", {"op": "refuse"})
            for nonsense in ({"op": "fly"}, {"op": "twice"}):
                with pytest.raises(RelayError, match="not a request"):
                    ask_relay(folder, "x", nonsense)
        assert living_relays(folder) == [os.getpid()]
        door.serve()  # who only looked, and has gone
        door.close()
        with pytest.raises(RelayError, match="no relay for channel 'x': No such file"):
            ask_relay(folder, "x", {"op": "twice"})


def test_what_a_dead_relay_left_is_taken_away(tmp_path: Path) -> None:
    with opened(tmp_path) as folder, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(tmp_path / "relay-x.sock"))
        assert living_relays(folder) == []
        assert list(collect(folder)) == []
        assert os.listdir(folder) == []


def test_a_relay_that_gives_nonsense_is_said_and_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as folder:
        door = Door(folder, "x", {"adopt": refuse})
        with served(door):
            assert list(collect(folder)) == []
        assert "relay-x.sock: a relay that cannot be adopted: not now" in caplog.text
        door.close()
