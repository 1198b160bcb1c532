"""The answer that sends a finished export, and lets go of it whatever becomes of the client."""

import asyncio
from collections.abc import Callable
from typing import BinaryIO

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["Download"]

CHUNK = 1 << 20  # bytes read at a time
PIECE = 1 << 16  # bytes sent at a time


class Download(Response):
    """Streams a file, then closes it and calls `done`; a client that does not take a piece in `stall_s` is left."""

    media_type = "application/x-hdf5"

    def __init__(
        self,
        file: BinaryIO,
        size: int,
        name: str,
        done: Callable[[], None],
        stall_s: float,
        headers: dict[str, str] | None = None,
    ) -> None:
        told = {
            "content-disposition": f'attachment; filename="{name}"',
            "content-length": str(size),
            **(headers or {}),
        }
        super().__init__(headers=told)
        self._file = file
        self._done = done
        self._stall_s = stall_s

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while chunk := await asyncio.to_thread(self._file.read, CHUNK):
                for at in range(0, len(chunk), PIECE):
                    if gone.done():
                        return
                    await self._pass_on(send, chunk[at : at + PIECE], more=True)
            await self._pass_on(send, b"", more=False)
        except TimeoutError:  # ending without the last message makes the server close the connection
            pass
        finally:
            gone.cancel()
            self._file.close()
            self._done()

    async def _pass_on(self, send: Send, piece: bytes, more: bool) -> None:
        async with asyncio.timeout(self._stall_s):
            await send({"type": "http.response.body", "body": piece, "more_body": more})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
