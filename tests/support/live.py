"""What tests of the live part stand on: a registry that speaks the real API over HTTP, and senders into real groups.

Nothing of the live server itself is replaced: it runs as a process, joins multicast groups on 127.0.0.1 and serves WebSockets.
"""

import contextlib
import io
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import fastavro
import ports
from stub_server import StubServer

from speeddata.schema import Schema

ROOT = Path(__file__).parents[2]
SCALE = float(os.environ.get("SPEEDDATA_TEST_SCALE", "1"))
DEADLINE_S = 20 * SCALE
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
CSP = "default-src 'self'; connect-src 'self' ws: http:"

EXAMPLE = {
    "type": "record",
    "name": "data",
    "namespace": "speeddata.example",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "message", "type": "string"},
        {"name": "counter", "type": "int"},
        {"name": "sine_wave", "type": "double", "speeddata": {"unit": "V"}},
        {"name": "ramp", "type": "double"},
        {"name": "square_wave", "type": "float"},
        {"name": "is_on", "type": "boolean"},
    ],
}


def wait_for(condition: Callable[[], Any], what: str = "") -> Any:
    """Give the condition's value as soon as it is true."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"timed out waiting for {what or condition}")


def json_of(address: str) -> Any:
    """What is served there."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A free port; TCP's unless another kind of socket is meant."""
    return ports.free_port(kind)


class Encoder:
    """Records of a schema as Avro."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = fastavro.parse_schema(json.loads(json.dumps(schema)))

    def __call__(self, **record: Any) -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._schema, record)
        return out.getvalue()


class Framed(Encoder):
    """The same, each record as Avro's single-object encoding has it."""

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        self.head = b"\xc3\x01" + Schema.parse(schema).fingerprint

    def __call__(self, **record: Any) -> bytes:
        return self.head + super().__call__(**record)


class Sender:
    """Sends into a multicast group by an interface, as a relay does."""

    def __init__(self, group: tuple[str, int], interface: str = "127.0.0.1") -> None:
        self._group = group
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        self._socket.bind((interface, 0))
        self.source: tuple[str, int] = self._socket.getsockname()

    def send(self, packet: bytes) -> None:
        self._socket.sendto(packet, self._group)

    def close(self) -> None:
        self._socket.close()


