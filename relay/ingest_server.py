"""The shared relay's socket: connections, their requests one at a time, and the loop that everything happens in.

Requests that came together are done together, and their batches committed together, before any of them is answered. What
connections may hold in memory is bounded: who comes beyond it is told to come again.
"""

import contextlib
import logging
import os
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from speeddata.heartbeat import BEAT_S, Heartbeat
from speeddata.relay.ingest_protocol import (
    MAX_BODY,
    MAX_HEAD,
    REQUEST,
    SOCKET,
    Refusal,
    pack_answer,
    read_head,
)
from speeddata.relay.ingest_store import IngestStore
from speeddata.relay.unix_socket import listen

__all__ = ["IngestServer"]

log = logging.getLogger(__name__)

BACKLOG = 128
MAX_CONNECTIONS = 512
MAX_QUEUED = 256 << 20  # bytes of requests in memory, of all connections
SMALL = 64 << 10  # bytes that a connection always has
LARGE = 1 << 20  # more than this is given back when nothing has come for a while
IDLE_S = 5.0
RETRY_AFTER_S = 1
LISTENING = "listening"


class Connection:
    """A client: the request that comes, the answer that goes."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.buffer = bytearray(SMALL)
        self.have = 0  # bytes that have come
        self.need = REQUEST.size  # bytes that the request has, as far as is known
        self.sized = False  # both lengths are known
        self.drop = 0  # bytes still to come of a request that is not taken
        self.out = b""
        self.touched = time.monotonic()
        # The request is at work: no other is read until it is answered.
        self.busy = False
        self.closing = False

    def reset(self) -> None:
        """Make ready for the next request."""
        self.have, self.need, self.sized, self.busy = 0, REQUEST.size, False, False


class IngestServer:
    """Serves one store."""

    def __init__(self, store: IngestStore, run_folder: int, max_queued: int = MAX_QUEUED) -> None:
        self.store = store
        self.run_folder = run_folder
        self.max_queued = max_queued
        self.queued = 0
        self.too_many = 0  # requests that were put off
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.connections: set[Connection] = set()
        self.listener = listen(run_folder, SOCKET, BACKLOG)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, LISTENING)
        self.selector.register(store.segments.flusher.fd, selectors.EVENT_READ)
        store.about_server = self.about

    def about(self) -> dict[str, int]:
        """Connections, bytes of memory that they have, requests that were put off."""
        return {"connections": len(self.connections), "queued_bytes": self.queued, "put_off": self.too_many}

    def watch(self, fd: int, action: Callable[[], None]) -> None:
        """Call `action` whenever `fd` is readable."""
        self.selector.register(fd, selectors.EVENT_READ, action)

    def run(self) -> None:
        """Serve until `stopping`; requests that have come by then are answered."""
        limit, heartbeat = 0.0, Heartbeat()
        while not self.stopping:
            self._turn(limit)
            limit = min(self.store.tick(), BEAT_S)
            heartbeat.beat()
            self._give_back()

    def close(self) -> None:
        """Answer nobody any more."""
        self.listener.close()
        with contextlib.suppress(OSError):
            os.unlink(SOCKET, dir_fd=self.run_folder)
        for connection in list(self.connections):
            self._end(connection)
        self.selector.close()

    def _turn(self, limit: float) -> None:
        ready = []
        for key, events in self.selector.select(limit):
            if isinstance(key.data, Connection):
                if events & selectors.EVENT_WRITE:
                    self._send(key.data)
                elif self._read(key.data):
                    ready.append(key.data)
            elif key.data is LISTENING:
                self._accept()
            elif key.data is not None:
                key.data()
        for connection in ready:
            self._take(connection)
        self.store.commit()

    def _accept(self) -> None:
        try:
            client, _ = self.listener.accept()
        except OSError as error:
            log.error("nobody can be answered just now: %s", error)
            return
        client.setblocking(False)
        if len(self.connections) >= MAX_CONNECTIONS:
            self.too_many += 1
            with contextlib.suppress(OSError):
                client.send(pack_answer(_put_off("too many connections")))
            client.close()
            return
        connection = Connection(client)
        self.connections.add(connection)
        self.queued += len(connection.buffer)
        self.selector.register(client, selectors.EVENT_READ, connection)

    def _read(self, connection: Connection) -> bool:
        """Take what has come; whether the request is whole."""
        try:
            if connection.busy:  # it has hung up, or does not wait for its answer
                self._end(connection)
                return False
            if connection.drop:
                return self._drop(connection)
            view = memoryview(connection.buffer)
            got = connection.socket.recv_into(view[connection.have :])
        except BlockingIOError:
            return False
        except OSError:
            got = 0
        if got == 0:
            self._end(connection)
            return False
        connection.touched = time.monotonic()
        connection.have += got
        if not connection.sized and connection.have >= REQUEST.size:
            self._size(connection)
        return connection.sized and not connection.drop and connection.have >= connection.need

    def _size(self, connection: Connection) -> None:
        """Both lengths are known: see that there is room."""
        head, body = REQUEST.unpack_from(connection.buffer)
        connection.need, connection.sized = REQUEST.size + head + body, True
        more = connection.need - len(connection.buffer)
        if head > MAX_HEAD or body > MAX_BODY:
            self._refuse(
                connection, Refusal(413, "too large", wanted=f"a body of at most {MAX_BODY} bytes").body
            )
            connection.closing = True
        elif more > 0 and self.queued + more > self.max_queued:
            self.too_many += 1
            self._refuse(connection, _put_off("too much is under way"))
        elif more > 0:
            self.queued += more
            grown = bytearray(connection.need)
            grown[: connection.have] = memoryview(connection.buffer)[: connection.have]
            connection.buffer = grown

    def _refuse(self, connection: Connection, answer: dict[str, Any]) -> None:
        """Answer without taking the request, of which the rest is still to come."""
        connection.drop = connection.need - connection.have
        connection.out = pack_answer(answer)
        if not connection.drop:
            self._answered(connection)

    def _drop(self, connection: Connection) -> bool:
        got = connection.socket.recv_into(connection.buffer, min(connection.drop, len(connection.buffer)))
        if got == 0:
            self._end(connection)
            return False
        connection.drop -= got
        if not connection.drop:
            self._answered(connection)
        return False

    def _take(self, connection: Connection) -> None:
        """Do what a whole request asks for."""
        head_bytes, _ = REQUEST.unpack_from(connection.buffer)
        view = memoryview(connection.buffer)
        start = REQUEST.size + head_bytes
        connection.busy = True

        def reply(answer: dict[str, Any]) -> None:
            connection.out = pack_answer(answer)
            self._answered(connection)

        if connection.have > connection.need:
            connection.closing = True
            reply(Refusal(400, "one request at a time").body)
            return
        try:
            head = read_head(bytes(view[REQUEST.size : start]))
        except Refusal as refusal:
            connection.closing = True
            reply(refusal.body)
            return
        try:
            self.store.handle(head, view[start : connection.need], reply)
        except Exception as error:
            log.exception("request %.200r", head)
            reply(Refusal(500, "not a request that can be answered", reason=repr(error)).body)

    def _answered(self, connection: Connection) -> None:
        """Send what is to be sent; the next request may come after it."""
        connection.reset()
        if connection in self.connections:
            self._send(connection)

    def _send(self, connection: Connection) -> None:
        try:
            sent = connection.socket.send(connection.out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end(connection)
            return
        connection.out = connection.out[sent:]
        if connection.out:
            self.selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
        elif connection.closing:
            self._end(connection)
        else:
            self.selector.modify(connection.socket, selectors.EVENT_READ, connection)

    def _give_back(self) -> None:
        """Have connections that are idle give back large buffers."""
        limit = time.monotonic() - IDLE_S
        for connection in self.connections:
            if len(connection.buffer) > LARGE and not connection.have and connection.touched < limit:
                self.queued -= len(connection.buffer) - SMALL
                connection.buffer = bytearray(SMALL)

    def _end(self, connection: Connection) -> None:
        if connection not in self.connections:
            return
        self.connections.discard(connection)
        self.queued -= len(connection.buffer)
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(connection.socket)
        connection.socket.close()


def _put_off(error: str) -> dict[str, Any]:
    return Refusal(429, error, retry_after=RETRY_AFTER_S).body
