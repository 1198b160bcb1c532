"""A client's connection: the head of each request must come in time and be short, and there may be only so many connections.

uvicorn itself waits for ever for a head that comes a byte at a time, keeps one of any size, and takes any number of connections.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD_BYTES", "HEAD_S", "MOST", "Connection"]

HEAD_S = 15.0  # for the head of a request, from the connection or its first byte on
HEAD_BYTES = 32 << 10  # of the head of a request, beside the piece that it begins in
MOST = 2000  # connections at a time
TOO_SLOW = (408, b"Request Timeout", b'{"error":"The head of the request did not come in time"}', b"")
TOO_LARGE = (
    431,
    b"Request Header Fields Too Large",
    b'{"error":"The head of the request is too large"}',
    b"",
)
TOO_MANY = (503, b"Service Unavailable", b'{"error":"Too many connections"}', b"retry-after: 2\r\n")


class Connection(HttpToolsProtocol):
    """uvicorn's connection with these limits."""

    _head_due: asyncio.TimerHandle | None = None
    _has_begun = False  # something has come of the request
    _head_bytes: int | None = None  # so many have come of a head that has not ended; None: no head has begun

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
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes is not None and self._head_bytes > HEAD_BYTES:
            self._head_bytes = None
            self._refuse(*TOO_LARGE)

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_bytes = None
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
