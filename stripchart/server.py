"""The live server as a process: sockets, signals and the rhythm of ticks round the hub."""

import asyncio
import http
import logging
import signal
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
from speeddata.stripchart.hub import TICKS_PER_S, Hub
from speeddata.stripchart.origin import is_allowed, is_loopback
from speeddata.stripchart.receiver import Receiver

_MESSAGE_MAX = 64 << 10  # bytes of a message from a client
_PING_S = 20
_CLOSE_S = 1  # what a client gets to answer a close

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
        process_request=partial(_check, guard=Guard(settings.names), on_loopback=is_loopback(settings.host)),
        compression=None,
        max_size=_MESSAGE_MAX,
        ping_interval=_PING_S,
        ping_timeout=_PING_S,
        close_timeout=_CLOSE_S,
        server_header=None,
    )


def _check(
    connection: ServerConnection, request: Request, guard: Guard, on_loopback: bool
) -> Response | None:
    """Refuse a handshake that names another host, or that a page from elsewhere began."""
    host = request.headers.get("Host", "")
    if not guard.admits(host_of(host)):
        _log.warning("refused a request for %.200r", host)
        return connection.respond(http.HTTPStatus.BAD_REQUEST, f"{host} is not a name of this server\n")
    origin = request.headers.get("Origin")
    if is_allowed(origin, host, on_loopback):
        return None
    _log.warning("refused a page of %.200r", origin)
    return connection.respond(http.HTTPStatus.FORBIDDEN, f"pages of {origin} may not connect here\n")


async def _handle(hub: Hub, connection: ServerConnection) -> None:
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
    period = 1 / TICKS_PER_S
    due = time.monotonic()
    while not stop.is_set():
        hub.tick(time.time_ns())
        due = max(due + period, time.monotonic())
        try:
            await asyncio.wait_for(stop.wait(), due - time.monotonic())
        except TimeoutError:
            continue
