"""The options by which a service is told whom to let in."""

import ipaddress
import sys
from pathlib import Path
from typing import Any

import click

from speeddata.access import Access
from speeddata.cli_options import with_options
from speeddata.exit_codes import USAGE

__all__ = ["access_argv", "access_of", "access_options"]

FILE = click.Path(path_type=Path, dir_okay=False)
OPTIONS = (
    click.option(
        "--tokens", type=FILE, help="File of the tokens in force; without it nobody is asked who they are."
    ),
    click.option("--own-token", type=FILE, help="File with the token of the services of this data folder."),
)
access_options = with_options(OPTIONS)


def access_of(host: str, tokens: Path | None, own_token: Path | None) -> Access:
    """What the options stand for; ends the process if others could reach an address without being asked who they are."""
    if tokens is None and not ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).is_loopback:
        click.echo(f"--host is {host}, wanted a loopback address, or --tokens: others can reach it", err=True)
        sys.exit(USAGE)
    return Access(tokens, own_token)


def access_argv(tokens: Path | None, own_token: Path | None) -> list[str]:
    """The options again, for another process."""
    given: dict[str, Any] = {"--tokens": tokens, "--own-token": own_token}
    return [part for name, value in given.items() if value is not None for part in (name, str(value))]
