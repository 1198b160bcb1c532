"""The answer that sends a finished export, or a part of it, and lets go of it whatever becomes of the client."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from speeddata.pivot.outlet import Outlet
from speeddata.pivot.problem import Problem

__all__ = ["Download", "Part", "wanted_part"]

CHUNK = 1 << 20  # bytes read at a time
RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """Bytes of a file that are sent: from `start` on, before `end`."""

    start: int
    end: int


def wanted_part(headers: Mapping[str, str], size: int, etag: str) -> Part | None:
    """The part of a file that a request's Range asks for; None: all of it.

    A Range that cannot be read counts as none, as several ranges do. A Problem 416 tells that there is no such part.
    """
    found = RANGE.fullmatch(headers.get("range", ""))
    condition = headers.get("if-range")
    if found is None or not (found[1] or found[2]) or (condition is not None and condition.strip() != etag):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2][:20])), size
    else:
        start, end = int(found[1][:20]), min(size, int(found[2][:20]) + 1) if found[2] else size
        if found[2] and int(found[2][:20]) < start:
            return None
    if start >= size or start >= end:
        headers_told = {"content-range": f"bytes */{size}"}
        raise Problem(416, "There is no such part of the file", headers_told, size=size)
    return Part(start, end)


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
        *,
        media_type: str | None = None,
        part: Part | None = None,
        body: bool = True,
    ) -> None:
        self._left = part.end - part.start if part else size
        told = {
            "content-disposition": f'attachment; filename="{name}"',
            "content-length": str(self._left),
            **(headers or {}),
        }
        if part is not None:
            told["content-range"] = f"bytes {part.start}-{part.end - 1}/{size}"
        super().__init__(status_code=206 if part else 200, headers=told, media_type=media_type)
        if part is not None:
            file.seek(part.start)
        self._file = file
        self._done = done
        self._stall_s = stall_s
        self._body = body  # False: the headers alone, as HEAD asks for

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        outlet = Outlet(receive, send, self._stall_s)
        try:
            start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(start)
            while self._body and not outlet.gone.done():
                chunk = await asyncio.to_thread(self._file.read, min(CHUNK, self._left))
                if not chunk:
                    break
                self._left -= len(chunk)
                await outlet.pass_on(chunk)
            await outlet.finish()
        except TimeoutError:  # ending without the last message makes the server close the connection
            pass
        finally:
            outlet.close()
            self._file.close()
            self._done()
