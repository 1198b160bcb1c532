"""`speeddata key`: makes and lists the keys of a data folder, by which sources sign their packets (signing.py)."""

import json
from pathlib import Path
from typing import Any

import click

from speeddata.token_command import EPILOG, data_option, json_option, told_errors

__all__ = ["key"]


@click.group(epilog=EPILOG)
def key() -> None:
    """Keys, by which sources sign their packets. A channel asks for them by its setting `sign`.

    They are in files of their own in `keys` of the data folder; a copy of one is what its source needs.
    """


@key.command(epilog=EPILOG)
@click.argument("name")
@data_option
@json_option
def create(name: str, data: Path, as_json: bool) -> None:
    """Make the key of one source. Its file is told, the key itself is not printed."""
    from speeddata.signing import KEYS, make_key

    with told_errors():
        data.mkdir(parents=True, exist_ok=True, mode=0o750)
        told = _about(make_key(data.absolute() / KEYS, name))
    click.echo(json.dumps(told) if as_json else told["file"])


@key.command("list", epilog=EPILOG)
@data_option
@json_option
def list_keys(data: Path, as_json: bool) -> None:
    """Names of the keys, their ids as packets bear them, and their files."""
    from speeddata.signing import KEYS

    with told_errors():
        found = [_about(path) for path in sorted((data.absolute() / KEYS).glob("[!.]*.key"))]
    if as_json:
        click.echo(json.dumps({"keys": found}))
        return
    for one in found:
        click.echo("{name:20} {id} {file}".format(**one))
    if not found:
        click.echo("there is no key", err=True)


def _about(path: Path) -> dict[str, Any]:
    """What may be told of a key."""
    from speeddata.signing import key_id, read_key

    return {"name": path.stem, "id": key_id(read_key(path)).hex(), "file": str(path)}
