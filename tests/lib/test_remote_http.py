import json
import socket
import threading
from http.server import BaseHTTPRequestHandler

import pytest
import requests
from stub_server import StubServer

from speeddata import remote_http
from speeddata.remote_error import RemoteError
from speeddata.remote_http import Service


@pytest.fixture
def answers():
    """What the server says in turn, (status, headers, object) or None: it breaks the connection; and what it was asked."""
    script, asked = [], []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.command, self.path, self.headers.get("X-Token")))
            told = script.pop(0)
            if told is None:
                self.connection.close()
                return
            status, headers, body = told
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = StubServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield script, asked, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """How long it would have waited."""
    found = []
    monkeypatch.setattr(remote_http.time, "sleep", found.append)
    return found


def test_asks_below_the_api_with_its_headers(answers):
    script, asked, url = answers
    script.append((200, {}, {"a": 1}))
    service = Service(f"{url}/api/v1/", 5, 3, {"X-Token": "t"})
    assert service.json("GET", "/health", params={"b": "c"}) == {"a": 1}
    assert asked == [("GET", "/api/v1/health?b=c", "t")]
    service.close()


def test_a_busy_service_is_asked_again_when_it_says(answers, waits):
    script, asked, url = answers
    script += [
        (429, {"Retry-After": "2"}, {"error": "busy"}),
        (503, {}, {"error": "stopping"}),
        (200, {}, {}),
    ]
    Service(url, 5, 3).ask("POST", "/ingest", again=False)
    assert len(asked) == 3
    assert 2 <= waits[0] <= 2.4
    assert 0.4 <= waits[1] <= 0.5


def test_attempts_end(answers):
    script, asked, url = answers
    script += [(429, {"Retry-After": "x"}, {"error": "busy"})] * 2
    with pytest.raises(RemoteError, match="429 busy"):
        Service(url, 5, 2).ask("GET", "/x")
    assert len(asked) == 2


def test_a_refusal_is_raised_at_once(answers):
    script, asked, url = answers
    script.append((400, {}, {"error": "Invalid start", "field": "start"}))
    with pytest.raises(RemoteError, match=r"GET /x: 400 Invalid start \(field: start\)"):
        Service(url, 5, 5).ask("GET", "/x")
    assert len(asked) == 1


def test_a_broken_connection_is_tried_again_where_that_does_no_harm(answers):
    script, asked, url = answers
    script += [None, (200, {}, {})]
    Service(url, 5, 2).ask("GET", "/x")
    script.append(None)
    with pytest.raises(requests.ConnectionError, match=f"the service at {url} broke off the connection"):
        Service(url, 5, 2).ask("POST", "/tags", again=False)
    assert len(asked) == 3


def test_who_does_not_answer_is_named():
    with pytest.raises(requests.ConnectionError) as caught:
        Service("http://127.0.0.1:9", 5, 2, name="history service").ask("GET", "/x")
    assert str(caught.value) == "the history service at http://127.0.0.1:9 does not answer"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(requests.Timeout, match=f"the service at {url} has not answered within 0.1 s"):
            Service(url, 0.1, 1).ask("GET", "/x")


def test_what_is_no_address_is_told():
    with pytest.raises(ValueError, match="wanted an address such as"):
        Service("localhost:8000", 5, 2)
    with pytest.raises(ValueError, match="attempts must be 1"):
        Service("http://127.0.0.1:9", 5, 0).ask("GET", "/x")
