"""The shared relay's socket: requests that come in pieces, at once, too large, too many, and clients that go away."""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from line import wait_until
from store_client import StoreClient, numbers, part, store_spec

from speeddata.relay import ingest_server
from speeddata.relay.ingest_server import IngestServer
from speeddata.relay.ingest_store import IngestStore

MAX_QUEUED = 1 << 20


class Served:
    """A server in a thread of the test's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.store = IngestStore(folder / "ingest.journal")
        self.server = IngestServer(self.store, self.run, MAX_QUEUED)
        wake, self.waker = os.pipe()
        self.server.watch(wake, self._stop)
        self.wake = wake
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def _stop(self) -> None:
        self.server.stopping = True

    def client(self) -> StoreClient:
        return StoreClient(self.folder / "ingest.sock")

    def opened(self, *names: str) -> StoreClient:
        client = self.client()
        assert client.ask(
            {"op": "open", "specs": [store_spec(self.folder / "archive", name) for name in names]}
        )["ok"]
        return client

    def numbers(self, name: str = "x") -> list[int]:
        return numbers(self.folder / "archive" / name)

    def end(self) -> None:
        os.write(self.waker, b"\0")
        self.thread.join()
        self.server.close()
        self.store.close()
        for fd in (self.run, self.wake, self.waker):
            os.close(fd)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path)
    yield one
    one.end()


def test_requests_of_many_clients_are_answered(served: Served) -> None:
    with served.opened("x") as first, served.client() as second:
        for client in (first, second):
            client.send({"op": "append", "parts": []})
        assert [client.receive()["status"] for client in (first, second)] == [400, 400]
        assert first.append([part("x", 0, 10)])["ok"]
        assert second.append([part("x", 10, 10)])["ok"]
    assert served.numbers() == [*range(20)]


def test_a_request_may_come_in_pieces(served: Served) -> None:
    with served.opened("x") as client:
        one = served.client()
        one.send({"op": "stats"})
        whole = struct.pack("<II", 14, 0) + b'{"op":"stats"}'
        for at in range(len(whole)):
            client.socket.sendall(whole[at : at + 1])
        assert client.receive()["ok"]
        assert one.receive()["ok"]
        one.socket.close()


def test_a_large_batch_and_its_memory(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_server, "IDLE_S", 0.0)
    with served.opened("x") as client:
        assert client.append([part("x", 0, 30_000)])["records"] == 30_000
        assert served.numbers() == [*range(30_000)]
        queued = lambda: client.ask({"op": "stats"})["queued_bytes"]  # noqa: E731
        assert queued() >= ingest_server.SMALL


def test_what_is_too_large_is_put_off_and_the_connection_goes_on(served: Served) -> None:
    with served.opened("x") as client:
        answer = client.append([part("x", 0, 60_000)])
        assert (answer["status"], answer["retry_after"]) == (429, 1)
        assert client.append([part("x", 0, 10)])["ok"]
    assert served.numbers() == [*range(10)]


def test_a_body_that_is_not_taken_ends_the_connection(served: Served) -> None:
    with served.client() as client:
        size = ingest_server.MAX_HEAD + 1
        client.socket.sendall(struct.pack("<II", size, 0) + bytes(size))
        assert client.receive()["status"] == 413
        with pytest.raises(OSError, match=r"hung up|reset"):
            client.receive()


@pytest.mark.parametrize("head", [b"{", b"[]", b"7", b'{"a": 1}', b"\xff\xff", b"[" * 10_000])
def test_what_is_no_request_is_said(served: Served, head: bytes) -> None:
    with served.client() as client:
        client.socket.sendall(struct.pack("<II", len(head), 0) + head)
        assert client.receive()["status"] == 400


def test_two_requests_at_once_are_refused(served: Served) -> None:
    with served.client() as client:
        client.socket.sendall(2 * (struct.pack("<II", 14, 0) + b'{"op":"stats"}'))
        assert client.receive()["error"] == "one request at a time"


def test_a_client_that_goes_away_leaves_nothing(served: Served) -> None:
    with served.opened("x") as client:
        other = served.client()
        other.socket.sendall(struct.pack("<II", 100, 100) + b"{")
        other.socket.close()
        assert client.append([part("x", 0, 10)])["ok"]
        wait_until(lambda: client.ask({"op": "stats"})["connections"] == 1, "the other to be gone")
    assert served.numbers() == [*range(10)]


def test_too_many_connections_are_put_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_server, "MAX_CONNECTIONS", 1)
    with served.opened("x") as client, served.client() as other:
        assert other.receive()["status"] == 429
        assert client.ask({"op": "stats"})["put_off"] == 1


def test_an_answer_that_the_client_does_not_take_at_once_waits(served: Served) -> None:
    names = [f"channel-of-a-long-name-{number}" for number in range(1500)]
    with served.opened(*names) as client:
        assert client.append([part(name, 0, 1) for name in names])["ok"]
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send({"op": "stats", "channels": True})
        with served.client() as other:
            assert other.ask({"op": "stats"})["ok"]
        assert len(client.receive()["channels"]) == 1500


def test_a_request_that_cannot_be_answered_is_said(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.store, "stats", lambda **_: 1 / 0)
    with served.client() as client:
        assert client.ask({"op": "stats"})["status"] == 500
        assert client.ask({"op": "segments"})["ok"]
