"""`speeddata send`: JSON lines, or made-up values, as packets of a channel."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from reprlib import repr as short
from typing import IO, TYPE_CHECKING, Any

import click

from speeddata.archive_commands import printing
from speeddata.channel_names import complete_channels
from speeddata.counted import counted
from speeddata.exit_codes import epilog
from speeddata.server_options import server_options

if TYPE_CHECKING:
    from speeddata.packet_sender import PacketSender
    from speeddata.rows_json import RowEncoder
    from speeddata.schema import Schema

__all__ = ["send"]

TEST_RATE = 10.0
BESIDE = "channel"  # a key that lines may have besides signals, as those of `tail --json` do
# Of channels whose time has no unit yet: one that the magnitude of a time tells.
UNITS = {"int": "s", "long": "ns", "float": "s", "double": "s"}


@click.command(epilog=epilog("all was sent, or Ctrl-C ended it", "failed, or a line was wrong"))
@click.argument("channel", shell_complete=complete_channels)
@click.option(
    "--file",
    type=click.File("rb"),
    metavar="FILE",
    help="JSON lines, an object each.  [default: -, standard input]",
)
@click.option(
    "--test", is_flag=True, help="Made-up values instead: sines for numbers, until Ctrl-C or --count."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    metavar="R",
    help="Records a second.  [default: 10 with --test, else at most 20,000]",
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after so many records.")
@click.option(
    "--to", metavar="HOST:PORT", help="Where to.  [default: the channel's port on the server's host]"
)
@click.option("--skip-bad", is_flag=True, help="Leave out lines that are wrong, and say how many.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Say as JSON what was sent.")
@server_options
def send(
    channel: str, file: IO[bytes] | None, test: bool, url: str, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Send records to a channel by UDP, one a packet.

    A line is an object with a value for each signal, as ingest takes it; without a time it is now. The first line that is
    wrong ends it, all before it are sent.
    """  # fmt: skip
    if test and file is not None:
        raise click.UsageError("give either --file or --test")
    run = Run(target_of(channel, url, options["to"]), options, shown=not (quiet or as_json))
    with printing():
        run.all(made_up_rows(run.target.schema) if test else rows_of(file or sys.stdin.buffer), test)
        tell(run, channel, as_json)
    sys.exit(run.failed)


@dataclass
class Target:
    """Where records go to, and how they are made."""

    schema: "Schema"
    encoder: "RowEncoder"
    sender: "PacketSender"
    frame: bytes
    unit: str


def target_of(name: str, url: str, to: str | None) -> Target:
    """All about a channel that one must know to send to it; ends the command where it cannot be."""
    from speeddata.packet_sender import NotSent, PacketSender, address_of, frame_of
    from speeddata.plan import Plan
    from speeddata.rows_json import RowEncoder
    from speeddata.server import Failure, Server

    try:
        given = address_of(to) if to else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from None
    server = Server(url)
    about = server.channel(name)
    schema = server.schema(name, about.get("time_unit"))
    if given is None and about["port"] is None:
        raise Failure(
            f"channel {name!r} has no UDP port: its records come by HTTP (`speeddata import`, POST /ingest)"
        )
    kind = next(one.type for one in schema.signals if one.name == schema.time)
    unit = schema.time_unit or UNITS[kind]
    try:
        sender = PacketSender(*(given or (server.host, about["port"])))
    except NotSent as error:
        raise Failure(str(error)) from None
    return Target(schema, RowEncoder(Plan(schema), unit), sender, frame_of(about["framing"], schema), unit)


def rows_of(file: IO[bytes]) -> Iterator[tuple[int, int, Any, str]]:
    """Number, size, object and what is wrong with it, of each line that is not empty."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield number, len(line), None, f"not JSON: {error}"
            continue
        wrong = (
            "" if isinstance(row, dict) else f"{short(row)}, wanted an object with a value for each signal"
        )
        yield number, len(line), row, wrong


def made_up_rows(schema: "Schema") -> Iterator[tuple[int, int, Any, str]]:
    """Made-up records without end."""
    from speeddata.made_up import made_up

    number = 0
    while True:
        yield number + 1, 0, made_up(schema, number, time.time()), ""
        number += 1


class Run:
    """Sends rows, and counts."""

    def __init__(self, target: Target, options: dict[str, Any], shown: bool) -> None:
        self.target = target
        self.count: int | None = options["count"]
        self.rate: float | None = options["rate"]
        self.skip_bad: bool = options["skip_bad"]
        self.shown = shown
        self.skipped = 0
        self.error = ""

    @property
    def failed(self) -> int:
        """The exit status."""
        from speeddata.exit_codes import DONE, FAILED

        return FAILED if self.error else DONE

    def all(self, rows: Iterator[tuple[int, int, Any, str]], test: bool) -> None:
        """Send all there are; ends quietly by Ctrl-C."""
        from speeddata.packet_sender import MAX_RATE, NotSent, Pacer
        from speeddata.progress_bar import ProgressBar

        pacer = Pacer(min(MAX_RATE, self.rate or (TEST_RATE if test else MAX_RATE)))
        sender = self.target.sender
        with sender, ProgressBar("sending", self.count, shown=self.shown) as bar:
            try:
                while self.count is None or sender.sent < self.count:
                    number, _, row, wrong = next(rows, (0, 0, None, ""))
                    if not number:
                        break
                    wrong = wrong or self._one(row, pacer)
                    if not wrong:
                        bar.add(1)
                    elif not self._bad(number, wrong, bar):
                        break
                sender.finish()
            except NotSent as error:
                self.error = str(error)
            except KeyboardInterrupt:
                pass

    def _one(self, row: Any, pacer: Any) -> str:
        """Send a row; what is wrong with it."""
        from speeddata.packet_sender import NotSent

        schema = self.target.schema
        pacer.wait()
        if schema.time not in row:
            row = {schema.time: now_in(self.target.unit), **row}
        beside = None if BESIDE in schema.signal_names else BESIDE
        encoded = self.target.encoder.rows([row], beside)
        if encoded.errors:
            return "; ".join(
                f"field {field!r}: {short(value)}, wanted {wanted}"
                for _, field, value, wanted in encoded.errors
            )
        packet = self.target.frame + encoded.data
        try:
            return (
                "" if self.target.sender.send(packet) else f"{len(packet)} bytes are more than a packet holds"
            )
        except NotSent as error:
            raise NotSent(f"{error} {counted(self.target.sender.sent, 'packet')} went there before") from None

    def _bad(self, number: int, wrong: str, bar: Any) -> bool:
        """Take note of a wrong line; whether to go on."""
        if self.skip_bad:
            self.skipped += 1
            with bar.aside():
                click.echo(f"speeddata: line {number} is left out: {wrong}", err=True)
            return True
        self.error = f"line {number}: {wrong}"
        return False


def now_in(unit: str) -> int:
    """The time, in a unit."""
    from speeddata.times import SCALES

    return time.time_ns() // SCALES[unit]


def tell(run: Run, channel: str, as_json: bool) -> None:
    """Say what was sent, and what not."""
    sender = run.target.sender
    if run.error:
        click.echo(f"speeddata: {run.error}", err=True)
    if as_json:
        told = {
            "channel": channel,
            "to": sender.to,
            "sent": sender.sent,
            "bytes": sender.bytes,
            "skipped": run.skipped,
            "error": run.error or None,
        }
        print(json.dumps(told))
        return
    skipped = f", {counted(run.skipped, 'line')} left out" if run.skipped else ""
    print(f"sent {counted(sender.sent, 'record')} to {sender.to}{skipped}")
