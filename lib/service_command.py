"""`speeddata service`: have systemd run SpeedData, from boot on, by a unit and the drop-ins that it needs.

Nothing is replaced that somebody may have changed, unless that is said; which commands come next is always told.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from speeddata.archive_commands import complain, printing, say, say_json
from speeddata.cli_options import with_options
from speeddata.errors import ConfigError
from speeddata.exit_codes import FAILED, USAGE, epilog
from speeddata.run_options import RunOptions, run_options

__all__ = ["service"]

EPILOG = epilog(failed="failed or refused", usage="wrong usage or settings")
SHARED = (
    click.option("--user", is_flag=True, help="Run by your own service manager, as you, not by the system's."),
    click.option("--prefix", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
                 help="Root folder to look and write below, as of an image that is being built."),
    click.option("--json", "as_json", is_flag=True, help="Say it as JSON."),
)  # fmt: skip
# What `show` says of a file.
STATES = {
    "absent": "not installed, this would be written",
    "same": "installed, as it is here",
    "differs": "installed, and differs from this, which would be written",
}
CHANGING = (
    click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
    click.option("--now", is_flag=True, help="Run the commands that come next, too."),
)


class Refusal(Exception):
    """Why nothing is done."""


@dataclass(frozen=True)
class Terms:
    """What counts for all of a command."""

    user: bool
    prefix: Path | None
    as_json: bool
    dry_run: bool = False
    now: bool = False
    force: bool = False

    def check(self) -> None:
        """See that we may change anything; Refusal says what is wanted."""
        if self.now and self.prefix is not None:
            raise Refusal("--now is for this machine, not for one below --prefix")
        if self.now and shutil.which("systemctl") is None:
            raise Refusal("--now needs systemctl, which is not here")
        if self.dry_run or self.user or self.prefix is not None or os.geteuid() == 0:
            return
        raise Refusal("the system's service is installed by root: sudo; --user is for one of your own")


@click.group(epilog=EPILOG)
def service() -> None:
    """Have systemd run SpeedData, from boot on."""


@service.command(epilog=EPILOG)
@run_options
@with_options((*SHARED, *CHANGING))
@click.option("--force", is_flag=True, help="Replace files that differ, whatever hinders the service.")
def install(options: RunOptions, **given: Any) -> None:
    """Write the unit that runs SpeedData with these options, and what it needs.

    For the system: with a user to run as, and larger receive buffers of the kernel; data are in /var/lib/speeddata.
    With --user: data are in ~/.local/share/speeddata.
    """
    from speeddata.service_install import hindrances, next_commands, place_of, plan_of
    from speeddata.service_unit import service_files

    terms = Terms(**given)
    with told_errors():
        terms.check()
        plan = plan_of(options, terms.user)
        found = [] if terms.user or terms.prefix else hindrances(plan, options.config)
        if found and not terms.force:
            advice = "install SpeedData below /opt, as docs/install.md tells, or take --user"
            raise Refusal("\n".join([*found, advice]))
        places = [place_of(file, terms.prefix) for file in service_files(plan)]
        differing = [place for place in places if place.state == "differs"]
        if differing and not terms.as_json:
            say(line for place in differing for line in place.difference())
        if differing and not terms.force and not terms.dry_run:
            names = ", ".join(str(place.path) for place in differing)
            raise Refusal(
                f"{names}: differs from what would be written, nothing was changed; --force replaces"
            )
        done = [(str(place.path), "unchanged" if place.state == "same" else "written") for place in places]
        if not terms.dry_run:
            for place in places:
                place.write()
        tell(terms, done, next_commands(plan))


@service.command(epilog=EPILOG)
@with_options((*SHARED, *CHANGING))
@click.option("--force", is_flag=True, help="Delete files too that somebody else has written.")
def uninstall(**given: Any) -> None:
    """Delete what `install` has written. Data, settings and the user that it ran as stay."""
    from speeddata.service_install import is_used, place_of, run, unit_folder
    from speeddata.service_unit import Plan, service_files

    terms = Terms(**given)
    scope = ("--user",) if terms.user else ()
    with told_errors():
        terms.check()
        # Data outside of /var/lib have a file more, which may be there.
        every = Plan(Path(sys.executable), (), Path("/"), user=terms.user, folder=unit_folder(terms.user))
        places = [place_of(file, terms.prefix) for file in service_files(every)]
        places = [place for place in places if place.there is not None]
        strange = [str(place.path) for place in places if not place.ours]
        if strange and not terms.force:
            raise Refusal(
                f"{', '.join(strange)}: not written by `speeddata service install`; --force deletes"
            )
        ending = ("systemctl", *scope, "disable", "--now", "speeddata.service")
        if is_used(places, scope, here=terms.prefix is None) and not terms.dry_run:
            if not terms.now:
                raise Refusal(f"the service is enabled or runs: {shlex.join(ending)} ends it, as --now does")
            run(ending)
        if not terms.dry_run:
            for place in places:
                place.path.unlink()
        tell(
            terms,
            [(str(place.path), "deleted") for place in places],
            [("systemctl", *scope, "daemon-reload")],
        )


@service.command(epilog=EPILOG)
@run_options
@with_options(SHARED)
def show(options: RunOptions, **given: Any) -> None:
    """Print what `install` would write with these options, and whether it is there."""
    from speeddata.service_install import place_of, plan_of
    from speeddata.service_unit import service_files

    terms = Terms(**given)
    with told_errors():
        places = [place_of(file, terms.prefix) for file in service_files(plan_of(options, terms.user))]
        told = [{"path": str(one.path), "state": one.state, "text": one.file.text} for one in places]
        if terms.as_json:
            say_json({"files": told})
        for one in () if terms.as_json else told:
            say([f"# {one['path']}: {STATES[one['state']]}", *one["text"].splitlines(), ""])


def tell(terms: Terms, done: Sequence[tuple[str, str]], commands: Sequence[tuple[str, ...]]) -> None:
    """Say what was done with files and what comes next; with --now do that."""
    from speeddata.service_install import run

    if not terms.as_json:
        say(
            f"{path}: {'to be ' if terms.dry_run and word != 'unchanged' else ''}{word}"
            for path, word in done
        )
        if not done:
            say(["nothing is installed"])
        if done and not terms.now:
            say(["next:", *(f"  {shlex.join(command)}" for command in commands)])
    ran = [
        command for command in commands if done and terms.now and not terms.dry_run and command[0] != "sudo"
    ]
    for command in ran:
        if not terms.as_json:
            say([f"+ {shlex.join(command)}"])
            sys.stdout.flush()
        run(command)
    if terms.as_json:
        files = [{"path": path, "done": word} for path, word in done]
        say_json({"dry_run": terms.dry_run, "files": files, "commands": [shlex.join(one) for one in commands],
                  "ran": [shlex.join(one) for one in ran]})  # fmt: skip


@contextmanager
def told_errors() -> Iterator[None]:
    """Say what is wrong, and end."""
    try:
        with printing():
            try:
                yield
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                where = f"{error.filename}: " if error.filename else ""
                raise Refusal(f"{where}{error.strerror or error}") from None
    except ConfigError as error:
        complain(f"speeddata: {problem}" for problem in error.problems)
        sys.exit(USAGE)
    except Refusal as refusal:
        complain(f"speeddata: {line}" for line in str(refusal).splitlines())
        sys.exit(FAILED)
