"""Who may connect, and how many: with the server as a process, and raw connections."""

import contextlib
import json
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from live import DEADLINE_S, LiveProcess, Registry, running, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from speeddata.stripchart.doorkeeper import OPENING_MAX

UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with contextlib.closing(Registry()) as opened:
        yield opened


@pytest.fixture(scope="module")
def server(registry: Registry) -> Iterator[tuple[LiveProcess, int]]:
    with running(registry, "--clients", "3", "--name", "Bench") as started:
        yield started


@pytest.fixture(scope="module")
def port(server: tuple[LiveProcess, int]) -> int:
    return server[1]


@contextlib.contextmanager
def client(port: int, **options: Any) -> Iterator[ClientConnection]:
    """A client that has been welcomed."""
    with connect(f"ws://127.0.0.1:{port}", open_timeout=DEADLINE_S, **options) as connection:
        assert json.loads(connection.recv(timeout=DEADLINE_S))["type"] == "hello"
        yield connection


def join(port: int, **options: Any) -> None:
    """Come, be welcomed and go."""
    with client(port, **options):
        pass


def status(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=DEADLINE_S) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        told: dict[str, Any] = json.load(answer)
    return told


def closed(connection: ClientConnection) -> tuple[int, str]:
    """Read to the end; the code and the reason."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            connection.recv(timeout=DEADLINE_S)
    return connection.close_code or 0, connection.close_reason or ""


def answered(port: int, host: str, more: str) -> bytes:
    """What a raw request is answered with."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as peer:
        peer.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        answer = b""
        # What a connection that was accepted says first may come along with the answer.
        while not answer.endswith(b"\n") and b"\r\n\r\n" not in answer and (got := peer.recv(4096)):
            answer += got
        while b" 101 " not in answer and (got := peer.recv(4096)):
            answer += got
    return answer


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("https://evil.example", 403),
        ("http://127.0.0.1.evil.example:8080", 403),
        ("http://localhost:8080", 101),
        ("null", 101),
        (None, 101),
    ],
)
def test_fault_75_pages_from_elsewhere_are_refused(port: int, origin: Any, code: int) -> None:
    try:
        join(port, origin=origin)
        found = 101
    except InvalidStatus as error:
        found = error.response.status_code
    assert found == code


@pytest.mark.parametrize(
    ("host", "code"), [("localhost", 101), ("bench:8081", 101), ("evil.example", 400), ("[::1", 400)]
)
def test_fault_76_foreign_host_names_are_refused(port: int, host: str, code: int) -> None:
    answer = answered(port, host, UPGRADE)
    assert answer.split()[1] == str(code).encode()
    if code == 400:
        assert f"{host} is not a name of this server".encode() in answer


@pytest.mark.parametrize("name", ["Host", "Origin"])
def test_two_of_a_header_are_refused(port: int, name: str) -> None:
    more = f"{name}: localhost\r\n" * (1 if name == "Host" else 2)
    assert answered(port, "localhost", more + UPGRADE).endswith(
        f"{name}: expected one, got several\n".encode()
    )


def test_fault_74_a_message_too_large_closes_the_connection(port: int) -> None:
    with client(port) as one:
        one.send("x" * ((64 << 10) + 1))
        assert closed(one)[0] == 1009


def test_fault_74_nothing_is_compressed_and_what_is_closes_the_connection(port: int) -> None:
    with client(port, compression="deflate") as one:
        assert one.response is not None
        assert "Sec-WebSocket-Extensions" not in one.response.headers
        one.socket.sendall(bytes([0xC1, 0x84, 0, 0, 0, 0]) + b"bomb")  # a final text frame that says RSV1
        assert closed(one)[0] == 1002


def test_one_client_too_many_is_refused(port: int) -> None:
    wait_for(lambda: not status(port)["clients"])
    with client(port), client(port):
        with client(port):
            told = status(port)
            assert len(told["clients"]) == 3
            assert {"pid", "workers", "ticks", "rhythm", "channels"} <= told.keys()
            with pytest.raises(InvalidStatus) as refused:
                join(port)
            assert refused.value.response.status_code == 503
            assert refused.value.response.body == b"3 clients are connected, and no more may be\n"
        wait_for(lambda: len(status(port)["clients"]) == 2)
        join(port)


def test_connections_that_say_nothing_keep_nobody_out(server: tuple[LiveProcess, int]) -> None:
    wait_for(lambda: not status(server[1])["clients"])
    with contextlib.ExitStack() as stack:
        silent = []
        for n in range(OPENING_MAX + 20):
            peer = stack.enter_context(socket.create_connection(("127.0.0.1", server[1]), DEADLINE_S))
            peer.sendall(b"GET / HTTP/1.1\r\nHost: loc"[: n % 20])
            silent.append(peer)
        join(server[1])
        for peer in silent[:10]:
            with contextlib.suppress(ConnectionResetError):
                assert peer.recv(100) == b""
    assert not [line for line in server[0].lines if "Traceback" in line]
