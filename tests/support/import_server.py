"""Registry and history service in one small HTTP server, as far as imports ask for them; records stay in memory."""

import contextlib
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import fastavro
from stub_server import StubServer

Reply = tuple[int, dict[str, Any]]


class ImportServer(StubServer):
    """Keeps channels, and what was appended to them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.channels: dict[str, dict[str, Any]] = {}
        self.bodies: dict[str, list[bytes]] = {}
        self.keys: dict[str, str] = {}
        self.sealed: list[str] = []
        # Of the data folder; None: it is not told, as by services of former versions.
        self.instance: str | None = "0" * 32
        self.requests: list[dict[str, list[str]]] = []
        # Asked before a batch is taken: gives an answer in the place of the usual one, or None.
        self.trouble: Callable[[int], Reply | None] = lambda _: None
        # Whether the answer to this batch is lost after it was taken.
        self.loses: Callable[[int], bool] = lambda _: False
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def records(self, channel: str) -> list[dict[str, Any]]:
        """The records of a channel in the order they came, times as plain numbers."""
        schema = self.channels[channel]["schema"]
        plain = {**schema, "fields": [_plain(field) for field in schema["fields"]]}
        found = []
        for body in self.bodies.get(channel, []):
            stream = io.BytesIO(body)
            while stream.tell() < len(body):
                found.append(fastavro.schemaless_reader(stream, plain))
        return found

    def post(self, path: str, query: dict[str, list[str]], body: bytes) -> Reply:
        if path == "/api/v1/channels":
            return self._make(json.loads(body))
        if path == "/api/v1/channels/batch":
            for one in json.loads(body)["channels"]:
                self._make(one)
            return 200, {"created": [], "present": [], "refused": []}
        if path == "/api/v1/ingest/seal":
            self.sealed += query["channel"]
            return 200, {"channel": query["channel"][0], "segments": []}
        if path != "/api/v1/ingest":
            return 404, {"error": "Not found"}
        channel, key = query["channel"][0], query["key"][0]
        with self.lock:
            number = len(self.requests)
            self.requests.append(query)
            if (answer := self.trouble(number)) is not None:
                return answer
            if channel not in self.channels:
                return 404, {"error": "Channel not found", "name": channel}
            content = hashlib.sha256(body).hexdigest()
            repeated = key in self.keys
            if repeated and self.keys[key] != content:
                return 409, {"error": "The key was used for another batch"}
            if not repeated:
                self.keys[key] = content
                self.bodies.setdefault(channel, []).append(body)
            if self.loses(number):
                return 0, {}
        return 200, {"ingested": 1, "channels": {channel: 1}, "repeated": repeated}

    def _make(self, body: dict[str, Any]) -> Reply:
        assert body["port"] is None
        self.channels[body["name"]] = body
        return 201, body

    def get(self, path: str) -> Reply:
        parts = path.strip("/").split("/")
        if parts[-1] == "health" and self.instance is not None:
            return 200, {"status": "ok", "instance": self.instance}
        if parts[-1] == "services":
            return 200, {"pivot": {"host": "127.0.0.1", "port": self.server_port}}
        if parts[-1] == "spec" and parts[-2] in self.channels:
            made = self.channels[parts[-2]]
            return 200, {"schema": made["schema"], "time_unit": made.get("config", {}).get("time_unit")}
        return 404, {"error": "Channel not found"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ImportServer

    def do_POST(self) -> None:
        split = urlsplit(self.path)
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # whoever sent it was killed meanwhile
            self.close_connection = True
            return
        self._answer(self.server.post(split.path, parse_qs(split.query), body))

    def do_GET(self) -> None:
        self._answer(self.server.get(urlsplit(self.path).path))

    def _answer(self, reply: Reply) -> None:
        status, told = reply
        if not status:
            self.close_connection = True
            return
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if "retry_after" in told:
            self.send_header("Retry-After", str(told["retry_after"]))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def import_server() -> Iterator[ImportServer]:
    """A server that runs until the end of the block."""
    server = ImportServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    """A field without its logical type."""
    kind = field["type"]
    return {**field, "type": kind["type"] if isinstance(kind, dict) and "logicalType" in kind else kind}


def wait_for(condition: Callable[[], Any], what: str, limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.005)
