"""`speeddata register`, `deregister` and `restart` of channels."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from speeddata.archive_commands import printing, shown
from speeddata.channel_names import channels_argument
from speeddata.exit_codes import DONE, FAILED, USAGE, epilog
from speeddata.server_options import server_options

__all__ = ["body_of", "deregister", "register", "restart_channels"]

MAX_FILE = 1 << 20  # bytes; a schema with its white space is a part of that
WANTED = "wanted an Avro record schema, a JSON object"

json_option = click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")


def read_setting(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """Settings of a channel, as the API takes them: `decimation.factor=10` is {"decimation": {"factor": 10}}."""
    config: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        *above, last = key.strip().split(".")
        if not equals or not last or not all(above):
            raise click.BadParameter(f"{text!r}, wanted KEY=VALUE such as decimation.factor=10")
        level = config
        for name in above:
            level = level.setdefault(name, {})
            if not isinstance(level, dict):
                raise click.BadParameter(f"{text!r}, but {name} is given as a value too")
        level[last] = value_of(value.strip())
    return config


def value_of(text: str) -> Any:
    """A value as JSON has it; what is none is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def read_schema(path: Path) -> dict[str, Any]:
    """The schema that a file holds; the end of the command where it holds none."""
    from speeddata.server import Failure

    try:
        with path.open("rb") as file:  # which may be a pipe, or have no end
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise Failure(f"{path}: more than {MAX_FILE:,} bytes, {WANTED}")
        schema = json.loads(data)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Failure(f"{path}: {place}: {error.msg[:1].lower()}{error.msg[1:]}, {WANTED}") from None
    except (ValueError, RecursionError) as error:  # no UTF-8, nested without end
        raise Failure(f"{path}: {error}, {WANTED}") from None
    if not isinstance(schema, dict):
        raise Failure(f"{path}: line 1, column 1: no object, {WANTED}")
    return schema


@click.command(epilog=epilog(failed="refused, or failed"))
@click.argument("name")
@click.option(
    "--schema", metavar="FILE", required=True, help="Avro schema of its records, an .avsc file.",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="UDP port.  [default: one that is free]"
)
@click.option("--no-port", is_flag=True, help="No UDP port: its records come by HTTP alone.")
@click.option("--set", "config", metavar="KEY=VALUE", multiple=True, callback=read_setting,
              help="A setting of the channel, such as decimation.factor=10 (may be repeated).")  # fmt: skip
@click.option(
    "--ttl", type=click.FloatRange(0, min_open=True), metavar="S",
    help="Seconds for which it holds: it is stopped when nothing is heard of it for longer, neither packet nor renewal.",
)  # fmt: skip
@server_options
@json_option
def register(
    name: str,
    schema: Path,
    port: int | None,
    no_port: bool,
    config: dict[str, Any],
    ttl: float | None,
    url: str,
    as_json: bool,
) -> None:
    """Register a channel; when this returns its relay receives."""
    from speeddata.server import Failure, Server

    if port is not None and no_port:
        raise click.UsageError("give either --port or --no-port")
    body = body_of(name, read_schema(schema), port, no_port, config, ttl)
    with printing():
        try:
            answer = Server(url).ask("POST", "/channels", json=body)
        except Failure as error:
            if not str(error.told.get("field")).startswith("schema"):
                raise
            raise Failure(f"{schema}: {error.message}") from None
        if as_json:
            print(json.dumps(answer))
        else:
            where = f" at UDP port {answer['port']}" if answer.get("port") else ""
            print(shown(f"{answer['message']}{where}"))


def body_of(
    name: str, schema: dict[str, Any], port: int | None, no_port: bool, config: dict[str, Any], ttl: float | None
) -> dict[str, Any]:  # fmt: skip
    """What the API is sent: nothing that was not given."""
    body: dict[str, Any] = {"name": name, "schema": schema}
    if port is not None or no_port:
        body["port"] = port
    if config:
        body["config"] = config
    if ttl is not None:
        body["ttl"] = int(ttl) if ttl == int(ttl) else ttl
    return body


@click.command(epilog=epilog(failed="some are not de-registered"))
@channels_argument()
@click.option("-y", "--yes", is_flag=True, help="Do not ask first.")
@server_options
@json_option
def deregister(names: tuple[str, ...], yes: bool, url: str, as_json: bool) -> None:
    """End channels: their relays stop when all is written. What they have recorded stays."""
    if not yes:
        if not sys.stdin.isatty():
            click.echo("speeddata: nobody can be asked here: give --yes", err=True)
            sys.exit(USAGE)
        click.confirm(f"De-register {', '.join(names)}?", abort=True, err=True)
    each(names, url, as_json, "DELETE", "")


def restart_channels(names: tuple[str, ...], url: str, as_json: bool) -> None:
    """Have the relays of channels replaced; no packet is lost."""
    each(names, url, as_json, "POST", "restart")


def each(names: tuple[str, ...], url: str, as_json: bool, method: str, part: str) -> None:
    """Ask one after the other for the same, and end with what came of it."""
    from speeddata.server import Failure, Server, path_of

    server, told, failed = Server(url), [], False
    with printing():
        for name in names:
            try:
                answer = server.ask(method, path_of(name, part))
            except Failure as error:
                failed = True
                answer = {"status": "error", "name": name, "message": error.message}
                error.show()
            else:
                if not as_json:
                    print(shown(str(answer["message"])), flush=True)
            told.append(answer)
        if as_json:
            print(json.dumps({"channels": told}))
    sys.exit(FAILED if failed else DONE)
