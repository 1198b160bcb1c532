import contextlib
import http.client
import select
import socket
import threading
from collections.abc import Iterator

import flask
import pytest
from line import LIMIT_S, wait_until
from ports import free_tcp_ports

from speeddata.errors import RelayError
from speeddata.registry.routes_channels import MAX_BATCH
from speeddata.relay import web_server
from speeddata.relay.web_server import WebServer, bind


def test_an_application_is_served_until_closed() -> None:
    app = flask.Flask("test", static_folder=None)
    app.add_url_rule("/", "hello", lambda: "hello")
    (port,) = free_tcp_ports(1)
    listener = bind("127.0.0.1", port)
    server = WebServer(app, listener)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["Server"]) == (200, b"hello", "speeddata")
    connection.close()
    server.close()
    listener.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_an_answer_that_comes_too_late_is_no_news(monkeypatch, caplog) -> None:
    monkeypatch.setattr(web_server, "GRACE_S", 0.01)
    asked, go = threading.Event(), threading.Event()

    def wait() -> str:
        asked.set()
        go.wait(LIMIT_S)
        return "late" * 50_000

    app = flask.Flask("test", static_folder=None)
    app.add_url_rule("/", "wait", wait)
    (port,) = free_tcp_ports(1)
    listener = bind("127.0.0.1", port)
    server = WebServer(app, listener)
    server.start()
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert asked.wait(LIMIT_S)
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("waitress")]
        server.close()
        go.set()
        for worker in workers:
            worker.join(LIMIT_S)
            assert not worker.is_alive()
    listener.close()
    assert caplog.text == ""


def test_a_port_in_use_is_named() -> None:
    (port,) = free_tcp_ports(1)
    listener = bind("127.0.0.1", port)
    with pytest.raises(RelayError, match=f"^port {port} on 127.0.0.1 is in use$"):
        bind("127.0.0.1", port)
    listener.close()


def test_an_address_that_is_not_this_machines_is_named() -> None:
    with pytest.raises(
        RelayError, match="^port 8080 on 192.0.2.1 cannot be had: Cannot assign requested address$"
    ):
        bind("192.0.2.1", 8080)


def test_fault_66_who_sends_by_drops_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "REQUEST_LIMIT_S", 1)
    monkeypatch.setattr(web_server, "CLEANUP_S", 1)
    (port,) = free_tcp_ports(1)
    listener = bind("127.0.0.1", port)
    server = WebServer(flask.Flask("test", static_folder=None), listener)
    server.start()
    with socket.create_connection(("127.0.0.1", port), timeout=0.1) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")

        def cut_off() -> bool:
            try:
                slow.sendall(b"x")
                return slow.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        wait_until(cut_off)
    server.close()
    listener.close()


@pytest.fixture
def limited() -> Iterator[int]:
    """The port of an application that takes a megabyte and reads all of it."""
    app = flask.Flask("test", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20
    app.add_url_rule("/", "take", lambda: str(len(flask.request.get_data())), methods=["GET", "POST"])
    (port,) = free_tcp_ports(1)
    listener = bind("127.0.0.1", port)
    server = WebServer(app, listener)
    server.start()
    yield port
    server.close()
    listener.close()


def test_fault_66_many_who_send_by_drops_keep_nobody_out(limited: int) -> None:
    """Heads and bodies that never end, of more connections than there may be: the oldest of them go."""
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n"
    with contextlib.ExitStack() as slow:
        socks = []
        for number in range(web_server.CONNECTIONS * 2):
            sock = slow.enter_context(socket.create_connection(("127.0.0.1", limited), LIMIT_S))
            sock.sendall(head + (b"\r\nx" if number % 2 else b""))
            socks.append(sock)
        for sock in socks[-50:]:
            sock.sendall(b"x")
            connection = http.client.HTTPConnection("127.0.0.1", limited, timeout=LIMIT_S)
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"0"
            connection.close()
        poll = select.poll()
        for sock in socks:
            poll.register(sock, select.POLLIN)
        cut = {fd for fd, _ in poll.poll(0)}
        assert len(socks) - len(cut) <= web_server.CONNECTIONS
        assert socks[0].fileno() in cut
        assert socks[-1].fileno() not in cut


@pytest.mark.parametrize("chunked", [False, True])
def test_fault_67_a_gigabyte_is_refused_before_it_has_come(limited: int, chunked: bool) -> None:
    told = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % (1 << 30)
    piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    with socket.create_connection(("127.0.0.1", limited), LIMIT_S) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + told + b"\r\n\r\n")
        sent, answer = 0, b""
        while sent < 1 << 30 and not answer:
            if select.select([client], [], [], 0)[0]:
                answer = client.recv(65536)
                break
            try:
                client.sendall(piece)
            except OSError:  # it reads no more
                break
            sent += len(piece)
        answer = answer or client.recv(65536)
    assert b" 413 " in answer.splitlines()[0]
    assert sent <= 4 * MAX_BATCH
