"""Names of channels as they are given on a command line: completed by the shell, and told apart from those of signals."""

import difflib
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, suppress
from io import StringIO
from typing import Any

import click
from click.shell_completion import CompletionItem

from speeddata.cli_options import Decorator
from speeddata.server_options import URL

__all__ = ["channels_argument", "complete_channels", "nearest", "signal_of"]

PATIENCE_S = 0.5  # of a shell that waits for a name


def complete_channels(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The channels of the running system; none, and nothing said, where there is none."""
    with suppress(Exception), redirect_stderr(StringIO()):
        from speeddata.server import Server

        url = context.params.get("url") or URL
        channels = Server(url, PATIENCE_S, attempts=1).channels()
        names = [one["name"] for one in channels if one["name"].startswith(incomplete)]
        return [CompletionItem(name) for name in sorted(names)]
    return []


def channels_argument(name: str = "names", metavar: str = "NAME...", **options: Any) -> Decorator:
    """An argument of names of channels, which the shell can complete."""
    given = {"nargs": -1, "required": True, **options}
    return click.argument(name, metavar=metavar, shell_complete=complete_channels, **given)


def signal_of(text: str, channels: Sequence[str]) -> tuple[str, str | None] | None:
    """The channel and the signal that CHANNEL or CHANNEL.SIGNAL stands for; None where there is no such channel.

    Names of channels may have dots in them too: the longest one counts.
    """
    if text in channels:
        return text, None
    known = [name for name in channels if text.startswith(f"{name}.")]
    if not known:
        return None
    name = max(known, key=len)
    return name, text[len(name) + 1 :]


def nearest(text: str, names: Iterable[str]) -> str:
    """What may have been meant, as the end of a sentence; empty where nothing is near."""
    found = difflib.get_close_matches(text, list(names), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
