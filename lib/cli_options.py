"""Groups of options that several commands, or one long command, are given."""

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Decorator", "with_options"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def with_options(options: Sequence[Decorator]) -> Decorator:
    """A decorator that gives a click command options, which its help shows in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
