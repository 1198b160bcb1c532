"""Gives records to the history service, and waits until it says that they are durable."""

import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from speeddata.credentials import headers
from speeddata.errors import SpeedDataError
from speeddata.server_options import token_hint

__all__ = ["Answer", "HttpSender", "SendError"]

TIMEOUT_S = 120.0
AGAIN = (408, 425, 429, 500, 502, 503, 504)  # after which the same may be sent again
WAIT_S = (0.2, 5.0)  # before the next attempt: at first, at most
Connection = http.client.HTTPConnection | http.client.HTTPSConnection


class SendError(SpeedDataError):
    """Records were refused, or could not be brought to the service at all."""


@dataclass(frozen=True)
class Answer:
    """What the service said of a batch that it has."""

    records: int
    repeated: bool


class HttpSender:
    """Sends bodies of Avro records by HTTP; for several threads, each of which has a connection of its own.

    A batch is sent under a key, so that after a lost connection the same is sent again without being there twice. That
    goes on until nothing has worked for `patience_s`.
    """

    def __init__(self, address: str, patience_s: float = 60.0) -> None:
        split = urlsplit(address if "//" in address else f"http://{address}")
        if split.scheme not in ("http", "https") or not split.hostname:
            raise SendError(
                f"{address!r} is no address of a service, wanted one such as http://127.0.0.1:8000"
            )
        self.address = f"{split.scheme}://{split.netloc}"
        self.patience_s = patience_s
        self._kind: type[Connection] = (
            http.client.HTTPSConnection if split.scheme == "https" else http.client.HTTPConnection
        )
        self._place = split.netloc
        self._path = f"{split.path.rstrip('/').removesuffix('/api/v1')}/api/v1/ingest"
        self._local = threading.local()
        self._open: list[Connection] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def append(self, channel: str, key: str, body: bytes, durability: str = "block") -> Answer:
        """Send records; returns when they are as durable as asked. SendError."""
        query = urlencode(
            {"channel": channel, "key": key, "durability": durability, "live": "false"}, quote_via=quote
        )
        deadline = time.monotonic() + self.patience_s
        wait_s = WAIT_S[0]
        while True:
            try:
                status, after_s, told = self._ask(f"{self._path}?{query}", body)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                status, after_s, told = 0, 0.0, {"error": f"{self.address} does not answer: {error}"}
            if status == 200:
                return Answer(int(told.get("ingested", told.get("records", 0))), bool(told.get("repeated")))
            if status not in AGAIN and status != 0:
                raise SendError(_words(channel, status, told))
            if time.monotonic() > deadline:
                raise SendError(f"{told.get('error', status)}; tried for {self.patience_s:g} s")
            if self._stopped.wait(max(after_s, wait_s)):
                raise SendError("stopped")
            wait_s = min(2 * wait_s, WAIT_S[1])

    def seal(self, channel: str) -> bool:
        """Have the segment ended that a channel's records went into; False where that cannot be: then it ends some time."""
        try:
            status, _, _ = self._ask(
                f"{self._path}/seal?{urlencode({'channel': channel}, quote_via=quote)}", b""
            )
        except (OSError, http.client.HTTPException):
            self._drop()
            return False
        return status == 200

    def stop(self) -> None:
        """End waiting attempts."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of the connections."""
        self.stop()
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _ask(self, path: str, body: bytes) -> tuple[int, float, dict[str, Any]]:
        """Status, seconds to wait, and what is said."""
        connection = self._connection()
        told = {"Content-Type": "avro/binary", "Accept": "application/json", **headers()}
        connection.request("POST", path, body, told)
        with connection.getresponse() as response:
            data = response.read()
            after = response.getheader("Retry-After", "0")
            closed = response.will_close
        if closed:
            self._drop()
        try:
            said = json.loads(data)
        except ValueError:
            said = {}
        return (
            response.status,
            float(after) if after.isdigit() else 0.0,
            said if isinstance(said, dict) else {},
        )

    def _connection(self) -> Connection:
        made: Connection | None = getattr(self._local, "connection", None)
        if made is None:
            made = self._kind(self._place, timeout=TIMEOUT_S)
            made.connect()
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._local.connection = made
            with self._lock:
                self._open.append(made)
        return made

    def _drop(self) -> None:
        made: Connection | None = getattr(self._local, "connection", None)
        if made is not None:
            made.close()
            self._local.connection = None
            with self._lock:
                if made in self._open:
                    self._open.remove(made)


def _words(channel: str, status: int, told: dict[str, Any]) -> str:
    reason = told.get("error") or told.get("detail") or "no reason given"
    errors = told.get("errors")
    first = f": {json.dumps(errors[0])}" if isinstance(errors, list) and errors else ""
    return f"channel {channel!r} was refused ({status}): {reason}{first}{token_hint(status)}"
