"""The libraries that only analysis needs, imported when they are."""

from importlib import import_module
from typing import Any

__all__ = ["needed"]


def needed(module: str, purpose: str) -> Any:
    """Import a module; an ImportError that tells what to install where there is none."""
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise ImportError(
            f"{purpose} needs {library}, which comes with the extra: pip install 'speeddata[analysis]' ({error})",
            name=library,
        ) from error
