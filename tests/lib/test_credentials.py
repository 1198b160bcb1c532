"""The token that requests carry."""

import http.server
import threading
from contextlib import contextmanager

import pytest
import requests

from speeddata.credentials import VARIABLE, authorize, headers
from speeddata.errors import TokenError


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text("abc\n")
    path.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@contextmanager
def echo():
    """A server that answers with the Authorization header that it got."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            told = (self.headers.get("Authorization") or "none").encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_):
            """It says nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_nothing_is_sent_where_there_is_no_token(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert headers() == {}


def test_a_session_sends_the_token_as_it_is_now(path):
    with echo() as address, authorize(requests.Session()) as session:
        assert session.get(address).text == "Bearer abc"
        path.write_text("other\n")
        assert session.get(address).text == "Bearer other"
        assert session.get(address, headers={"Authorization": "Bearer mine"}).text == "Bearer mine"
        path.unlink()
        with pytest.raises(TokenError, match="no such file"):
            session.get(address)


@pytest.mark.usefixtures("path")
def test_a_session_may_have_a_file_of_its_own(tmp_path):
    own = tmp_path / "own"
    own.write_text("def\n")
    own.chmod(0o600)
    assert headers(own) == {"Authorization": "Bearer def"}
    with echo() as address, authorize(requests.Session(), own) as session:
        assert session.get(address).text == "Bearer def"
