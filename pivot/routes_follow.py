"""The route that follows channels: history, then what comes."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.follow_format import ARROW, LINES, form_of
from speeddata.pivot.follow_request import FollowRequest, read_request
from speeddata.pivot.follow_session import Session
from speeddata.pivot.follow_stream import FollowStream
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import Limits

__all__ = ["Followers", "add_follow_routes"]

THREADS = 4
RETRY_S = 5
ERROR: dict[str, Any] = {
    "content": {"application/json": {"schema": {"type": "object", "required": ["error"]}}}
}
STREAM: dict[str, Any] = {
    LINES: {"schema": {"type": "string"}},
    ARROW: {"schema": {"type": "string", "format": "binary"}},
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Records as they come, without end", "content": STREAM},
    400: {"description": "A parameter is missing or cannot be read", **ERROR},
    404: {"description": "There is no such channel or signal", **ERROR},
    413: {"description": "Too many channels", **ERROR},
    429: {"description": "Too many followers at once; Retry-After says when to try again", **ERROR},
    503: {"description": "The service is stopping", **ERROR},
}


class Followers:
    """Admits followers, and counts them."""

    def __init__(self, catalogue: Catalogue, limits: Limits) -> None:
        self._catalogue, self._limits = catalogue, limits
        self._stopping = False
        self._threads = ThreadPoolExecutor(THREADS, "follow")
        self._count = 0

    def close(self) -> None:
        """End all streams; those to come are refused."""
        self._stopping = True

    async def follow(self, params: dict[str, str | None], accept: str) -> Response:
        if self._stopping:
            raise Problem(503, "The service is stopping")
        request = read_request(params, self._limits, time.time_ns())
        most = self._limits.followers
        if self._count >= most:
            raise Problem(429, f"Too many followers at once ({most})", {"retry-after": str(RETRY_S)})
        self._count += 1
        try:
            session = await run_in_threadpool(self._begin, request)
        except BaseException:
            self._count -= 1
            raise
        media_type, form = form_of(accept)
        return FollowStream(
            session, media_type, form, self._threads, heartbeat_s=request.heartbeat_s, stall_s=self._limits.stall_s,
            stopping=lambda: self._stopping, done=self._leave,
        )  # fmt: skip

    def _begin(self, request: FollowRequest) -> Session:
        return Session(request, self._catalogue.find(request.channels))

    def _leave(self) -> None:
        self._count -= 1


def add_follow_routes(app: FastAPI, catalogue: Catalogue, limits: Limits) -> Followers:
    """Add the route; what is given ends its streams when it is closed."""
    followers = Followers(catalogue, limits)

    @app.get(
        "/api/v1/follow",
        summary="Records of some channels from a time on: the history in the order of time, then what comes",
        response_class=Response,
        responses=RESPONSES,
    )
    async def follow(
        channels: Annotated[
            str | None, Query(description="Names with commas between; not needed with resume")
        ] = None,
        signals: Annotated[
            str | None, Query(description="Names, or channel.name, with commas between; all without it")
        ] = None,
        start: Annotated[
            str | None, Query(description="ISO 8601; without it, and duration, only what comes from now on")
        ] = None,
        duration: Annotated[str | None, Query(description="ISO 8601: so much history before now")] = None,
        resume: Annotated[
            str | None, Query(description="The token told last: go on after what came with it")
        ] = None,
        heartbeat: Annotated[
            str | None, Query(description="Seconds of silence after which a line tells so; 5")
        ] = None,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        params = {
            "channels": channels, "signals": signals, "start": start, "duration": duration, "resume": resume,
            "heartbeat": heartbeat,
        }  # fmt: skip
        return await followers.follow(params, accept)

    return followers
