"""The command that asks the history service in SQL and shows the rows. What it needs is imported when it runs."""

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import click

from speeddata.archive_commands import for_reader, printing, shown
from speeddata.counted import counted
from speeddata.exit_codes import FAILED, epilog
from speeddata.progress_bar import waiting
from speeddata.server_options import away, history_option, token_file_option, token_hint

if TYPE_CHECKING:
    import requests

    from speeddata.answer import Answer

__all__ = ["sql"]

EPILOG = epilog("answered")
BINARY = ("arrow", "parquet")
CONNECT_S = 5.0
WAIT_S = 300.0  # longer than the service lets a statement run


@click.command(epilog=EPILOG)
@click.argument("statement", metavar="SQL")
@history_option
@token_file_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as --format csv.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "columns", "csv", "arrow", "parquet"]),
    help="What the rows are given as. [default: table]",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write to.")
@click.option("--limit", type=click.IntRange(0), help="Rows at most. [default: 1000 in a table, else all]")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), help="Seconds that it may take.")
@click.option("--zone", metavar="NAME", help="Time zone of local days and hours, such as Europe/Zurich.")
def sql(
    statement: str,
    url: str,
    as_json: bool,
    as_csv: bool,
    form: str | None,
    output: Path | None,
    limit: int | None,
    timeout: float | None,
    zone: str | None,
) -> None:
    """Ask the archive in SQL: channels are tables, - reads the statement from standard input.

    speeddata sql 'SELECT date_trunc($$hour$$, time) h, avg(voltage) FROM "example" GROUP BY h ORDER BY h'
    """
    given = [name for name, on in (("json", as_json), ("csv", as_csv), (form, form is not None)) if on]
    if len(given) > 1:
        raise click.UsageError("give one of --json, --csv and --format")
    form = given[0] if given else "table"
    if form in BINARY and output is None and sys.stdout.isatty():
        raise click.UsageError(f"{form} is not for a terminal: give --output FILE")
    if form == "table" and limit is None:
        limit = 1000
    asked = {"limit": limit, "timeout": timeout, "time_zone": zone}
    body: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    body["sql"] = sys.stdin.read() if statement == "-" else statement
    body["format"] = "json" if form == "table" else form
    with printing(), ask(url, body) as answer:
        if form == "table":
            show(read(answer, url), output)
        else:
            with opened(output) as out:
                pieces: Iterable[bytes] = answer.iter_content(1 << 16)
                out.writelines(for_reader(pieces) if output is None and form not in BINARY else pieces)
                if form in ("json", "columns"):
                    out.write(b"\n")
        if partial := answer.headers.get("x-speeddata-partial"):
            click.echo(f"speeddata: {partial}", err=True)


def ask(url: str, body: dict[str, Any]) -> "requests.Response":
    """The answer of the service, or the end of the command with the service's words."""
    import requests

    from speeddata.credentials import headers
    from speeddata.errors import TokenError

    address = f"{url.rstrip('/').removesuffix('/api/v1')}/api/v1/sql"
    try:
        with waiting("waiting for the answer"):
            answer = requests.post(
                address, json=body, headers=headers(), stream=True, timeout=(CONNECT_S, WAIT_S)
            )
    except (requests.RequestException, ValueError) as error:  # ValueError: a host that cannot be
        fail(f"{away('the history service', url)} ({type(error).__name__})")
    except TokenError as error:
        fail(str(error))
    if answer.status_code == 200:
        return answer
    try:
        words = str(answer.json()["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        words = f"{answer.status_code} {answer.reason}"
    return fail(words + token_hint(answer.status_code))


def read(answer: "requests.Response", url: str) -> "Answer":
    """What the service has found; the end of the command where somebody else has answered."""
    from speeddata.answer import read_answer
    from speeddata.server import Failure

    return read_answer(answer, lambda why: Failure(f"{url} is no history service of SpeedData: {why}"))


def fail(words: str) -> NoReturn:
    # The words of a statement's error point at a place in it, line below line.
    click.echo("\n".join(shown(line) for line in f"speeddata: {words}".split("\n")), err=True)
    sys.exit(FAILED)


@contextlib.contextmanager
def opened(output: Path | None) -> Iterator[BinaryIO]:
    """Where the bytes of an answer go."""
    if output is None:
        yield sys.stdout.buffer
    else:
        with output.open("wb") as file:
            yield file


def show(answer: Mapping[str, Any], output: Path | None) -> None:
    """Print the rows as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in answer["columns"]:
        number = column["type"].split("(")[0] in NUMBERS
        table.add_column(Text(shown(column["name"])), justify="right" if number else "left", overflow="fold")
    for row in answer["rows"]:
        table.add_row(*[Text(cell(value), style="dim" if value is None else "") for value in row])
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(output.open("w", encoding="utf-8")) if output else sys.stdout
        # A table in a file or a pipe is as wide as it needs to be.
        console = Console(file=file, width=None if file.isatty() else 10_000)
        console.print(table)
    rows = len(answer["rows"])
    more = ", and there are more (--limit)" if answer["truncated"] else ""
    click.echo(f"{counted(rows, 'row', '')}{more}", err=True)


NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL"}


def cell(value: Any) -> str:
    """A value as a terminal may have it."""
    if value is None:
        return "NULL"
    return shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
