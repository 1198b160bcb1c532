"""The live server as a process: sockets, signals and the rhythm of ticks round the hub."""

import asyncio
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvloop
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from speeddata.access import Access
from speeddata.heartbeat import Heartbeat
from speeddata.host_names import Guard
from speeddata.stripchart.catalogue import Follower
from speeddata.stripchart.client import Client
from speeddata.stripchart.doorkeeper import Doorkeeper, add_headers, connections_of
from speeddata.stripchart.history import History
from speeddata.stripchart.hub import Hub, TooMuchError
from speeddata.stripchart.origin import is_loopback
from speeddata.stripchart.pace import GIVEN_UP_S
from speeddata.stripchart.past import Past
from speeddata.stripchart.receiver import Receiver

CLIENTS_MAX = 2000
CLOSE_TOO_SLOW = 1013  # in RFC 6455's registry: try again later
CLOSE_TOO_MUCH = 1008  # RFC 6455: a message against the server's policy
_MESSAGE_MAX = 64 << 10  # bytes of a message from a client
_OPEN_S = 10  # what a connection gets to ask for something
_CLOSE_S = 1  # what a client gets to answer a close
_SEND_BUFFER = 128 << 10  # bytes that the kernel holds for a client, so that a slow one shows soon
_OTHER_FILES = 1000  # besides those of clients: groups, connections that are just opening

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
    # Clients at a time.
    clients: int = CLIENTS_MAX
    # Seconds between pings; a client that does not answer one for so long is gone.
    ping: float = 20
    # Processes that serve the port.
    workers: int = 1
    # Who may watch.
    access: Access = field(default_factory=Access)
    # A file descriptor whose end tells the process to end too.
    until: int | None = None


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. OSError when the address cannot be had."""
    _allow_files(settings.clients + _OTHER_FILES)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


def _allow_files(count: int) -> None:
    """Have the process open so many files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count if hard < 0 else min(count, hard), hard))


async def _serve(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    hub = Hub(partial(Receiver, interface=settings.interface), Past(History(settings.registry)))
    server = await _listen(settings, hub)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if settings.until is not None:
        loop.add_reader(settings.until, stop.set)

    def have(follow: Callable[[Any], None], told: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(follow, told)

    follower = Follower(settings.registry, partial(have, hub.apply), partial(have, hub.lose))
    follower.start()
    ticking = asyncio.create_task(tick(hub, stop))
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
    guard, on_loopback = Guard(settings.names), is_loopback(settings.host)
    metrics = partial(_metrics, settings, hub)
    doorkeeper = Doorkeeper(guard, on_loopback, settings.clients, metrics, settings.access)
    return await serve(
        partial(_handle, hub),
        settings.host,
        settings.port,
        reuse_port=settings.workers > 1 or None,
        create_connection=connections_of(doorkeeper),
        process_request=doorkeeper.check,
        process_response=add_headers,
        compression=None,
        max_size=_MESSAGE_MAX,
        open_timeout=_OPEN_S,
        ping_interval=settings.ping,
        ping_timeout=settings.ping,
        close_timeout=_CLOSE_S,
        server_header=None,
    )


def _metrics(settings: Settings, hub: Hub) -> dict[str, Any]:
    """How this process does."""
    return {"pid": os.getpid(), "workers": settings.workers, **hub.metrics(time.monotonic())}


async def _handle(hub: Hub, connection: ServerConnection) -> None:
    own = connection.transport.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    await attend(hub, connection)


async def attend(hub: Hub, connection: ServerConnection, clock: Callable[[], float] = time.monotonic) -> None:
    """Follow what a client says, until it is gone or given up."""
    client = hub.enter(connection)
    try:
        async for message in connection:
            answer = hub.handle(client, message, clock())
            if answer:
                await connection.send(answer)
    except TooMuchError:
        await close(client, CLOSE_TOO_MUCH, "too many messages")
    except ConnectionClosed:
        pass  # however it ended, there is nobody left to tell
    except Exception:
        _log.exception("client %d is closed: what it said cannot be followed", client.number)
        raise
    finally:
        hub.leave(client)


async def close(client: Client, code: int, reason: str) -> None:
    """Close a client's connection and say why."""
    _log.warning("client %d is closed: %s", client.number, reason)
    await client.connection.close(code, reason)


async def tick(hub: Hub, stop: asyncio.Event) -> None:
    """Tick at a steady rate; ticks that are missed are left out."""
    due, heartbeat = time.monotonic(), Heartbeat()
    closing: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        began = time.monotonic()
        heartbeat.beat(hub.trouble())
        hub.tick(time.time_ns(), began)
        hub.adapt(time.monotonic() - began)
        for client in hub.given_up:
            reason = f"too slow: nothing was taken for {GIVEN_UP_S:g} s"
            task = asyncio.create_task(close(client, CLOSE_TOO_SLOW, reason))
            closing.add(task)
            task.add_done_callback(closing.discard)
        hub.given_up.clear()
        due = max(due + hub.rhythm.period_s, time.monotonic())
        try:
            await asyncio.wait_for(stop.wait(), due - time.monotonic())
        except TimeoutError:
            continue