class Registry:
    """The part of the registration API that the live server and the pages use, and the pages themselves."""

    def __init__(self, port: int = 0) -> None:
        self.channels: dict[str, dict[str, Any]] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        # Versions before it, of channels whose packets say which they are of, oldest first.
        self.former: dict[str, list[dict[str, Any]]] = {}
        # How often each address was asked for.
        self.asked: Counter[str] = Counter()
        self.services: dict[str, Any] = {"pivot": {"host": "127.0.0.1", "port": 8000}}
        self.status: dict[str, Any] = {
            "keeper": {"state": "active"},
            "services": [],
            "archive": {
                "free_percent": 50,
                "free_bytes": 10**9,
                "growth_bytes_per_s": None,
                "full_in_s": None,
            }
            | {"deletes_in_s": None, "trouble": None},
        }
        self.posted: list[dict[str, Any]] = []
        self.tags: list[dict[str, Any]] = []
        self.refusal: tuple[int, dict[str, Any]] | None = None
        # Folders by the prefix of the addresses that they are served at.
        self.folders = {
            "/static/stripchart/": ROOT / "stripchart/static",
            "/static/pages/": ROOT / "registry/pages",
            "/golden/": ROOT / "tests/stripchart/golden",
            "/browser/": ROOT / "tests/browser",
        }
        self.is_closed = False
        self._server = StubServer(("127.0.0.1", port), _handler(self))
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def add(
        self,
        name: str,
        schema: dict[str, Any],
        group: tuple[str, int],
        full: tuple[str, int] = ("239.255.1.1", 5000),
        **more: Any,
    ) -> None:
        """Register a channel whose decimated stream goes to a group, and that at full rate to another."""
        self.schemas[name] = schema
        self.channels[name] = {
            "name": name,
            "port": 26000 + len(self.channels),
            "schema_path": f"config/agents/{name}.avsc",
            "status": "active",
            "state": "active",
            "created_at": "2026-01-01 00:00:00",
            "pid": 1234,
            "config": {},
            "schema": f"{abs(hash(json.dumps(schema))):016x}",
            "time_unit": "ns",
            "multicast": {
                "full_rate": {"address": full[0], "port": full[1]},
                "decimated": {"address": group[0], "port": group[1]},
            },
            "stats": {
                "packets": 0,
                "records": 0,
                "bytes": 0,
                "durable": 0,
                "rejected": {},
                "kernel_drops": 0,
                "ring_full": 0,
            },
            **more,
        }

    def add_version(self, name: str, schema: dict[str, Any]) -> None:
        """Register a further version of a channel's schema."""
        self.former.setdefault(name, []).append(self.schemas[name])
        self.schemas[name] = schema
        channel = self.channels[name]
        self.channels[name] = channel | {
            "schema": f"{abs(hash(json.dumps(schema))):016x}",
            "schemas": channel["schemas"] + 1,
        }

    def remove(self, name: str) -> None:
        self.channels.pop(name)

    def close(self) -> None:
        self.is_closed = True
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        """Answer a request to the API with a status and JSON."""
        parts = [unquote(part) for part in urlsplit(path).path.split("/")[3:]]
        self.asked[path] += 1
        if parts == ["services"]:
            return 200, self.services
        if parts == ["who"]:
            return 200, {"required": False, "name": None, "role": "admin"}
        if parts == ["alarms"]:
            return 200, {"alarms": [], "unchecked": []}
        if parts == ["tags"]:
            self.tags += [body] if body else []
            return (201, body) if body else (200, {"tags": self.tags})
        if parts == ["ports", "available"]:
            return 200, {"available": [26007], "count": 1}
        if parts == ["channels"] and method == "POST":
            return self._register(body or {})
        if parts == ["status"]:
            return 200, self.status
        if parts == ["channels", "validate"]:
            return 200, {"valid": True, "missing": [], "problems": {}, "schema": None}
        for channel in self.channels.values():
            channel["stats"]["heartbeat"] = time.time_ns()
        if parts == ["channels"]:
            return 200, {"channels": [self.channels[name] for name in sorted(self.channels)]}
        if parts[0] == "channels" and parts[1] in self.channels:
            if method == "DELETE":
                self.remove(parts[1])
                return 200, {"status": "success", "name": parts[1]}
            if parts[2:] == ["schemas"] and "schemas" in self.channels[parts[1]]:
                versions = [*self.former.get(parts[1], []), self.schemas[parts[1]]]
                created_at = self.channels[parts[1]]["created_at"]
                return 200, {"schemas": [_listed(schema, created_at) for schema in versions]}
            if parts[2:] in ([], ["schema"]):
                return 200, self.schemas[parts[1]] if parts[2:] else self.channels[parts[1]]
        return 404, {"error": "Channel not found", "name": parts[-1]}

    def _register(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.posted.append(body)
        if self.refusal:
            return self.refusal
        self.add(body["name"], EXAMPLE, ("239.255.9.9", 5999), port=body["port"])
        return 201, {"status": "success", "name": body["name"], "port": body["port"], "pid": 1}


def _listed(schema: dict[str, Any], created_at: str) -> dict[str, Any]:
    """A version of a schema as the API lists it, without what the live server does not look at."""
    time_unit = Schema.parse(schema, timed=False).time_unit
    return {"schema": schema, "time_unit": time_unit, "created_at": created_at}


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith("/api/"):
                self.reply_json(*registry.answer("GET", self.path, None))
            else:
                self.reply_file(urlsplit(self.path).path)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply_json(*registry.answer("POST", self.path, body))

        def do_DELETE(self) -> None:
            self.reply_json(*registry.answer("DELETE", self.path, None))

        def reply_json(self, status: int, content: Any) -> None:
            self.reply(status, "application/json", json.dumps(content).encode())

        def reply_file(self, path: str) -> None:
            path = "/static/pages/index.html" if path == "/" else path
            for prefix, folder in registry.folders.items():
                file = folder / path.removeprefix(prefix)
                if path.startswith(prefix) and file.is_file():
                    self.reply(200, TYPES.get(file.suffix, "application/octet-stream"), file.read_bytes())
                    return
            self.reply(404, "text/plain", b"not found")

        def reply(self, status: int, kind: str, body: bytes) -> None:
            if registry.is_closed:  # connections that are kept alive outlive the listening socket
                self.close_connection = True
                return
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", CSP)
                if self.path.startswith("/static/stripchart/"):
                    self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class LiveProcess:
    """The live server as a process."""

    def __init__(self, registry: str, *more: str, port: int = 0) -> None:
        command = [sys.executable, "-P", "-m", "speeddata.stripchart", "--registry", registry]
        self.process = subprocess.Popen(
            [*command, "--port", str(port), "--interface", "127.0.0.1", *more],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line)
            self._queue.put(line)

    def port(self) -> int:
        """Wait for the port that it listens on."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            line = self._queue.get(timeout=max(0.01, deadline - time.monotonic()))
            found = re.search(r"listening on ws://\S+:(\d+)", line)
            if found:
                return int(found[1])

    def stop(self) -> int:
        """End it as an operator would; give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stderr:
                self.process.stderr.close()


@contextlib.contextmanager
def running(registry: Registry, *more: str, port: int = 0) -> Iterator[tuple[LiveProcess, int]]:
    """Run a live server beside a registry, which then tells its port."""
    process = LiveProcess(registry.url, *more, port=port)
    try:
        port = process.port()
        registry.services["websocket"] = {"host": "127.0.0.1", "port": port}
        yield process, port
    finally:
        process.stop()
