import threading
from http.server import BaseHTTPRequestHandler

import pytest
import requests
from stub_server import StubServer

from speeddata.answer import read_answer


class Strange(Exception):
    pass


@pytest.fixture
def server():
    """Its address; the body and the length that it tells are those set."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            if self.server.length is not None:
                self.send_header("Content-Length", str(self.server.length))
            self.end_headers()
            try:
                for piece in self.server.body:
                    self.wfile.write(piece)
            except (BrokenPipeError, ConnectionResetError):
                self.server.broken.set()

        def log_message(self, *_):
            pass

    made = StubServer(("127.0.0.1", 0), Handler)
    made.length, made.body, made.broken = None, [], threading.Event()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def read(server, **options):
    response = requests.get(f"http://127.0.0.1:{server.server_port}", stream=True, timeout=10)
    return read_answer(response, Strange, **options)


def test_an_object_is_read(server):
    server.body = [b'{"a": ', b'{"b": [1]}}']
    assert read(server) == {"a": {"b": [1]}}


def test_what_it_lacks_is_told_at_any_depth(server):
    server.body = [b'{"a": [{"b": 1}]}']
    found = read(server)
    assert found.get("c") is None
    with pytest.raises(Strange, match="no 'c'"):
        found["c"]
    with pytest.raises(Strange, match="no 'd'"):
        found["a"][0]["d"]


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"", b"<html>", b'{"a":', b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}", b"\xff\xfe"]
)  # fmt: skip
def test_what_is_no_object_is_refused(server, body):
    server.body = [body]
    with pytest.raises(Strange):
        read(server)


def test_one_without_end_is_left(server):
    server.body = iter(lambda: b"a" * 65536, b"")
    with pytest.raises(Strange, match="more than 1,000,000 bytes"):
        read(server, most=1_000_000)
    assert server.broken.wait(30)


def test_one_that_drips_is_left(server):
    stop = threading.Event()
    server.body = iter(lambda: b"" if stop.wait(0.01) else b"a", b"")
    try:
        with pytest.raises(Strange, match=r"within 0\.1 s"):
            read(server, longest_s=0.1)
    finally:
        stop.set()


def test_one_that_breaks_off_is_no_answer(server):
    server.length, server.body = 1000, [b'{"a": 1']
    with pytest.raises((requests.ConnectionError, Strange)):
        read(server)
