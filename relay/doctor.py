"""`speeddata doctor`: examines this machine, says what should be mended and by which commands, and which rate it will hold.

The checks are below, in one list; each is a function of the subject. Quick ones are for the system page too. The simulations
take some seconds each, and run where they are asked for. Nothing is sent beyond this machine.
"""

import contextlib
import itertools
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from speeddata.archive_commands import printing
from speeddata.errors import ConfigError, RelayError
from speeddata.exit_codes import DONE, FAILED, USAGE, epilog
from speeddata.progress_bar import ProgressBar
from speeddata.relay.addresses import archive_folder
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.doctor_capture import Capture, check_capture, simulate_capture
from speeddata.relay.doctor_cards import check_cards
from speeddata.relay.doctor_check import MEND, Check, Examination, Subject, unknown
from speeddata.relay.doctor_kernel import SIZES, check_buffers, check_limits, measure_buffer
from speeddata.relay.doctor_machine import check_clock, check_files, check_processor, check_space
from speeddata.relay.doctor_multicast import check_multicast
from speeddata.relay.doctor_rate import held_rates
from speeddata.relay.doctor_storage import Storage, check_storage, simulate_storage
from speeddata.run_options import RunOptions
from speeddata.settings import Override, Settings, load_settings

__all__ = ["examine", "findings", "main", "simulate"]

# What each looks at, for when it cannot be looked at.
CHECKS: tuple[tuple[str, Examination], ...] = (
    ("receive_buffer", check_buffers),
    ("kernel_limits", check_limits),
    ("multicast", check_multicast),
    ("cards", check_cards),
    ("clock", check_clock),
    ("cpu_governor", check_processor),
    ("open_files", check_files),
    ("disk_space", check_space),
)
STORAGE_RUNS = 2
EPILOG = epilog("all is well", "something should be mended", "wrong usage or settings")


def examine(subject: Subject | None = None) -> dict[str, Any]:
    """What the quick checks find, and for each packet size the kernel memory and the rate that loses nothing meanwhile.

    Without a subject it is a run with the default settings, in the current folder.
    """
    subject = subject or Subject(Path())
    checks = [check for name, look in CHECKS for check in _look(name, look, subject)]
    found: dict[str, Any] = {"checks": [check.to_json() for check in checks]}
    with contextlib.suppress(
        OSError, RelayError
    ):  # without a loopback interface, of which check_buffers tells
        found |= measure_buffer(subject)
    return found


def _look(name: str, look: Examination, subject: Subject) -> Iterator[Check]:
    try:
        yield from look(subject)
    except (OSError, RelayError, ValueError) as error:
        yield unknown(name, f"{name.replace('_', ' ')}: cannot be examined: {error}")


def simulate(
    subject: Subject, found: dict[str, Any], seconds: float, sizes: tuple[int, ...] = SIZES, *, shown: bool
) -> None:
    """Try the way of packets and the disk, each by itself; what comes of it, and the rate, go to what was found before."""
    storage: Storage | None = None
    capture: Capture | None = None
    checks: list[Check] = []
    steps, total = itertools.count(1), STORAGE_RUNS + len(sizes)
    with ProgressBar("simulating", total, unit="runs", shown=shown) as bar:
        try:
            storage = simulate_storage(subject.archive, seconds, lambda: bar.reach(next(steps), total))
        except OSError as error:
            checks.append(unknown("disk_speed", f"disk speed: cannot be tried in {subject.archive}: {error}"))
        try:
            if "packets" not in found:
                raise OSError("packets to 127.0.0.1 do not arrive")
            capture = simulate_capture(subject, seconds, sizes, lambda: bar.reach(next(steps), total))
        except (OSError, RuntimeError) as error:
            checks.append(unknown("capture", f"capture: cannot be tried: {error}"))
    if capture is not None:
        checks += check_capture(subject, capture)
        found["capture"] = capture.to_json()
    if storage is not None:
        checks += check_storage(subject, storage)
        found["storage"] = storage.to_json()
    if capture is not None and storage is not None:
        held = held_rates(capture, storage, subject.ring, found["packets"])
        found["rate"] = [one.to_json() for one in held]
    found["checks"] += [check.to_json() for check in checks]


def findings(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What should be mended, in words and by which commands; empty when all is well."""
    keys = ("name", "text", "mend")
    return [{key: check[key] for key in keys} for check in found["checks"] if check["state"] == MEND]


@click.command(epilog=EPILOG)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="SPEEDDATA_CONFIG_DIR",
    show_envvar=True,
    help="Folder of the YAML files that SpeedData is to run with; without it the defaults.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder whose disk is examined. [default: the archive of the settings, ./data, or the current folder]",
)
@click.option(
    "--interface",
    metavar="ADDR",
    help="Address of the interface that multicast uses. [default: of the settings]",
)
@click.option("--ttl", metavar="N", help="Hops that multicast may travel. [default: of the settings]")
@click.option(
    "--set",
    "sets",
    metavar="FILE.PATH=VALUE",
    multiple=True,
    help="A setting, such as relay.listen=192.0.2.1 (may be repeated).",
)
@click.option("--quick", is_flag=True, help="No simulations, which take half a minute.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.05, 60),
    default=1.0,
    show_default=True,
    help="Length of a run of a simulation.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(
    config: Path | None, data: Path | None, interface: str | None, ttl: str | None, sets: tuple[str, ...],
    quick: bool, seconds: float, as_json: bool,
) -> None:  # fmt: skip
    """Examine this machine: what should be mended, by which commands, and the rate it will hold."""
    given = {"multicast.interface": interface, "multicast.ttl": ttl}
    subject = _subject(config, data, given, sets)
    for number in (
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # a relay and what it archived in memory are not to be left behind
        signal.signal(number, lambda *_: sys.exit(FAILED))
    found = examine(subject)
    if not quick:
        simulate(subject, found, seconds, shown=not as_json)
    to_mend = findings(found)
    with printing():
        if as_json:
            print(json.dumps({"findings": to_mend, **found}))
        else:
            from speeddata.relay.doctor_report import report  # brings rich, which the API does without

            print(report(found))
    sys.exit(FAILED if to_mend else DONE)


def _subject(
    config: Path | None, data: Path | None, given: dict[str, str | None], sets: tuple[str, ...]
) -> Subject:
    """What the options name; ends with a line for each that is wrong."""
    options = RunOptions(config=config, sets=sets)
    problems = []
    try:
        overrides = options.overrides()
        overrides += [
            Override(f"global.{key}", value, f"--{key.rpartition('.')[2]}")
            for key, value in given.items()
            if value is not None
        ]
        settings = load_settings(config, overrides)
    except ConfigError as error:
        problems = list(error.problems)
    if data is not None and not data.is_dir():
        problems.append(f"--data {data}: wanted a folder that exists")
    if problems:
        for line in problems:
            print(f"speeddata: {line}", file=sys.stderr)
        sys.exit(USAGE)
    return Subject.of(settings, data or _archive(options, settings), config)


def _archive(options: RunOptions, settings: Settings) -> Path:
    """The folder of the archive, or the nearest that there is."""
    folder = archive_folder(options, settings, DataFolder(options.data_folder))
    while not folder.is_dir():
        folder = folder.parent
    return folder


if __name__ == "__main__":
    main(prog_name="speeddata doctor")
