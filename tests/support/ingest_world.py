"""What ingest talks to, in this process: a registry of channels without a port, and a shared relay that can be told to fail."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from stub_server import StubServer

from speeddata.errors import RecordError, SchemaError
from speeddata.plan import Plan
from speeddata.schema import Schema

SPEED = {
    "type": "record",
    "name": "speed",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "speed", "type": "double"},
        {"name": "gear", "type": ["null", "int"]},
        {"name": "note", "type": "string", "default": "-"},
    ],
}


class Store:
    """A shared relay that keeps what it is given in memory; `faults` are answered before anything else, one a request."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plans: dict[str, dict[str, Plan]] = {}
        self.batches: list[list[tuple[str, bytes, int]]] = []
        self.heads: list[dict[str, Any]] = []
        self.keys: dict[str, tuple[str, int]] = {}
        self.faults: list[
            dict[str, Any] | str
        ] = []  # "drop": do it, and end the connection without an answer
        self.connected = 0
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self._clients: list[socket.socket] = []

    def records(self, channel: str) -> bytes:
        return b"".join(data for batch in self.batches for name, data, _ in batch if name == channel)

    def count(self) -> int:
        return sum(count for batch in self.batches for _, _, count in batch)

    def forget(self) -> None:
        self.plans.clear()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connected += 1
            self._clients.append(client)
            thread = threading.Thread(target=self._serve, args=[client], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, client.makefile("rb") as stream:
            while len(lengths := stream.read(8)) == 8:
                head, body = struct.unpack("<II", lengths)
                request = json.loads(stream.read(head))
                data = stream.read(body)
                with self._lock:
                    fault = self.faults.pop(0) if self.faults else None
                    answer = fault if isinstance(fault, dict) else self._answer(request, data)
                if fault == "drop":
                    return
                packed = json.dumps(answer).encode()
                with contextlib.suppress(OSError):
                    client.sendall(struct.pack("<I", len(packed)) + packed)

    def _answer(self, head: dict[str, Any], data: bytes) -> dict[str, Any]:
        self.heads.append(head)
        if head["op"] == "open":
            for spec in head.get("specs") or [head["spec"]]:
                plan = Plan(Schema.parse(spec["schema"], time_unit=spec.get("time_unit")))
                self.plans.setdefault(spec["name"], {})[plan.schema.fingerprint.hex()] = plan
            return {"ok": True}
        if head["op"] == "append":
            return self._append(head, data)
        return {"ok": True, "segments": []}

    def _append(self, head: dict[str, Any], data: bytes) -> dict[str, Any]:
        key, told = head["key"], sha256(json.dumps(head["parts"]).encode() + data).hexdigest()
        if key in self.keys:
            known, count = self.keys[key]
            if known != told:
                return {"ok": False, "status": 409, "error": "this key was used for another batch"}
            return {"ok": True, "records": count, "repeated": True}
        unknown = [p["channel"] for p in head["parts"] if p["schema"] not in self.plans.get(p["channel"], {})]
        if unknown:
            return {"ok": False, "status": 404, "error": "no such channel", "unknown": unknown}
        batch, at = [], 0
        for part in head["parts"]:
            piece = data[at : at + part["bytes"]]
            at += part["bytes"]
            try:
                count = self.plans[part["channel"]][part["schema"]].packet(piece)
            except RecordError as error:
                about = {"channel": part["channel"], "row": 0, "reason": error.reason}
                return {"ok": False, "status": 400, "error": "not a record", **about}
            assert count == part["records"]
            batch.append((part["channel"], piece, count))
        self.batches.append(batch)
        count = sum(part["records"] for part in head["parts"])
        if key is not None:
            self.keys[key] = told, count
        return {"ok": True, "records": count, "repeated": False}


class Registry:
    """Channels by name, as the registration API tells them."""

    def __init__(self) -> None:
        self.specs: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.named: list[str] = []  # channels whose specs were asked for
        self.about: dict[
            str, Any
        ] = {}  # what all specs have beside name and schema; `archive` is the folder above
        registry = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = (
                1 << 16
            )  # head and body in one piece, else the client's kernel waits before it acknowledges

            def do_GET(self) -> None:
                self._send(*registry.get(self.path))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self._send(*registry.post(self.path, body))

            def _send(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = StubServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(self, name: str, schema: dict[str, Any], **more: Any) -> None:
        about = {**self.about, "archive": str(self.about["archive"] / name)} if self.about else {}
        self.specs[name] = {"name": name, "port": None, "schema": schema, "time_unit": None, **about, **more}

    def get(self, path: str) -> tuple[int, Any]:
        self.asked.append(path)
        last = unquote(path.rpartition("/")[2])
        if path == "/api/v1/channels":
            return 200, {"channels": [{"name": name} for name in self.specs]}
        spec = self.specs.get(last)
        if spec is None:
            return 404, {"error": "Channel not found"}
        return 200, spec

    def _told(self, spec: dict[str, Any] | None) -> dict[str, Any] | None:
        """What a relay is to know of a channel, and no more."""
        return spec and {key: value for key, value in spec.items() if key != "config"}

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(path)
        if path.endswith("/specs"):
            self.named += body["names"]
            return 200, {"specs": [self._told(self.specs.get(name)) for name in body["names"]]}
        done: dict[str, list[Any]] = {"created": [], "present": [], "refused": []}
        for channel in body["channels"]:
            name, config = channel["name"], channel.get("config", {})
            try:
                Schema.parse(channel["schema"])
            except SchemaError as error:
                done["refused"].append({"name": name, "error": str(error)})
                continue
            if name in self.specs:
                same = self.specs[name]["schema"] == channel["schema"]
                done["present"].append(name) if same else done["refused"].append(
                    {"name": name, "error": "exists"}
                )
                continue
            self.add(name, channel["schema"], config=config, time_unit=config.get("time_unit"))
            done["created"].append(name)
        return 200, done


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    """A registry that answers."""
    made = Registry()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


@contextlib.contextmanager
def store(folder: Path) -> Iterator[Store]:
    """A shared relay that answers."""
    made = Store(folder / "ingest.sock")
    try:
        yield made
    finally:
        made.close()
