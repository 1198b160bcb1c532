"""`speeddata config`: show, check and explain the settings, and deploy them from a repository. What it needs is imported when it runs."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from speeddata.archive_commands import complain, printing, say, say_json
from speeddata.cli_options import with_options
from speeddata.exit_codes import FAILED, USAGE, epilog
from speeddata.settings_table import FILES

if TYPE_CHECKING:
    from speeddata.settings import Settings

__all__ = ["config"]

EPILOG = epilog(usage="wrong usage or settings")

json_option = click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
folder_options = with_options(
    (
        click.option("--config", "folder", type=click.Path(path_type=Path), envvar="SPEEDDATA_CONFIG_DIR", show_envvar=True,
                     help="Folder of YAML files and schemas; without it the defaults."),
        click.option("--set", "sets", metavar="FILE.PATH=VALUE", multiple=True,
                     help="A setting, as for speeddata run (may be repeated)."),
        json_option,
    )
)  # fmt: skip


@click.group(epilog=EPILOG)
def config() -> None:
    """Settings: which are in force and why, whether they are in order, what each means, the same ones on several machines."""


@config.command(epilog=EPILOG)
@click.argument("services", metavar="[SERVICE]...", nargs=-1, type=click.Choice(FILES))
@folder_options
@click.option("--changed", is_flag=True, help="Only those that are not the default.")
@click.option(
    "--origin/--no-origin", default=True, show_default=True, help="Say where each value comes from."
)
def show(
    services: tuple[str, ...],
    folder: Path | None,
    sets: tuple[str, ...],
    as_json: bool,
    changed: bool,
    origin: bool,
) -> None:
    """Every setting in force, its value and where it comes from.

    Of a SERVICE (global, relay, stripchart, pivot) also what global.yaml says for all.
    """
    from speeddata.settings_view import entries, spelled

    settings, problems = examined(folder, sets)
    if problems:
        end(problems, [], as_json)
    found = [one for one in entries(settings, services) if one.changed or not changed]
    with printing():
        if as_json:
            say_json({"settings": [one.as_json() for one in found]})
            return
        # Of channels each value has a line of its own.
        rows = [
            (one.path, spelled(one.value), one.origin)
            for one in found
            if one.key != "channels" or not one.value
        ]
        widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
        for path, value, place in rows:
            said = f"{path:{widths[0]}}  {value:{widths[1]}}  {place if origin else ''}"
            say([said.rstrip()])
    if not found:
        complain(["every setting is the default"])


@config.command(epilog=EPILOG)
@folder_options
def check(folder: Path | None, sets: tuple[str, ...], as_json: bool) -> None:
    """Say everything that is wrong with the settings, and what is worth a look."""
    settings, problems = examined(folder, sets)
    if problems:
        end(problems, settings.warnings, as_json)
    with printing():
        if as_json:
            told = {"in_order": True, "read": list(settings.read), "problems": []}
            say_json({**told, "warnings": list(settings.warnings)})
            return
        complain(f"speeddata: warning: {one}" for one in settings.warnings)
        say([f"in order: {', '.join(settings.read) or 'the defaults'}"])


@config.command(epilog=EPILOG)
@click.argument("key")
@folder_options
def explain(key: str, folder: Path | None, sets: tuple[str, ...], as_json: bool) -> None:
    """All about a setting: what it takes, its default, the value in force, and every way to give it.

    KEY is one as in relay.decimation.factor, its end, the group it is in, or a variable's name.
    """
    from speeddata.settings_view import about, find, lines_about

    try:
        found = find(key)
    except ValueError as error:
        end([str(error)], [], as_json)
    settings, problems = examined(folder, sets)
    told = [about(settings, file, row) for file, row in found]
    with printing():
        if problems:
            complain(["speeddata: not all of the settings are in order, see speeddata config check"])
        if as_json:
            say_json({"in_order": not problems, "settings": told})
            return
        for index, one in enumerate(told):
            say([*([""] if index else []), *lines_about(one)])


@config.command(epilog=EPILOG)
@click.argument("repository", metavar="REPO", type=click.Path(path_type=Path))
@click.option(
    "--host",
    metavar="NAME",
    help="The machine, whose folder hosts/NAME must be there. [default: this one's short name]",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default="/etc/speeddata",
    show_default=True,
    help="Config folder of this machine.",
)
@click.option("--pull", is_flag=True, help="Have git bring REPO up to date first (fast-forward only).")
@click.option(
    "--dry-run", is_flag=True, help="Say what would change, and change nothing in the config folder."
)
@click.option(
    "--replace", is_flag=True, help="Also files that no deploy put there, or that were changed since."
)
@json_option
def deploy(
    repository: Path, host: str | None, target: Path, pull: bool, dry_run: bool, replace: bool, as_json: bool
) -> None:
    """Put the settings of a repository on this machine: its files, with those of hosts/NAME laid over them.

    All is checked before; what is not in order leaves everything as it was. local.yaml and files that no deploy put
    there are let alone.
    """
    from speeddata import config_repository as source_of
    from speeddata.config_deploy import carry_out, make_plan
    from speeddata.errors import ConfigError, SpeedDataError

    repository, target = repository.absolute(), target.resolve()
    name = host or source_of.host_name()
    try:
        if pull:
            source_of.pull(repository)
        source = source_of.read_repository(repository, name, named=host is not None)
        told = {"repository": str(repository), "commit": source_of.commit_of(repository), "host": name}
        plan = make_plan(source, repository, target, replace=replace)
        if not dry_run and not plan.in_the_way:
            plan = carry_out(source, repository, plan, told, replace=replace)
    except ConfigError as error:
        end(error.problems, [], as_json)
    except (SpeedDataError, OSError) as error:
        end(str(error).splitlines(), [], as_json, FAILED)
    done = not (dry_run or plan.in_the_way)
    with printing():
        if as_json:
            say_json({**told, "overlaid": source.overlaid, "done": done, **plan.as_json()})
        else:
            over = "" if source.overlaid else f", without a folder in {source_of.HOSTS}"
            at = f" at {told['commit']}" if told["commit"] else ""
            say([f"{repository}{at} for {name}{over}, to {target}", *plan.lines()])
            say([ending(len(plan.written), len(plan.removed), done, dry_run)])
            complain(f"speeddata: warning: {one}" for one in plan.warnings)
            complain(f"speeddata: {one}" for one in plan.in_the_way)
    sys.exit(FAILED if plan.in_the_way else 0)


def examined(folder: Path | None, sets: Sequence[str]) -> "tuple[Settings, list[str]]":
    """The settings that `speeddata run` would have, and all that is wrong with them."""
    from speeddata.errors import ConfigError
    from speeddata.settings import Override, examine_folder

    overrides, wrong = [], []
    for text in sets:
        try:
            overrides.append(Override.parse(text))
        except ConfigError as error:
            wrong += error.problems
    settings, problems = examine_folder(folder, overrides)
    return settings, wrong + problems


def ending(written: int, removed: int, done: bool, dry_run: bool) -> str:
    """What has come of a deploy, in a line."""
    if not (done or dry_run):
        return "nothing was changed"
    if not (written or removed):
        return "nothing differs"
    todo = "" if done else "to be "
    return f"files {todo}written: {written}, {todo}removed: {removed}"


def end(problems: Sequence[str], warnings: Sequence[str], as_json: bool, status: int = USAGE) -> NoReturn:
    """Say what is wrong, and end."""
    with printing():
        if as_json:
            state = {"in_order": False} if status == USAGE else {"done": False}
            say_json({**state, "problems": list(problems), "warnings": list(warnings)})
        else:
            complain(f"speeddata: {problem}" for problem in problems)
            complain(f"speeddata: warning: {one}" for one in warnings)
    sys.exit(status)
