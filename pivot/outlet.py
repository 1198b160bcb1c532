"""How an answer that comes in pieces is sent: its client may leave meanwhile, or take nothing."""

import asyncio

from starlette.types import Receive, Send

__all__ = ["PIECE", "Outlet"]

PIECE = 1 << 16  # bytes sent at a time


class Outlet:
    """The way to the client of one answer, closed at its end. To one that has `gone` no more is sent."""

    def __init__(self, receive: Receive, send: Send, stall_s: float) -> None:
        self._send, self._stall_s = send, stall_s
        self.gone = asyncio.ensure_future(_disconnect(receive))

    def close(self) -> None:
        """Look no more whether the client is there."""
        self.gone.cancel()

    async def pass_on(self, data: bytes, *, last: bool = False) -> None:
        """Send some of the body; TimeoutError where the client does not take a piece of it within `stall_s`."""
        for at in range(0, len(data) or last, PIECE):
            await self._piece(data[at : at + PIECE], more=not last or at + PIECE < len(data))

    async def finish(self, data: bytes = b"") -> None:
        """Send the rest of the body, and tell that it is whole; else the server closes the connection, and the client sees it break off."""
        await self.pass_on(data, last=True)

    async def _piece(self, piece: bytes, more: bool) -> None:
        if not self.gone.done():
            async with asyncio.timeout(self._stall_s):
                await self._send({"type": "http.response.body", "body": piece, "more_body": more})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
