"""A file with the process id of a running service, so that strays can be found."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["pidfile"]


@contextmanager
def pidfile(path: Path | None) -> Iterator[None]:
    """Keep the file, written whole or not at all, as long as the context lasts."""
    if path is None:
        yield
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(f"{os.getpid()}\n")
    fresh.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
