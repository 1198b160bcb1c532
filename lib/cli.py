"""The `speeddata` command. Services are started as processes of their own, by module name.

What a command needs beyond click is imported when it runs: `speeddata --help` and what the shell asks for completion are
to be quick. Exit statuses are those of exit_codes.py.
"""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

import speeddata
from speeddata.archive_commands import ARCHIVE_COMMANDS, complain, forget_output
from speeddata.channel_names import channels_argument
from speeddata.channels_command import channels
from speeddata.completion_command import completion
from speeddata.config_command import config
from speeddata.exit_codes import FAILED, epilog
from speeddata.export_command import export
from speeddata.import_command import import_files
from speeddata.key_command import key
from speeddata.register_command import deregister, register, restart_channels
from speeddata.reload_command import reload
from speeddata.replay_command import replay
from speeddata.run_options import RunOptions, run_options
from speeddata.send_command import send
from speeddata.server_options import server_options
from speeddata.service_command import service
from speeddata.sql_command import sql
from speeddata.status_command import status
from speeddata.tag_command import tag
from speeddata.tail_command import tail
from speeddata.token_command import token

__all__ = ["STARTED", "commands", "main"]

ORCHESTRATOR = "speeddata.relay.orchestrator"
STOP = "speeddata.relay.stop"
RESTART = "speeddata.relay.restart"
DOCTOR = "speeddata.relay.doctor"
BENCH = "speeddata.relay.bench"
# Commands whose options and help are those of the module that they start.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # why standard output could not be written
STARTED = {"doctor": DOCTOR, "bench relay": BENCH}


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    fill_standard()
    try:
        commands.main(args=None if argv is None else list(argv), prog_name="speeddata")
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        forget_output()
        complain([f"speeddata: {error.strerror}"])
        sys.exit(FAILED)


EPILOG = epilog("done or ended as asked", usage="wrong usage or settings", cannot_start="cannot start")
GROUP_EPILOG = epilog("done or ended as asked", usage="wrong usage or settings")
DATA_EPILOG = epilog(usage="wrong usage, or no such folder")

data_option = click.option(
    "--data", type=click.Path(path_type=Path), default="data", show_default=True, help="Data folder."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")


class Started(click.Command):
    """A command that a module becomes, whose options are the module's: the shell completes those."""

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        module = DOCTOR if self.name == "doctor" else BENCH
        command: click.Command = importlib.import_module(module).main
        return command.shell_complete(click.Context(command, context.parent), incomplete)


@click.group(epilog=f"{GROUP_EPILOG} Some have more: see their --help.")
@click.version_option(speeddata.__version__, prog_name="speeddata")
def commands() -> None:
    """Record, watch live and analyse telemetry that arrives as Avro over UDP."""


@commands.command(epilog=EPILOG)
@run_options
def run(options: RunOptions) -> None:
    """Run everything in the foreground: relays, live view, history, API and pages. Ctrl-C ends it."""
    become(ORCHESTRATOR, options.argv())


@commands.command(epilog=EPILOG)
@run_options
def demo(options: RunOptions) -> None:
    """Run everything, with sources of data: test signals, this machine's own telemetry, and a made-up machine on a test stand."""
    become(ORCHESTRATOR, ["--demo", *options.argv()])


@commands.command(epilog=DATA_EPILOG)
@data_option
@json_option
def stop(data: Path, as_json: bool) -> None:
    """End everything that runs on a data folder, also what outlived its orchestrator."""
    become(STOP, ["--data", str(data), *(["--json"] if as_json else [])])


@commands.command(epilog=DATA_EPILOG)
@channels_argument("names", "[CHANNEL...]", required=False)
@data_option
@server_options
@json_option
@click.pass_context
def restart(context: click.Context, names: tuple[str, ...], data: Path, url: str, as_json: bool) -> None:
    """Renew what runs, while recording goes on and no packet is lost.

    Without CHANNEL every process on a data folder (--data), as after an upgrade; else the relays of these channels, by the API
    (--url).
    """
    if not names:
        become(RESTART, ["--data", str(data), *(["--json"] if as_json else [])])
        return
    if context.get_parameter_source("data") is not ParameterSource.DEFAULT:
        raise click.UsageError("--data is for all processes of a data folder: give either it or CHANNEL")
    restart_channels(names, url, as_json)


@commands.command(cls=Started, context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def doctor(options: tuple[str, ...]) -> None:
    """Examine this machine: what should be mended, by which commands, and the rate it will hold (--help lists the options)."""
    become(DOCTOR, options)


@commands.group(epilog=epilog())
def bench() -> None:
    """Measure what this machine can do."""


@bench.command(
    "relay", cls=Started, context_settings={"ignore_unknown_options": True, "help_option_names": []}
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def bench_relay(options: tuple[str, ...]) -> None:
    """Loss against rate and processor time per packet of the relay, beside two baselines (--help lists the options)."""
    become(BENCH, options)


OTHERS = (
    status,
    reload,
    channels,
    register,
    deregister,
    tail,
    send,
    replay,
    tag,
    export,
    import_files,
    sql,
    config,
    service,
    token,
    key,
    completion,
)
for command in (*OTHERS, *ARCHIVE_COMMANDS):
    commands.add_command(command)


def become(module: str, arguments: Sequence[str]) -> None:
    """Replace this process by a service: same pid, same terminal, no current folder on sys.path."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *arguments])


def fill_standard() -> None:
    """Put nothing where standard input, output and error were closed, or the next file that is opened would stand for them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the least number that is free
