"""`speeddata token`: make, list and revoke the tokens by which programs and people are known."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from speeddata.exit_codes import FAILED, epilog
from speeddata.tokens import ROLES, TokenFile

__all__ = ["TOKENS", "token"]

TOKENS = "tokens.json"  # in a data folder
EPILOG = epilog()

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default="data",
    show_default=True,
    help="Data folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")


@click.group(epilog=EPILOG)
def token() -> None:
    """Tokens, by which programs and people are known where more than this machine is served.

    They are in tokens.json of the data folder, as digests. Who runs already goes by a change at once.
    """


@token.command(epilog=EPILOG)
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What it may do: read; write too; everything."
)
@data_option
@json_option
def create(name: str, role: str, data: Path, as_json: bool) -> None:
    """Make a token. It is printed once, and kept nowhere."""
    with told_errors():
        data.mkdir(parents=True, exist_ok=True, mode=0o750)
        made = TokenFile(data / TOKENS).add(name, role)
    if as_json:
        click.echo(json.dumps({"name": name, "role": role, "token": made}))
    else:
        click.echo(made)
        click.echo(
            f"token {name!r} may {role}; it is told this once. Programs send it as Authorization: Bearer TOKEN, people log in with it.",
            err=True,
        )


@token.command("list", epilog=EPILOG)
@data_option
@json_option
def list_tokens(data: Path, as_json: bool) -> None:
    """Names and roles of the tokens in force."""
    with told_errors():
        known = TokenFile(data / TOKENS).read().known
    shown = [{key: value for key, value in asdict(one).items() if key != "sha256"} for one in known]
    if as_json:
        click.echo(json.dumps({"tokens": shown}))
        return
    for one in shown:
        click.echo("{name:20} {role:6} {created_at}".format(**one))
    if not shown:
        click.echo("there is no token", err=True)


@token.command(epilog=EPILOG)
@click.argument("name")
@data_option
@json_option
def revoke(name: str, data: Path, as_json: bool) -> None:
    """Take a token out of force, and what was logged in with it."""
    with told_errors():
        if not data.is_dir() or not TokenFile(data / TOKENS).remove(name):
            click.echo(f"speeddata: name is {name!r}, wanted that of a token in {data / TOKENS}", err=True)
            sys.exit(FAILED)
    click.echo(json.dumps({"name": name, "revoked": True}) if as_json else f"token {name!r} is revoked")


@contextmanager
def told_errors() -> Iterator[None]:
    """What cannot be done is said in words, and ends the process with status 1."""
    from speeddata.errors import TokenError

    try:
        yield
    except (TokenError, OSError) as error:
        click.echo(f"speeddata: {error}", err=True)
        sys.exit(FAILED)
