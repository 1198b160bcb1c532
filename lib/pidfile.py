"""A file with the process id of a running service, so that strays can be found.

It is a help, not a need: where it cannot be written, as on a full disk, that is said and the service runs without it.
"""

import contextlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["pidfile", "write_pidfile"]

log = logging.getLogger(__name__)


@contextmanager
def pidfile(path: Path | None) -> Iterator[None]:
    """Keep the file, written whole or not at all, as long as the context lasts."""
    if path is None:
        yield
        return
    write_pidfile(path, os.getpid())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def write_pidfile(path: Path, pid: int) -> None:
    """Write a pid file, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(f"{pid}\n", encoding="ascii")
        fresh.replace(path)
    except OSError as error:
        log.warning("no pid file: %s", error)
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
