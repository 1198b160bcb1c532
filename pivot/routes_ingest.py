"""POST /api/v1/ingest, and /api/v1/ingest/seal at the end of a load.

The handler of the first speaks ASGI itself: what FastAPI does for a request takes longer than ingesting a batch.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from speeddata.pivot.body_arrow import read_arrow
from speeddata.pivot.body_avro import read_avro
from speeddata.pivot.body_csv import read_csv
from speeddata.pivot.body_json import read_json
from speeddata.pivot.ingest import INLINE, Ingest
from speeddata.pivot.ingest_batch import Batch, Part
from speeddata.pivot.ingest_body import (
    BodyLimits,
    ClientGone,
    Gate,
    Incoming,
    receive_body,
    unpack_body,
)
from speeddata.pivot.ingest_docs import OPERATION, RESPONSES, SEAL_OPERATION, SEAL_RESPONSES
from speeddata.pivot.ingest_options import Options, read_key, read_options, read_type
from speeddata.pivot.problem import Problem, unknown
from speeddata.pivot.request import read_url_params

__all__ = ["IngestRoute", "add_ingest_routes"]

PATH = "/api/v1/ingest"
MADE = {"live": True}  # the config of channels that this route makes
DRAIN_S = 0.2  # for how long what a client still sends is awaited before it is answered
WANTED = (b"content-type", b"content-encoding", b"content-length", b"idempotency-key")


def add_ingest_routes(app: FastAPI, ingest: Ingest, limits: BodyLimits | None = None) -> None:
    """Add the routes; `ingest` is closed by who made it."""
    handler = IngestRoute(ingest, limits or BodyLimits())

    class Route(APIRoute):
        """Known to the OpenAPI document, and nothing between the router and the handler."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.app = handler

    async def described(_: Request) -> None:
        raise AssertionError("the handler stands in the place of this")

    app.router.add_api_route(
        PATH,
        described,
        methods=["POST"],
        summary="Ingest records of channels",
        response_model=None,
        responses=RESPONSES,
        openapi_extra=OPERATION,
        route_class_override=Route,
    )

    @app.post(
        f"{PATH}/seal", summary="End the segment that a channel's batches go into, after a bulk load",
        response_model=None, responses=SEAL_RESPONSES, openapi_extra=SEAL_OPERATION,
    )  # fmt: skip
    async def seal(request: Request) -> dict[str, Any]:
        params = read_url_params(request.query_params.multi_items(), (), _of_seal)
        channel = params.get("channel", "")
        return {"channel": channel, "segments": await ingest.seal(channel)}


def _of_seal(name: str, value: str) -> str:
    if name != "channel":
        raise unknown(name, value, ["channel"])
    return name


class IngestRoute:
    """Takes a request from its first byte to its answer."""

    def __init__(self, ingest: Ingest, limits: BodyLimits) -> None:
        self.ingest = ingest
        self.limits = limits
        self.gate = Gate(limits)
        self._threads = ThreadPoolExecutor(2, "unpack")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held = 0
        incoming = Incoming(receive)

        def hold(count: int) -> None:
            nonlocal held
            self.gate.hold(count)
            held += count

        try:
            self.gate.enter()
        except Problem as problem:
            return await self._refuse(problem, incoming, send)
        try:
            answer = await self._ingest(scope, incoming, hold)
        except ClientGone:
            return None
        except Problem as problem:
            return await self._refuse(problem, incoming, send)
        finally:
            self.gate.leave(held)
        return await _answer(send, 200, orjson.dumps(answer), {})

    async def _ingest(self, scope: Scope, receive: Incoming, hold: Callable[[int], None]) -> dict[str, Any]:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in WANTED}
        options = read_options(scope["query_string"])
        kind = read_type(headers.get(b"content-type"))
        key = read_key(headers.get(b"idempotency-key"), options.key)
        told = headers.get(b"content-length", "")
        length = int(told) if told.isascii() and told.isdigit() else None
        limit = self.limits.text if kind in ("json", "csv") else self.limits.bytes
        data = await receive_body(receive, length, limit, self.limits, hold)
        coding = headers.get(b"content-encoding")

        def parse() -> list[Part]:
            body = unpack_body(data, coding, limit)
            if body is not data:
                hold(len(body))
            return _parse(body, kind, options, limit)

        packed = coding not in (None, "identity")
        if len(data) > INLINE or packed:
            parts = await asyncio.get_running_loop().run_in_executor(self._threads, parse)
        else:
            parts = parse()
        batch = Batch(parts, options.time_unit, options.ignore_unknown, INLINE + 1 if packed else len(data))
        return await self.ingest.append(
            batch, key=key, durability=options.durability, live=options.live, create=options.create
        )

    async def _refuse(self, problem: Problem, incoming: Incoming, send: Send) -> None:
        """Answer, and end the connection where the rest of a long body may still be coming."""
        headers = dict(problem.headers or {})
        if incoming.more and problem.status not in (408, 413):
            await incoming.drain(DRAIN_S, INLINE)
        if incoming.more:
            headers["connection"] = "close"
        body = orjson.dumps(problem.body, default=repr)
        await _answer(send, problem.status, body, headers, incoming.more)
        if incoming.more:
            await incoming.drain(self.limits.drain_s if problem.status != 408 else 0)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _parse(body: bytes, kind: str, options: Options, limit: int) -> list[Part]:
    """The parts of a body, which may make channels."""
    if not body:
        raise Problem(400, "The body is empty")
    if kind == "json":
        parts = read_json(body, options.channel)
    elif kind == "csv":
        parts = read_csv(body, options.channel, options.delimiter)
    elif kind == "avro":
        parts = read_avro(body, options.channel, limit)
    else:
        parts = read_arrow(body, options.channel, limit)
    for part in parts:
        part.config = MADE
    return parts


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str], more: bool = False) -> None:
    told = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    told += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body, "more_body": more})
