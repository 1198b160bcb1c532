"""`speeddata status`: the whole system at a glance, once or as a table that is drawn anew each second."""

import json
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from speeddata.archive_commands import printing, shown
from speeddata.counted import counted
from speeddata.exit_codes import DONE, TROUBLE, epilog
from speeddata.server_options import server_options

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from speeddata.server import Server
    from speeddata.status_view import Line

__all__ = ["status"]

EPILOG = epilog(
    "all is well, or --watch was ended",
    "the server does not answer",
    trouble="something is in trouble: degraded, backoff or failed",
)
LOOK_S = 1.0
RESERVE = 2  # lines of a terminal: that of the command, and that of the cursor
WIDE = 10_000  # columns, of what is no terminal
STYLES = {"degraded": "yellow", "backoff": "red", "failed": "red", "stopped": "dim", "starting": "cyan", "idle": "dim"}  # fmt: skip


@click.command(epilog=EPILOG)
@server_options
@click.option("-w", "--watch", is_flag=True, help="Draw it anew each second, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON; with --watch a line each second.")
def status(url: str, watch: bool, as_json: bool) -> None:
    """Tell how the system and its channels do: those in trouble first.

    Rates are differences of counters: without --watch they are looked at twice, a second apart, and with --json once, without
    rates. In a terminal there are as many channels as it has lines; --json and a pipe have all.
    """
    from speeddata.server import Server

    view = View(Server(url))
    with printing():
        try:
            if as_json:
                print_json(view, watch)
            elif watch:
                show(view)
            else:
                print_once(view)
        except KeyboardInterrupt:
            sys.exit(DONE)
    sys.exit(TROUBLE if view.troubles and not watch else DONE)


class View:
    """What was found at the last look."""

    def __init__(self, server: "Server") -> None:
        from speeddata.status_view import Rates

        self.server = server
        self.rates = Rates()
        self.status: dict[str, Any] = {}
        self.lines: list[Line] = []
        self.troubles: list[str] = []

    def look(self) -> None:
        """Ask the server."""
        from speeddata.status_view import channel_line, in_order, troubles

        self.status = self.server.ask("GET", "/status")
        channels, now_ns = self.server.channels(), time.time_ns()
        self.lines = in_order([channel_line(one, self.rates.update(one), now_ns) for one in channels])
        self.troubles = troubles(self.status, self.lines)

    def to_json(self) -> dict[str, Any]:
        """The status, the lines of its channels, and what is the matter."""
        counts = self.status["channels"]
        channels = [line.to_json() for line in self.lines]
        return {
            **self.status, "channels": {**counts, "list": channels}, "trouble": self.troubles
        }  # fmt: skip


def print_json(view: View, watch: bool) -> None:
    while True:
        view.look()
        print(json.dumps(view.to_json()), flush=True)
        if not watch:
            return
        time.sleep(LOOK_S)


def print_once(view: View) -> None:
    """Look twice, for the rates, and print it."""
    from rich.console import Console

    view.look()
    if any(line.port is not None or line.records for line in view.lines):
        time.sleep(LOOK_S)
        view.look()
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    console.print(drawn(view, console))


def show(view: View) -> None:
    """Draw it until Ctrl-C. While the server does not answer, what it said last stays, and that it does not is said."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    from speeddata.server import Failure

    console = Console(width=None if sys.stdout.isatty() else WIDE)
    view.look()  # ends here if there is none
    while not console.is_terminal:
        console.print(drawn(view, console))
        time.sleep(LOOK_S)
        view.look()
    with Live(console=console, auto_refresh=False, screen=True) as live:
        while True:
            live.update(drawn(view, console), refresh=True)
            time.sleep(LOOK_S)
            try:
                view.look()
            except Failure as error:
                live.update(
                    Group(Text(shown(error.message), style="red"), drawn(view, console, lines=1)),
                    refresh=True,
                )
                time.sleep(LOOK_S)


def drawn(view: View, console: "Console", lines: int = 0) -> "RenderableType":
    """The whole, as high as a terminal; `lines` are needed for something else."""
    from rich.console import Group
    from rich.text import Text

    head = [Text(shown(line), no_wrap=True, overflow="ellipsis") for line in head_lines(view)]
    if view.troubles:
        head[-1].stylize("bold red")
    if not view.lines:
        return Group(*head, Text("there are no channels yet", style="dim"))
    fixed = len(head) + 2 + RESERVE + lines  # the head of the table is two lines
    room = max(1, console.height - fixed) if console.is_terminal else len(view.lines)
    some = view.lines if len(view.lines) <= room else view.lines[: max(1, room - 1)]
    parts = [*head, table_of(some)]
    if more := len(view.lines) - len(some):
        parts.append(Text(f"... and {counted(more, 'more channel')} (--json has all)", style="dim"))
    return Group(*parts)


def head_lines(view: View) -> list[str]:
    """What there is to say of the system, line by line."""
    status, archive = view.status, view.status["archive"]
    from speeddata.status_view import count_text, size_text

    services = ", ".join(f"{one['name']} {one['state']}" for one in status["services"])
    states = ", ".join(f"{count} {state}" for state, count in sorted(status["channels"]["states"].items()))
    known = [line.rate for line in view.lines if line.rate is not None]
    rate = f", {count_text(float(sum(known)))} records/s" if known else ""
    return [
        f"SpeedData {status['version']}, data folder {status['data']}",
        f"keeper {status['keeper']['state']}; {services}",
        f"archive: {size_text(archive.get('bytes') or 0)} in {counted(archive.get('segments') or 0, 'segment')}, {free(archive)}",
        f"{counted(status['channels']['count'], 'channel')}: {states or 'none'}{rate}",
        "; ".join(view.troubles) or "all is well",
    ]


def free(archive: Mapping[str, Any]) -> str:
    """The room that is left, and until when."""
    from speeddata.status_view import size_text, span_text

    words = "free space not known"
    if archive.get("free_bytes") is not None:
        words = f"{size_text(archive['free_bytes'])} free ({archive['free_percent']:.0f} %)"
    if archive.get("full_in_s") is not None:
        words += f", full in {span_text(archive['full_in_s'])}"
    return words


def table_of(lines: "list[Line]") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    from speeddata.status_view import age_text, count_text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1))
    for name, options in COLUMNS:
        table.add_column(name, no_wrap=True, overflow="ellipsis", **options)
    for line in lines:
        style = STYLES.get(line.state, "")
        drops = Text(count_text(line.drops), style="red" if line.drops else "")
        table.add_row(
            Text(shown(line.name)), Text(str(line.port or "-")), Text(shown(line.state), style=style), why_of(line, style),
            count_text(line.records), count_text(line.rate), drops, age_text(line.last_s),
        )  # fmt: skip
    return table


def why_of(line: "Line", style: str) -> "RenderableType":
    """Why a channel is in its state, and why it has drops."""
    from rich.text import Text

    words = [Text(shown(line.reason), style=style), Text(shown(line.drops_why), style="red")]
    return Text("; ").join(one for one in words if one)


COLUMNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("channel", {"min_width": 8, "max_width": 28}),
    ("port", {"justify": "right", "min_width": 5}),
    ("state", {"min_width": 8}),
    ("reason", {"ratio": 1}),
    ("records", {"justify": "right", "min_width": 7}),
    ("rate/s", {"justify": "right", "min_width": 6}),
    ("drops", {"justify": "right", "min_width": 5}),
    ("last", {"justify": "right", "min_width": 5}),
)
