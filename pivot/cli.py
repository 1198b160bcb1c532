"""Command line of the history service."""

import asyncio
import contextlib
import errno
import logging
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import uvicorn
import uvloop
from fastapi import FastAPI

from speeddata import logs
from speeddata.access_options import access_of, access_options
from speeddata.exit_codes import CANNOT_START
from speeddata.heartbeat import Heartbeat
from speeddata.pidfile import pidfile
from speeddata.pivot.body_options import body_limits, body_options
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.connection import Connection
from speeddata.pivot.export_tags import Tags
from speeddata.pivot.exporter import Exporter
from speeddata.pivot.heap import give_way, keep_memory
from speeddata.pivot.ingest import Ingest, make_ingest
from speeddata.pivot.job_options import job_limits, job_options
from speeddata.pivot.limit_options import limit_options, limits_of
from speeddata.pivot.query_options import make_queries, query_options
from speeddata.pivot.service import make_app
from speeddata.pivot.sql_options import sql_limits, sql_options

__all__ = ["main"]

logger = logging.getLogger(__name__)

UNSENT = 1 << 17  # bytes that the kernel holds for a client beyond what is on its way
OOM_SCORE = 500  # rather this service than a relay
GRACE_S = 2  # for answers that are under way when the service is stopped


class Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to us: it would end itself by the signal it has handled."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--registry", metavar="URL", default="http://127.0.0.1:8080", show_default=True, help="The registry."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve HTTP on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0: any free one."
)
@click.option(
    "--archive",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the archive.",
)
@click.option(
    "--ingest-socket",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Socket of the shared relay; without it, run/ingest.sock beside the archive.",
)
@limit_options
@job_options
@click.option(
    "--name", "names", multiple=True, help="Host name to answer to, besides addresses and loopback names."
)
@click.option(
    "--pidfile", "pid_path", type=click.Path(path_type=Path), help="File that holds the process id."
)
@body_options
@sql_options
@query_options
@access_options
def main(
    registry: str,
    host: str,
    port: int,
    archive: Path,
    ingest_socket: Path | None,
    names: tuple[str, ...],
    pid_path: Path | None,
    tokens: Path | None,
    own_token: Path | None,
    **given: Any,
) -> None:
    """Serve exports of recorded data."""
    logs.set_up("pivot")
    access = access_of(host, tokens, own_token)
    try:
        listener = bind(host, port)
    except OSError as error:
        reason = "in use" if error.errno == errno.EADDRINUSE else f"not to be had: {error.strerror or error}"
        click.echo(f"pivot: port {port} on {host} is {reason}", err=True)
        sys.exit(CANNOT_START)
    allow_files()
    keep_memory()
    give_way(OOM_SCORE)
    exporter = Exporter(
        Catalogue(archive, registry),
        limits_of(given),
        Tags(registry),
        given["min_free"],
        given["exports_folder"],
        job_limits(given),
    )
    ingest = make_ingest(registry, ingest_socket or archive.absolute().parent / "run" / "ingest.sock")
    queries = make_queries(exporter.catalogue, given["timeout"], given)
    with pidfile(pid_path):
        hosts = [name.lower() for name in names]
        sql, bodies = sql_limits(given), body_limits(given)
        app = make_app(exporter, hosts, ingest, registry, sql, queries, bodies, access)
        uvloop.run(serve(app, exporter, listener, ingest))


async def serve(app: FastAPI, exporter: Exporter, listener: socket.socket, ingest: Ingest) -> None:
    """Serve until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        http=Connection,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=20,
    )
    server = Server(config)

    def stop() -> None:
        server.should_exit = True
        exporter.close()
        app.state.sql.close()
        app.state.queries.close()
        app.state.dialects.close()
        app.state.follow.close()

    loop = asyncio.get_running_loop()
    beating = loop.create_task(Heartbeat().beating())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    host, port = listener.getsockname()[:2]
    logger.info("history at http://%s:%s", f"[{host}]" if ":" in host else host, port)
    await server.serve(sockets=[listener])
    beating.cancel()
    ingest.close()


def bind(host: str, port: int) -> socket.socket:
    """Take the port, or raise OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Of what a client is to be sent, the kernel holds little: so a download sees it take, or not.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def allow_files() -> None:
    """Let an export hold many segments open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
