"""The answer that sends a finished export, and lets go of it whatever becomes of the client."""

import asyncio
from collections.abc import Callable
from typing import BinaryIO

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["Download"]

CHUNK = 1 << 20  # bytes sent at a time


class Download(Response):
    """Streams a file, then closes it and calls `done`; a client that takes nothing for `stall_s` is left."""

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
            while not gone.done():
                chunk = await asyncio.to_thread(self._file.read, CHUNK)
                message = {"type": "http.response.body", "body": chunk, "more_body": bool(chunk)}
                await asyncio.wait_for(send(message), self._stall_s)
                if not chunk:
                    break
        except TimeoutError:  # ending without the last message makes the server close the connection
            pass
        finally:
            gone.cancel()
            self._file.close()
            self._done()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
