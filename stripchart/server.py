"""The live server as a process: sockets, signals and the rhythm of ticks round the hub."""

import asyncio
import http
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import uvloop
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from speeddata.host_names import Guard, host_of
from speeddata.stripchart.catalogue import ChannelInfo, Follower
from speeddata.stripchart.hub import CLOSE_TOO_SLOW, Hub
from speeddata.stripchart.origin import is_allowed, is_loopback
from speeddata.stripchart.receiver import Receiver

_MESSAGE_MAX = 64 << 10  # bytes of a message from a client
_PING_S = 20
STATUS_PATH = "/status"
_CLOSE_S = 1  # what a client gets to answer a close
_SEND_BUFFER = 128 << 10  # bytes that the kernel holds for a client, so that a slow one shows soon

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How the server is run."""

    registry: str
    host: str
    port: int
    interface: str
    # Host names to answer to, besides addresses and loopback names.
    names: Collection[str] = ()
    # Other processes serve the same port.
    shares_port: bool = False


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. OSError when the address cannot be had."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    hub = Hub(partial(Receiver, interface=settings.interface))
    server = await _listen(settings, hub)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def apply(infos: list[ChannelInfo]) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(hub.apply, infos)

    follower = Follower(settings.registry, apply)
    follower.start()
    ticking = asyncio.create_task(_tick(hub, stop))
    try:
        host, port = server.sockets[0].getsockname()[:2]
        _log.info("listening on ws://%s:%d", f"[{host}]" if ":" in host else host, port)
        await ticking
    finally:
        follower.stop()
        hub.close()
        server.close(reason="the live server is stopping")
        await server.wait_closed()


async def _listen(settings: Settings, hub: Hub) -> Server:
    return await serve(
        partial(_handle, hub),
        settings.host,
        settings.port,
        reuse_port=settings.shares_port or None,
        process_request=partial(
            _check, hub=hub, guard=Guard(settings.names), on_loopback=is_loopback(settings.host)
        ),
        compression=None,
        max_size=_MESSAGE_MAX,
        ping_interval=_PING_S,
        ping_timeout=_PING_S,
        close_timeout=_CLOSE_S,
        server_header=None,
    )


def _check(
    connection: ServerConnection, request: Request, hub: Hub, guard: Guard, on_loopback: bool
) -> Response | None:
    """Refuse a handshake that names another host, or that a page from elsewhere began; answer what is no handshake."""
    host = request.headers.get("Host", "")
    if not guard.admits(host_of(host)):
        _log.warning("refused a request for %.200r", host)
        return connection.respond(http.HTTPStatus.BAD_REQUEST, f"{host} is not a name of this server\n")
    origin = request.headers.get("Origin")
    if not is_allowed(origin, host, on_loopback):
        _log.warning("refused a page of %.200r", origin)
        return connection.respond(http.HTTPStatus.FORBIDDEN, f"pages of {origin} may not connect here\n")
    if request.path == STATUS_PATH:
        return _status(connection, hub)
    return None


def _status(connection: ServerConnection, hub: Hub) -> Response:
    """How the server and each of its clients do, as JSON for whoever asks by HTTP."""
    told = hub.metrics(time.monotonic()) | {"pid": os.getpid()}
    response = connection.respond(http.HTTPStatus.OK, json.dumps(told) + "\n")
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


async def _handle(hub: Hub, connection: ServerConnection) -> None:
    connection.transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER
    )
    client = hub.enter(connection)
    try:
        async for message in connection:
            answer = hub.handle(client, message)
            if answer:
                await connection.send(answer)
    except ConnectionClosed:
        pass  # however it ended, there is nobody left to tell
    finally:
        hub.leave(client)


async def _tick(hub: Hub, stop: asyncio.Event) -> None:
    """Tick at a steady rate; ticks that are missed are left out."""
    due = time.monotonic()
    closing: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        began = time.monotonic()
        hub.tick(time.time_ns(), began)
        hub.adapt(time.monotonic() - began)
        for client, reason in hub.given_up:
            _log.warning("client %d %s", client.number, reason)
            task = asyncio.create_task(client.connection.close(CLOSE_TOO_SLOW, reason))
            closing.add(task)
            task.add_done_callback(closing.discard)
        hub.given_up.clear()
        due = max(due + hub.rhythm.period_s, time.monotonic())
        try:
            await asyncio.wait_for(stop.wait(), due - time.monotonic())
        except TimeoutError:
            continue
