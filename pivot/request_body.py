"""The body of a request that is small: so many bytes, in so much time."""

import asyncio

from fastapi import Request

from speeddata.pivot.problem import Problem

__all__ = ["BODY_S", "MAX_BODY", "read_body"]

MAX_BODY = 1 << 20
BODY_S = 30.0


async def read_body(request: Request, largest: int = MAX_BODY) -> bytes:
    """The whole body, of at most `largest` bytes; Problem 413 where it has more, 408 where it does not come."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise Problem(413, f"The body is larger than {largest} bytes", limit=largest)
    except TimeoutError:
        raise Problem(408, f"The body did not come in {BODY_S:g} s", bytes=len(body)) from None
    return bytes(body)
