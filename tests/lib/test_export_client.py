import contextlib
import io
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler

import pytest
from stub_server import StubServer

from speeddata.export_client import PIECE, TRIES, ExportClient, ExportError

CONTENT = bytes(range(256)) * 4000
ID = "0123456789abcdef"
JOB = {
    "id": ID, "state": "done", "progress": 1.0, "records": 7, "rate": None, "eta_s": None, "bytes": len(CONTENT),
    "damages": 0, "url": f"/api/v1/exports/{ID}", "file": f"/api/v1/exports/{ID}/file", "name": "export_1.h5",
}  # fmt: skip


class Service:
    """Stands for a history service whose connections break."""

    def __init__(self):
        self.takes = []  # bytes after which each further download breaks; none: they go on to the end
        self.asked = []  # method, path, Range
        self.states = ["done"]
        self.short = None  # status of a GET of an export; None: it is too long
        self.job = dict(JOB)
        self.etag = f'"{ID}-{len(CONTENT):x}"'

    def answer(self, handler):
        given = handler.headers.get("range")
        self.asked.append((handler.command, handler.path.partition("?")[0], given))
        length = int(handler.headers.get("content-length") or 0)
        handler.rfile.read(length)
        path = handler.path.partition("?")[0]
        if path == "/api/v1/pivot/export":
            status = self.short or 413
            self.send(
                handler, status, CONTENT if status == 200 else b'{"error": "too long", "hint": "later"}'
            )
        elif path.endswith("/file"):
            self.file(handler, given)
        elif handler.command == "DELETE":
            self.send(handler, 200, b"{}")
        else:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            self.send(handler, 202, json.dumps({**self.job, "state": state}).encode())

    def file(self, handler, given):
        start, status = 0, 200
        if given and handler.headers.get("if-range") in (None, self.etag):
            start, status = int(given.removeprefix("bytes=").rstrip("-")), 206
        self.send(
            handler, status, CONTENT[start:], {"etag": self.etag}, self.takes.pop(0) if self.takes else None
        )

    def send(self, handler, status, body, headers=(), takes=None):
        handler.send_response(status)
        for name, value in dict(headers).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Content-Disposition", 'attachment; filename="../short.h5"')
        handler.end_headers()
        handler.wfile.write(body[:takes])
        if takes is not None:
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True


@pytest.fixture
def service():
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            with contextlib.suppress(OSError):
                service.answer(self)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    server = StubServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(service):
    seen = []
    client = ExportClient(service.url, seen.append)
    client.seen = seen
    client._sleep = lambda _: None
    yield client
    client.session.close()


def test_a_short_one_is_taken_at_once(service, client, tmp_path, monkeypatch):
    service.short = 200
    monkeypatch.chdir(tmp_path)
    fetched = client.fetch({"channels": "a"}, None)
    assert (fetched.path.name, fetched.bytes, fetched.job) == ("short.h5", len(CONTENT), {})
    assert (tmp_path / "short.h5").read_bytes() == CONTENT, "in this folder, whatever the service says"
    assert [asked[0] for asked in service.asked] == ["GET"]
    assert client.seen[-1].done == client.seen[-1].total == len(CONTENT)


def test_a_long_one_is_made_in_the_background(service, client, tmp_path):
    service.states = ["queued", "running", "running", "done"]
    fetched = client.fetch({"channels": "a"}, tmp_path / "x.h5")
    assert fetched.path.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]
    assert [asked[:2] for asked in service.asked] == [
        ("GET", "/api/v1/pivot/export"), ("POST", "/api/v1/exports"), *[("GET", JOB["url"])] * 3,
        ("GET", JOB["file"]), ("DELETE", JOB["url"]),
    ]  # fmt: skip
    assert {seen.stage for seen in client.seen} == {"making", "fetching"}


def test_a_tag_is_made_in_the_background_at_once(service, client, tmp_path):
    client.fetch({"tag": "a"}, tmp_path / "x.h5")
    assert service.asked[0][:2] == ("POST", "/api/v1/exports")


def test_a_download_that_breaks_is_taken_up(service, client, tmp_path):
    service.takes = [2 * PIECE + 9, 0, 5 * PIECE, 1]
    assert client.fetch({"tag": "a"}, tmp_path / "x").path.read_bytes() == CONTENT
    ranges = [asked[2] for asked in service.asked if asked[1].endswith("/file")]
    assert ranges == [None] + [f"bytes={n * PIECE}-" for n in (2, 2, 7, 7)]


def test_one_that_goes_to_a_pipe_is_taken_up_too(service, client):
    service.takes = [PIECE, 5 * PIECE]
    out = io.BytesIO()
    assert client.fetch({"tag": "a"}, None, out).path is None
    assert out.getvalue() == CONTENT
    service.takes, service.etag = [PIECE], '"another"'
    with pytest.raises(ExportError, match="cannot be taken up"):
        client.fetch({"tag": "a"}, None, io.BytesIO())


def test_when_it_is_another_file_by_now_it_begins_anew(service, client, tmp_path):
    service.takes, service.etag = [PIECE], '"another"'
    assert client.fetch({"tag": "a"}, tmp_path / "x").path.read_bytes() == CONTENT


def test_it_gives_up_after_so_many_attempts_and_a_later_run_goes_on(service, client, tmp_path):
    service.takes = [PIECE] + [0] * (TRIES + 1)
    with pytest.raises(ExportError, match=f"broke off at byte {PIECE} of 1024000"):
        client.fetch({"tag": "a"}, tmp_path / "x")
    assert (tmp_path / "x.part").stat().st_size == PIECE
    service.takes, service.asked = [], []
    assert client.fetch({"tag": "a"}, tmp_path / "x").path.read_bytes() == CONTENT
    assert [asked for asked in service.asked if asked[0] == "POST"] == [], "it is not made again"
    assert ("GET", JOB["file"], f"bytes={PIECE}-") in service.asked
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.usefixtures("service")
def test_the_rest_of_another_export_is_given_up(client, tmp_path):
    (tmp_path / "x.part").write_bytes(b"junk")
    (tmp_path / "x.part.json").write_text("{")
    assert client.fetch({"tag": "b"}, tmp_path / "x").path.read_bytes() == CONTENT


def test_what_failed_is_told(service, client, tmp_path):
    service.states, service.job = ["failed"], {**JOB, "error": "Signal not found"}
    with pytest.raises(ExportError, match="Signal not found"):
        client.fetch({"tag": "a"}, tmp_path / "x")
    service.short = 404
    with pytest.raises(ExportError, match=r"too long \(hint: later\)") as caught:
        client.fetch({"channels": "a"}, tmp_path / "x")
    assert caught.value.status == 404
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_cancels_what_is_made(service, client, tmp_path):
    service.states = ["running"]

    def interrupt(_):
        raise KeyboardInterrupt

    client._sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        client.fetch({"tag": "a"}, tmp_path / "x")
    assert service.asked[-1][:2] == ("DELETE", JOB["url"])


def test_no_service_is_told():
    with pytest.raises(ExportError, match="does not answer"):
        ExportClient("http://127.0.0.1:9").fetch({"tag": "a"}, None)
