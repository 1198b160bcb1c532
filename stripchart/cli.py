"""Command line of the live server."""

import errno
import logging
import sys
from pathlib import Path
from typing import Any

import click

from speeddata import logs
from speeddata.access_options import access_argv, access_of, access_options
from speeddata.exit_codes import CANNOT_START
from speeddata.pidfile import pidfile
from speeddata.stripchart.server import CLIENTS_MAX, Settings, run
from speeddata.stripchart.workers import serve


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--registry", metavar="URL", default="http://127.0.0.1:8080", show_default=True, help="The registry."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve WebSockets on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="Port; 0: any free one."
)
@click.option(
    "--interface",
    metavar="ADDR",
    default="127.0.0.1",
    show_default=True,
    help="Interface of the multicast groups.",
)
@click.option(
    "--name", "names", multiple=True, help="Host name to answer to, besides addresses and loopback names."
)
@click.option(
    "--clients",
    type=click.IntRange(1),
    default=CLIENTS_MAX,
    show_default=True,
    help="Clients at a time, of each worker.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that serve the port, each with all channels.",
)
@click.option(
    "--ping",
    type=click.FloatRange(0.1),
    default=20,
    show_default=True,
    help="Seconds between pings, and to answer one.",
)
@click.option(
    "--pidfile", "pid_path", type=click.Path(path_type=Path), help="File that holds the process id."
)
@click.option(
    "--until", type=int, hidden=True, help="Of a worker: file descriptor that ends with its parent."
)
@access_options
def main(
    pid_path: Path | None,
    until: int | None,
    names: tuple[str, ...],
    tokens: Path | None,
    own_token: Path | None,
    **options: Any,
) -> None:
    """Serve live data to browsers."""
    logs.set_up("stripchart")
    # Of what strangers send to the port, and of each connection that ends, nothing is worth a line.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    access = access_of(options["host"], tokens, own_token)
    try:
        with pidfile(pid_path):
            if options["workers"] > 1 and until is None:
                own = [part for name in names for part in ("--name", name)]
                own += access_argv(tokens, own_token)
                for key in ("registry", "interface", "clients", "ping"):
                    own += [f"--{key}", str(options[key])]
                serve(options["host"], options["port"], options["workers"], own)
            else:
                names = tuple(name.lower() for name in names)
                run(Settings(names=names, until=until, access=access, **options))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        click.echo("stripchart: port {port} on {host} is in use".format(**options), err=True)
        sys.exit(CANNOT_START)
