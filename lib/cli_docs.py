"""The parts of docs/command-line.md that are made from the commands: usage, options, defaults, exit statuses.

`python -m speeddata.cli_docs docs/command-line.md` puts them between the page's marks. Commands are looked at as click has
them; those that start a module of their own have the options of that.
"""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from speeddata.cli import STARTED, commands
from speeddata.exit_codes import MEANINGS

__all__ = ["command_markdown", "each_command", "main", "statuses_markdown", "update"]

MARKS = re.compile(
    r"(<!-- (?P<what>command (?P<name>[a-z ]+)|exit statuses) -->\n).*?(<!-- end -->)", re.DOTALL
)


def each_command() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its name as it is written after `speeddata`."""
    yield from _below("", commands)


def _below(name: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for below, command in sorted(group.commands.items()):
        path = f"{name} {below}".strip()
        if isinstance(command, click.Group):
            yield from _below(path, command)
        elif path in STARTED:
            yield path, importlib.import_module(STARTED[path]).main
        else:
            yield path, command


def command_markdown(name: str) -> str:
    """Usage, options and exit statuses of a command."""
    command = dict(each_command())[name]
    context = click.Context(command, info_name=f"speeddata {name}")
    lines = [f"`speeddata {name} {' '.join(command.collect_usage_pieces(context))}".rstrip() + "`", ""]
    options = [one for one in command.params if isinstance(one, click.Option)]
    if options:
        lines += ["| option | |", "| --- | --- |"]
        lines += [_row(option, context) for option in options]
        lines.append("")
    lines += [command.epilog or "", ""]
    return "\n".join(lines)


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None, "no option is hidden"
    names, words = record
    return f"| `{_plain(names)}` | {_plain(words)} |"


def _plain(text: str) -> str:
    """Text as a cell has it."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def statuses_markdown() -> str:
    """The table of exit statuses."""
    lines = ["| status | stands for | of |", "| --- | --- | --- |"]
    lines += [f"| {status} | {words} | {names} |" for status, words, names in MEANINGS]
    return "\n".join(lines) + "\n"


def update(page: str) -> str:
    """Give a page with its made parts made anew."""

    def made(match: re.Match[str]) -> str:
        text = command_markdown(match["name"]) if match["name"] else statuses_markdown()
        return f"{match[1]}{text}{match[4]}"

    return MARKS.sub(made, page)


def main(arguments: list[str]) -> None:
    """Rewrite the made parts of pages."""
    for argument in arguments:
        path = Path(argument)
        path.write_text(update(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
