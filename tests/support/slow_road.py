"""A road between a page and the live server that can be made slow: what it does not take waits in the server's socket."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Self

from beside import beside

_STEP_S = 0.02
_BUFFER = 4096


class SlowRoad:
    """Passes TCP connections on to a port of 127.0.0.1."""

    def __init__(self, target: int) -> None:
        self.target = target
        # Bytes a second that pass towards the page; None: as many as come.
        self.rate: float | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]

    @contextlib.contextmanager
    def open(self) -> Iterator[Self]:
        """Pass on as long as the block lasts."""
        with contextlib.ExitStack() as roads, self._listener:

            def accept(stop: threading.Event) -> None:
                while not stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        page, _ = self._listener.accept()
                        roads.enter_context(beside(lambda ended, page=page: self._carry(page, ended)))

            with beside(accept):
                yield self

    def _carry(self, page: socket.socket, stop: threading.Event) -> None:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        server.connect(("127.0.0.1", self.target))
        allowed, at = 0.0, time.monotonic()
        with page, server, contextlib.suppress(ConnectionError):
            while not stop.is_set():
                now = time.monotonic()
                allowed = _BUFFER if self.rate is None else min(_BUFFER, allowed + self.rate * (now - at))
                at = now
                ready = select.select([page, server] if allowed >= 1 else [page], [], [], _STEP_S)[0]
                for source, sink in ((page, server), (server, page)):
                    if source not in ready:
                        continue
                    data = source.recv(int(allowed) if source is server else _BUFFER)
                    if not data:
                        return
                    sink.sendall(data)
                    allowed -= len(data) if source is server else 0
