"""Answers requests on a Unix socket: a line of JSON, answered by a line of JSON, within a process's own event loop."""

import contextlib
import json
import logging
import select
import selectors
import socket
from collections.abc import Callable
from typing import Any

from speeddata.errors import SpeedDataError
from speeddata.relay.unix_socket import listen

__all__ = ["Answer", "RequestServer"]

log = logging.getLogger(__name__)

MAX_REQUEST = 1 << 20
ACCEPT_AGAIN_S = 0.5
BACKLOG = 64

Answer = dict[str, Any]


class RequestServer:
    """The clients of one socket. What is registered with `selector` is a function and its arguments.

    `handle` gets a client and its request, and gives the answer, or None where it will call `answer` later.
    """

    def __init__(
        self,
        folder: int,
        name: str,
        selector: selectors.BaseSelector,
        after: Callable[[float, Callable[[], None]], None],
        handle: Callable[[socket.socket, Answer], Answer | None],
    ) -> None:
        self.selector = selector
        self.after = after
        self.handle = handle
        self.listener = listen(folder, name, BACKLOG)
        self.listener.setblocking(False)
        self._listen()

    def answer(self, client: socket.socket, answer: Answer) -> None:
        """Answer a client that waits."""
        try:
            client.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            self._drop(client)

    def _listen(self) -> None:
        self.selector.register(self.listener, selectors.EVENT_READ, (self._accept, ()))

    def _accept(self) -> None:
        try:
            client, _ = self.listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            # Out of descriptors: who asks waits until some may be free.
            log.error("nobody can be answered just now: %s", error)
            self.selector.unregister(self.listener)
            self.after(ACCEPT_AGAIN_S, self._listen)
            return
        client.settimeout(1.0)
        self.selector.register(client, selectors.EVENT_READ, (self._read, (client, bytearray())))

    def _read(self, client: socket.socket, buffer: bytearray) -> None:
        try:
            data = client.recv(65536)
        except OSError:
            data = b""
        buffer += data
        if not data or len(buffer) > MAX_REQUEST:
            self._drop(client)
        elif buffer.endswith(b"\n"):
            request = bytes(buffer)
            buffer.clear()
            self._take(client, request)

    def _drop(self, client: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(client)
        client.close()

    def _take(self, client: socket.socket, line: bytes) -> None:
        """Answer one request, now or, where `None` comes back, when it is done.

        Who has hung up has given up: what they asked for must not be done behind their back.
        """
        if _hung_up(client):
            self._drop(client)
            return
        try:
            request = json.loads(line)
            request["op"]
        except (ValueError, KeyError, TypeError):
            self.answer(client, {"ok": False, "error": f"not a request: {line[:200]!r}"})
            return
        try:
            answer = self.handle(client, request)
        except (SpeedDataError, OSError, MemoryError) as error:
            answer = {"ok": False, "error": str(error) or "out of memory"}
        except Exception as error:
            log.exception("request %.200r", line)
            answer = {"ok": False, "error": f"not a request that can be answered: {error!r}"}
        if answer is not None:
            self.answer(client, {"ok": True, **answer})


def _hung_up(client: socket.socket) -> bool:
    poll = select.poll()
    poll.register(client, select.POLLRDHUP)
    return bool(poll.poll(0))
