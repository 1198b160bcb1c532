"""The options of commands that ask a running system, and what is said where it does not answer or wants a token.

`--token-file` stands for $SPEEDDATA_TOKEN_FILE: all requests of this process go by that (see credentials.py).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from speeddata.cli_options import with_options
from speeddata.credentials import VARIABLE

__all__ = ["URL", "away", "history_option", "server_options", "token_file_option", "token_hint"]

URL = "http://127.0.0.1:8080"
HISTORY = "http://127.0.0.1:8000"


def read_url(_context: click.Context, _option: click.Parameter, url: str) -> str:
    """An address, whose scheme may be left out."""
    url = url.strip() if "//" in url else f"http://{url.strip()}"
    if not url.startswith(("http://", "https://")) or not url.partition("//")[2]:
        raise click.BadParameter(f"{url!r}, wanted an address such as {URL}")
    return url.rstrip("/").removesuffix("/api/v1")


def use_token_file(context: click.Context, _option: click.Parameter, path: Path | None) -> None:
    """Have all requests of this process carry the token of a file."""
    if path is None:
        return
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(path)

    @context.call_on_close
    def restore() -> None:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before


token_file_option = click.option(
    "--token-file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), envvar=VARIABLE, show_envvar=True,
    expose_value=False, callback=use_token_file,
    help="File with the token to ask with; on the machine itself DATA/run/token will do.",
)  # fmt: skip

url_option = click.option(
    "--url", default=URL, show_default=True, envvar="SPEEDDATA_URL", show_envvar=True, callback=read_url,
    help="The registration API of the system to ask.",
)  # fmt: skip


def read_history(_context: click.Context, _option: click.Parameter, url: str | None) -> str:
    """The address of the history service: one that is given, else the one that belongs to the system of $SPEEDDATA_URL."""
    if url is not None:
        return url
    if not (system := os.environ.get("SPEEDDATA_URL")):
        return HISTORY
    from speeddata.server import Server

    return Server(read_url(_context, _option, system)).history()


history_option = click.option(
    "--url", callback=read_history,
    help=f"The history service.  [default: that of the system at $SPEEDDATA_URL, else {HISTORY}]",
)  # fmt: skip


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command `--url`, as `url`, and `--token-file`."""
    return with_options((url_option, token_file_option))(command)


def away(what: str, url: str, option: str = "--url") -> str:
    """What is said where nobody answers."""
    return f"{what} at {url} does not answer; `speeddata run` starts a system, {option} tells the address of another"


def token_hint(status: int | None) -> str:
    """What to give where a token is missing (401) or not enough (403); empty for any other status."""
    if status not in (401, 403):
        return ""
    wanted = "a token" if status == 401 else "one that may"
    return f"; give {wanted} by --token-file FILE or ${VARIABLE}: on the machine itself DATA/run/token of the data folder will do"
