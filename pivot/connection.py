"""A client's connection: the head of each request must come in time, and there may be only so many connections.

uvicorn itself waits for ever for a head that comes a byte at a time, and takes any number of connections.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD_S", "MOST", "Connection"]

HEAD_S = 15.0  # for the head of a request, from the connection or its first byte on
MOST = 2000  # connections at a time
TOO_SLOW = (408, b"Request Timeout", b'{"error":"The head of the request did not come in time"}', b"")
TOO_MANY = (503, b"Service Unavailable", b'{"error":"Too many connections"}', b"retry-after: 2\r\n")


class Connection(HttpToolsProtocol):
    """uvicorn's connection with these two limits."""

    _head_due: asyncio.TimerHandle | None = None
    _has_begun = False  # something has come of the request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST:
            self._refuse(*TOO_MANY)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_due is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()
        self._has_begun = True
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._has_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_S, self._give_up)

    def _has_head(self) -> None:
        self._has_begun = False
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        if self._has_begun:
            self._refuse(*TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, status: int, reason: bytes, body: bytes, more: bytes) -> None:
        head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%sconnection: close\r\n\r\n"
        self.transport.write(head % (status, reason, len(body), more) + body)
        self.transport.close()
