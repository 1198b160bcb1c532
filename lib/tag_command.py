"""`speeddata tag`: name ranges of time, which are then kept; list, show and delete what is named."""

import json
import sys
from typing import Any
from urllib.parse import quote

import click

from speeddata.archive_commands import printing, shown
from speeddata.channel_names import complete_channels
from speeddata.counted import counted
from speeddata.exit_codes import DONE, FAILED, epilog
from speeddata.server_options import server_options
from speeddata.text_table import print_table

__all__ = ["tag"]

EPILOG = epilog(failed="refused, or failed")
json_option = click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")


@click.group(epilog=EPILOG)
def tag() -> None:
    """Tags: named ranges of time, which retention keeps."""


@tag.command(epilog=EPILOG)
@click.argument("name")
@click.option("--last", metavar="SPAN", help="From so long ago until now, such as 5m or PT5M.")
@click.option("--start", metavar="TIME", help="ISO 8601, such as 2026-11-22T14:30:00Z.")
@click.option("--end", metavar="TIME", help="ISO 8601; it may lie in the future.")
@click.option("--channels", metavar="NAMES", shell_complete=complete_channels,
              help="Channels, with commas between.  [default: all, also those to come]")  # fmt: skip
@click.option("--note", metavar="TEXT", help="What there is to say about it.")
@server_options
@json_option
def add(name: str, url: str, as_json: bool, channels: str | None, **given: str | None) -> None:
    """Name a range of time: --last, or --start and --end."""
    from speeddata.server import Server

    if not given["last"] and not (given["start"] and given["end"]):
        raise click.UsageError("give --last, or --start and --end")
    body: dict[str, Any] = {"name": name} | {key: value for key, value in given.items() if value is not None}
    if channels is not None:
        body["channels"] = [one.strip() for one in channels.split(",") if one.strip()]
    with printing():
        tell([Server(url).ask("POST", "/tags", json=body)], as_json, one=True)


@tag.command("list", epilog=EPILOG)
@click.option("--channel", metavar="NAME", shell_complete=complete_channels, help="Those about a channel.")
@click.option("--name", metavar="NAME", help="Those of a name.")
@server_options
@json_option
def list_tags(url: str, as_json: bool, **asked: str | None) -> None:
    """List tags."""
    from speeddata.server import Server

    given = {key: value for key, value in asked.items() if value is not None}
    with printing():
        tell(Server(url).listed("/tags", "tags", params=given), as_json)


@tag.command(epilog=EPILOG)
@click.argument("id", metavar="ID|NAME")
@server_options
@json_option
def show(id: str, url: str, as_json: bool) -> None:
    """Tell all about a tag, or about all of a name."""
    from speeddata.server import Server

    with printing():
        tell(found(Server(url), id), as_json, one=True)


@tag.command(epilog=EPILOG)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@server_options
@json_option
def delete(ids: tuple[str, ...], url: str, as_json: bool) -> None:
    """Delete tags by their ids; what only they kept may be deleted from then on."""
    from speeddata.server import Failure, Server

    server, told, failed = Server(url), [], False
    with printing():
        for id in ids:
            try:
                answer = server.ask("DELETE", f"/tags/{quote(id, safe='')}")
            except Failure as error:
                failed = True
                answer = {"status": "error", "id": id, "message": error.message}
                error.show()
            else:
                if not as_json:
                    print(shown(str(answer["message"])))
            told.append(answer)
        if as_json:
            print(json.dumps({"tags": told}))
    sys.exit(FAILED if failed else DONE)


def found(server: Any, id: str) -> list[dict[str, Any]]:
    """The tag of an id, or those of a name."""
    from speeddata.server import Failure

    named: list[dict[str, Any]] = server.listed("/tags", "tags", params={"name": id})
    if named:
        return named
    if not id.isdigit():
        raise Failure(f"there is no tag of the name {id!r}")
    return [server.ask("GET", f"/tags/{id}")]


def tell(tags: list[dict[str, Any]], as_json: bool, *, one: bool = False) -> None:
    if as_json:
        print(json.dumps(tags[0] if one and len(tags) == 1 else {"tags": tags}))
        return
    if one:
        for each in tags:
            for key, value in each.items():
                print(f"{key:10}  {words(key, value)}")
        return
    columns = ("id", "name", "start", "end", "channels", "note")
    rows = [tuple(words(key, each[key]) for key in columns) for each in tags]
    print_table(columns, rows, right=("id",))
    click.echo(counted(len(tags), "tag"), err=True)


def words(key: str, value: Any) -> str:
    if key == "channels" and not value:
        return "all"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "" if value is None else shown(str(value))
