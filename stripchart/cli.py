"""Command line of the live server."""

import errno
import logging
import sys
from pathlib import Path

import click

from speeddata.pidfile import pidfile
from speeddata.stripchart.server import Settings, run

EXIT_PORT_IN_USE = 3


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
    "--pidfile", "pid_path", type=click.Path(path_type=Path), help="File that holds the process id."
)
def main(
    registry: str, host: str, port: int, interface: str, names: tuple[str, ...], pid_path: Path | None
) -> None:
    """Serve live data to browsers."""
    logging.basicConfig(level=logging.INFO, format="stripchart: %(message)s")
    # Of what strangers send to the port, and of each connection that ends, nothing is worth a line.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    try:
        with pidfile(pid_path):
            run(Settings(registry, host, port, interface, tuple(name.lower() for name in names)))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        click.echo(f"stripchart: port {port} on {host} is in use", err=True)
        sys.exit(EXIT_PORT_IN_USE)
