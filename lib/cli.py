"""The `speeddata` command. Services are started as processes of their own, by module name.

Exit status: 0 done or ended as asked; 1 something failed; 2 wrong usage or settings; 3 cannot start (a port or the data
folder is in use, or the registry cannot be used). Commands that look into the archive have others: see archive_commands.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

import speeddata
from speeddata.archive_commands import ARCHIVE_COMMANDS
from speeddata.export_command import export
from speeddata.import_command import import_files
from speeddata.run_options import RunOptions, run_options
from speeddata.sql_command import sql

__all__ = ["main"]

ORCHESTRATOR = "speeddata.relay.orchestrator"
STOP = "speeddata.relay.stop"
RESTART = "speeddata.relay.restart"
DOCTOR = "speeddata.relay.doctor"
BENCH = "speeddata.relay.bench"


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    commands.main(args=None if argv is None else list(argv), prog_name="speeddata")


EPILOG = "Exit status: 0 done or ended as asked, 1 failed, 2 wrong usage or settings, 3 cannot start."


@click.group(epilog=EPILOG)
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


@commands.command(epilog=EPILOG)
@click.option(
    "--data", type=click.Path(path_type=Path), default="data", show_default=True, help="Data folder."
)
def stop(data: Path) -> None:
    """End everything that runs on a data folder, also what outlived its orchestrator."""
    become(STOP, ["--data", str(data)])


@commands.command(epilog=EPILOG)
@click.option(
    "--data", type=click.Path(path_type=Path), default="data", show_default=True, help="Data folder."
)
def restart(data: Path) -> None:
    """Renew every process that runs on a data folder, as after an upgrade; recording goes on, no packet is lost."""
    become(RESTART, ["--data", str(data)])


@commands.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def doctor(options: tuple[str, ...]) -> None:
    """Examine this machine: receive buffers, and the rate that loses nothing while a relay is replaced."""
    become(DOCTOR, options)


@commands.group(epilog=EPILOG)
def bench() -> None:
    """Measure what this machine can do."""


@bench.command("relay", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def bench_relay(options: tuple[str, ...]) -> None:
    """Loss against rate and processor time per packet of the relay, beside two baselines (--help lists the options)."""
    become(BENCH, options)


commands.add_command(export)
commands.add_command(import_files)
commands.add_command(sql)
for command in ARCHIVE_COMMANDS:
    commands.add_command(command)


def become(module: str, arguments: Sequence[str]) -> None:
    """Replace this process by a service: same pid, same terminal, no current folder on sys.path."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *arguments])
