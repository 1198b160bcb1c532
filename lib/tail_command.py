"""`speeddata tail`: values of channels as they come, as a live table or a line of JSON for each record."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from speeddata.archive_commands import complain, printing
from speeddata.channel_names import channels_argument, nearest, signal_of
from speeddata.counted import counted
from speeddata.exit_codes import DONE, epilog
from speeddata.server_options import server_options

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from speeddata.follow import Batch
    from speeddata.server import Server
    from speeddata.tail_view import TailView

__all__ = ["tail"]

DRAW_S = 0.25
PATIENCE_S = 1.5  # for records, before it is said what is waited for; they come about a second late
RESERVE = 4  # lines of a terminal that are not rows
WIDE = 10_000  # columns, of what is no terminal
Wanted = Mapping[str, Mapping[str, str]]


@click.command(epilog=epilog("ended by --records or Ctrl-C"))
@channels_argument("names", "CHANNEL[.SIGNAL]...")
@click.option("--records", type=click.IntRange(1), metavar="N", help="End after so many records.")
@click.option("--full", is_flag=True, help="Long values (text, arrays) and all digits in full.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each record, instead of a table.")
@server_options
def tail(names: tuple[str, ...], records: int | None, full: bool, as_json: bool, url: str) -> None:
    """Show values as they come: a row a signal with records/s and the age of the newest one.

    Every record is taken in (from the history service, about a second after it came), not the decimated live stream.
    """
    from speeddata.errors import SpeedDataError
    from speeddata.server import Failure, Server, words_of
    from speeddata.tail_view import waiting_words

    server = Server(url)
    channels = server.channels()
    wanted, exact = wanted_of(server, names, [one["name"] for one in channels])
    history = server.history()
    with printing():
        try:
            if as_json:
                asyncio.run(print_lines(history, wanted, exact, records))
            else:
                waiting = waiting_words([one for one in channels if one["name"] in wanted], time.time_ns())
                asyncio.run(draw(history, wanted, exact, records, full, waiting))
        except KeyboardInterrupt:
            sys.exit(DONE)
        except SpeedDataError as error:
            raise Failure(words_of(error) if hasattr(error, "details") else str(error)) from None  # type: ignore[arg-type]
        except ConnectionError as error:
            raise Failure(f"the history service at {history} does not answer: {error}") from None


def wanted_of(server: "Server", names: Sequence[str], known: Sequence[str]) -> tuple[Wanted, list[str]]:
    """The signals of each channel with their units, and what the service is to be asked for alone; ends the command where there are none such."""
    from speeddata.server import Failure

    wanted: dict[str, dict[str, str]] = {}
    whole = set()
    for text in names:
        found = signal_of(text, known)
        if found is None:
            raise Failure(f"there is no channel {text!r}{nearest(text, known)}")
        channel, signal = found
        schema = server.schema(channel)
        units = {one.name: one.unit or "" for one in schema.signals if one.name != schema.time}
        if signal is None:
            wanted[channel] = units
            whole.add(channel)
        elif signal not in units:
            raise Failure(f"channel {channel!r} has no signal {signal!r}{nearest(signal, units)}")
        elif channel not in whole:
            wanted.setdefault(channel, {})[signal] = units[signal]
    exact = [] if whole else [f"{channel}.{one}" for channel, signals in wanted.items() for one in signals]
    return wanted, exact


async def print_lines(history: str, wanted: Wanted, exact: Sequence[str], records: int | None) -> None:
    """Print records until there were enough."""
    from speeddata.follow import follow
    from speeddata.record_text import JsonLines
    from speeddata.tail_view import records_of

    form, left = JsonLines(), records
    async with aclosing(follow(history, list(wanted), signals=exact)) as batches:  # type: ignore[type-var]
        async for batch in batches:
            complain(notices_of(batch))
            if batch.data is None:
                continue
            for record in records_of(batch.data, list(wanted.get(batch.data.name, ()))):
                sys.stdout.buffer.write(form.line(record).encode())
                left = None if left is None else left - 1
                if left == 0:
                    return
            sys.stdout.buffer.flush()


async def draw(
    history: str, wanted: Wanted, exact: Sequence[str], records: int | None, full: bool, waiting: str
) -> None:
    """Draw the table until there were enough records. While none comes, it is said what is waited for."""
    from rich.console import Console
    from rich.live import Live

    from speeddata.tail_view import TailView

    view = TailView(wanted)
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    taking = asyncio.create_task(take_in(view, history, list(wanted), exact, records))
    if not console.is_terminal:  # which would have what was drawn last alone
        await asyncio.wait([taking], timeout=PATIENCE_S)
        if not view.records and not taking.done():
            complain([waiting])
        await taking
        console.print(table_of(view, console, full))
        return
    begun = time.monotonic()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while not taking.done():
            if waiting and not view.records and time.monotonic() - begun > PATIENCE_S:
                complain([waiting])
                waiting = ""
            live.update(table_of(view, console, full), refresh=True)
            await asyncio.wait([taking], timeout=DRAW_S)
        live.update(table_of(view, console, full), refresh=True)
    await taking


async def take_in(
    view: "TailView", history: str, channels: Sequence[str], exact: Sequence[str], records: int | None
) -> None:
    from speeddata.follow import follow

    async with aclosing(follow(history, channels, signals=exact)) as batches:  # type: ignore[type-var]
        async for batch in batches:
            complain(notices_of(batch))
            if batch.data is not None:
                view.add(batch.data, time.monotonic())
            if records is not None and view.records >= records:
                return


def notices_of(batch: "Batch") -> list[str]:
    """What could not be given, in words."""
    return [
        f"speeddata: {one.get('channel')}: "
        + ", ".join(f"{key} {value}" for key, value in one.items() if key != "channel")
        for one in batch.notices
    ]


def table_of(view: "TailView", console: "Console", full: bool) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from speeddata.status_view import age_text, count_text
    from speeddata.tail_view import value_text

    rows = list(view.rows(time.monotonic(), time.time_ns()))
    room = max(1, console.height - RESERVE) if console.is_terminal else len(rows)
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1))
    for name, right in (
        ("signal", False),
        ("value", True),
        ("unit", False),
        ("records/s", True),
        ("age", True),
    ):
        folded = name == "value" and full
        table.add_column(
            name,
            justify="right" if right else "left",
            no_wrap=not folded,
            overflow="fold" if folded else "ellipsis",
        )
    for row in rows[:room]:
        table.add_row(
            Text(row.name),
            Text(value_text(row.value, full)),
            Text(row.unit),
            count_text(row.rate),
            age_text(row.age_s),
        )
    if len(rows) <= room:
        return table
    return Group(
        table,
        Text(f"... and {counted(len(rows) - room, 'more signal')}: name those that are wanted", style="dim"),
    )
