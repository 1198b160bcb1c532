import http.client
import socket
import threading

import flask
import pytest
from line import LIMIT_S, wait_until
from system import free_tcp_ports

from speeddata.errors import RelayError
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
