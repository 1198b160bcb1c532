"""Following channels of a history service: their history from a time on, then what comes, each record once.

The service tells with each batch a token of where the follower is. A connection that breaks is made anew with the last
token that was handed on, so nothing is lost and nothing comes twice, also when the service is started anew meanwhile.
"""

import asyncio
import http.client
import json
import random
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import pyarrow as pa

from speeddata import credentials
from speeddata.channel import Channel
from speeddata.remote_error import RemoteError

__all__ = ["Batch", "follow"]

ARROW = "application/vnd.apache.arrow.stream"
SILENCE = 4  # heartbeats that may be missing before a connection counts as broken
LONGEST_WAIT_S = 10.0
BUSY = (429, 502, 503, 504)
BROKEN = (OSError, http.client.HTTPException, pa.ArrowInvalid, EOFError)


@dataclass(frozen=True)
class Batch:
    """Records of one channel, as they come."""

    # The records, in the order of time while `live` is False, in that of their arrival after. None: there are only notices.
    data: Channel | None
    # Whether the history has been given.
    live: bool
    # What `follow(resume=...)` takes to go on after this batch, in another process too.
    resume: str
    # What could not be given: dicts of `channel` and `damage` (as `Channel.damage` has it), `gone` (segments that were
    # deleted before they had been given to their end, maybe), or `cut` (a number of records that were given and are not in
    # the archive any more: the host lost power before they were on its disk).
    notices: list[dict[str, Any]] = field(default_factory=list)

    @property
    def channel(self) -> str:
        """The name of the channel; empty where there are only notices."""
        return "" if self.data is None else self.data.name

    def __len__(self) -> int:
        return 0 if self.data is None else len(self.data)


async def follow(
    history: str,
    channels: Iterable[str] = (),
    *,
    signals: Iterable[str] = (),
    start: str | None = None,
    duration: str | None = None,
    resume: str | None = None,
    heartbeat_s: float = 5.0,
    timeout_s: float = 10.0,
    headers: Mapping[str, str] | None = None,
    retry: bool = True,
    heartbeats: bool = False,
) -> AsyncIterator[Batch]:
    """See `Client.follow`."""
    query: dict[str, str] = {"heartbeat": f"{heartbeat_s:g}"}
    for name, value in (("channels", ",".join(channels)), ("signals", ",".join(signals)), ("start", start),
                        ("duration", duration), ("resume", resume)):  # fmt: skip
        if value:
            query[name] = value
    wait_s, connected = 0.1, False
    thread = ThreadPoolExecutor(1, "speeddata-follow")
    loop = asyncio.get_running_loop()
    try:
        while True:
            connection = _Connection(history, query, headers or {}, timeout_s, heartbeat_s * SILENCE)
            try:
                await loop.run_in_executor(thread, connection.open)
                connected = True
                while True:
                    batch = await loop.run_in_executor(thread, connection.read)
                    query = {key: query[key] for key in query if key not in ("start", "duration")}
                    query["resume"], wait_s = batch.resume, 0.1
                    if heartbeats or batch.data is not None or batch.notices:
                        yield batch
            except RemoteError as error:
                if not retry or error.status not in BUSY:
                    raise
            except BROKEN:
                if not retry or not connected:
                    raise
            finally:
                connection.close()
            await asyncio.sleep(wait_s * (1 + random.random()))
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)
    finally:
        thread.shutdown(wait=False, cancel_futures=True)


class _Connection:
    """One answer of the service, read in a thread; `close` from another one ends what blocks."""

    def __init__(
        self,
        history: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        timeout_s: float,
        silence_s: float,
    ) -> None:
        parts = urlsplit(history)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"wanted an address such as http://localhost:8000, not {history!r}")
        self._path = f"{parts.path.rstrip('/')}/api/v1/follow?{urlencode(query)}"
        self._headers = {"Accept": ARROW, **credentials.headers(), **headers}
        self._silence_s = max(silence_s, 1.0)
        self._http = (
            http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=timeout_s, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
        )
        self._socket: socket.socket | None = None
        self._file: Any = None

    def open(self) -> None:
        """Ask; RemoteError with the words of the service where it refuses."""
        self._http.connect()
        self._socket = self._http.sock
        self._http.request("GET", self._path, headers=self._headers)
        answer = self._http.getresponse()
        if answer.status != 200:
            raise RemoteError.of(answer.status, answer.read(1 << 20), self._path.partition("?")[0])
        self._socket.settimeout(self._silence_s)
        self._file = pa.PythonFile(answer, "r")

    def read(self) -> Batch:
        """The next message, a whole Arrow stream."""
        with pa.ipc.open_stream(self._file) as stream:
            table = stream.read_all()
        about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        data = Channel.from_arrow(table) if table.num_columns else None
        return Batch(data, about["live"] == "true", about["resume"], json.loads(about.get("notices", "[]")))

    def close(self) -> None:
        """End it, whatever it waits for."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._http.close()
