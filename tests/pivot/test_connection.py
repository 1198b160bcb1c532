"""Connections that a slow or greedy client holds, to a real service with shorter limits."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from line import wait_until

from speeddata.pivot.connection import Connection

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch) -> Iterator[int]:
    monkeypatch.setattr("speeddata.pivot.connection.HEAD_S", 0.3)
    monkeypatch.setattr("speeddata.pivot.connection.MOST", 5)
    config = uvicorn.Config(app, http=Connection, log_config=None, lifespan="off", timeout_keep_alive=20)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_until(lambda: server.started, "the server")
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        yield sock


def all_of(sock: socket.socket) -> bytes:
    """What comes until the other end closes."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while data := sock.recv(4096):
            found += data
    return found


def test_a_head_that_does_not_end_is_given_up(port):
    with connected(port) as sock:
        sock.sendall(REQUEST[:10])
        assert all_of(sock).startswith(b"HTTP/1.1 408 ")


def test_fault_66_a_head_that_trickles_is_given_up(port):
    with connected(port) as sock, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(all_of, sock)
        with contextlib.suppress(ConnectionError):
            while not answer.done():
                sock.sendall(b"G" if answer.running() else b"E")
                time.sleep(0.02)
        assert answer.result().startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("before", [b"", REQUEST], ids=["first", "second"])
@pytest.mark.parametrize("piece", [b"x: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["many", "long"])
def test_fault_66_a_head_without_end_is_not_kept(port, monkeypatch, before, piece):
    monkeypatch.setattr("speeddata.pivot.connection.HEAD_S", 60)
    with connected(port) as sock, ThreadPoolExecutor(1) as threads:
        if before:
            sock.sendall(before)
            assert sock.recv(4096).endswith(b"ok")
        answer = threads.submit(all_of, sock)
        sock.sendall(REQUEST[:-2] + b"y: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(20_000):  # 20 MB
                sock.sendall(piece)
            sock.sendall(b"\r\n\r\n")
        assert b" 200 " not in answer.result()


def test_a_connection_that_says_nothing_is_closed(port):
    with connected(port) as sock:
        assert all_of(sock) == b""


def test_requests_that_come_in_time_are_served_one_after_the_other(port):
    with connected(port) as sock:
        for _ in range(3):
            sock.sendall(REQUEST)
            assert sock.recv(4096).endswith(b"ok")
            time.sleep(0.4)  # longer than a head may take: between requests there is no head to come
        sock.sendall(REQUEST[:10])
        assert all_of(sock).startswith(b"HTTP/1.1 408 ")


def test_a_body_may_take_longer_than_a_head(port):
    with connected(port) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        time.sleep(0.5)
        sock.sendall(b"b")
        assert sock.recv(4096).endswith(b"ok")


def test_fault_66_there_may_be_only_so_many_connections(port):
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(connected(port)) for _ in range(5)]
        for sock in held:
            sock.sendall(REQUEST)
            assert sock.recv(4096).endswith(b"ok")
        with connected(port) as sock:
            assert all_of(sock).startswith(b"HTTP/1.1 503 ")
